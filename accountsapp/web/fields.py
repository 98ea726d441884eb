"""Fields of what clients send, as types for the pydantic models of an API's ``schemas.py``.

A model is loaded with :func:`load`: all bad fields are told at once, each with texts for people.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules import emails
from accountsapp.domain.rules.text import has_control_characters
from accountsapp.domain.rules.web_urls import is_web_url

if TYPE_CHECKING:
    from accountsapp.web.request import Request

LONGEST_TEXT = 255
"""Characters of a text that says nothing else."""
FORM_FLAGS = {"true": True, "1": True, "false": False, "0": False}
"""How forms write booleans, in any case."""

Schema = TypeVar("Schema", bound=BaseModel)
Value = TypeVar("Value")


class InvalidFields(Exception):
    """Values break the rules of their fields: every bad field at once.

    :ivar texts: by field, in the order of the schema, what is wrong with it
    """

    def __init__(self, texts: dict[str, list[str]]) -> None:
        super().__init__(", ".join(sorted(texts)))
        self.texts = texts

    @property
    def first_text(self) -> str:
        """What is wrong with the first of them."""
        return next(iter(self.texts.values()))[0]


def load(schema: type[Schema], values: Mapping[str, Any], *, is_form: bool = False, **context: Any) -> Schema:
    """Values, as that schema.

    :param is_form: whether they are all texts, booleans too
    :param context: what validators need to know besides
    :raises InvalidFields: some are not acceptable
    """
    try:
        return schema.model_validate(values, context={"is_form": is_form, **context})
    except ValidationError as error:
        texts: dict[str, list[str]] = {}
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            text = "This is required." if problem["type"] == "missing" else problem["msg"]
            texts.setdefault(str(problem["loc"][0]), []).append(text)
        raise InvalidFields(texts) from None


def load_body(schema: type[Schema], request: "Request", **context: object) -> Schema:
    """The body of the request, as that schema; of a name given twice the last value counts.

    :param context: as in :func:`load`
    :raises HTTPClientError: it cannot be read
    :raises InvalidFields: values are not acceptable
    """
    return load(schema, dict(request.parameters.body), is_form=request.has_form, **context)


def invalid(text: str) -> PydanticCustomError:
    """What a validator raises.

    :param text: for people
    """
    return PydanticCustomError("invalid", "{text}", {"text": text})


def by_rule(rule: Callable[[Any], Value]) -> Callable[[Any], Value]:
    """A validator of a rule of the domain, which raises ``InvalidValue``."""

    def validate(value: Any) -> Value:
        try:
            return rule(value)
        except InvalidValue as error:
            raise invalid(str(error)) from None

    return validate


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise invalid("This must be a text.")
    if has_control_characters(value):
        raise invalid("This has characters that are not allowed.")
    value = value.strip()
    if len(value) > LONGEST_TEXT:
        raise invalid(f"This may have at most {LONGEST_TEXT} characters.")
    return value


def _web_url(value: str) -> str:
    if value and not is_web_url(value):
        raise invalid("This must be an absolute http or https URL.")
    return value


def _flag(value: object, info: ValidationInfo) -> bool:
    if info.context and info.context["is_form"]:
        value = FORM_FLAGS.get(str(value).lower(), value)
    if not isinstance(value, bool):
        raise invalid("This must be true or false.")
    return value


def _flag_set(value: object, info: ValidationInfo) -> bool:
    try:
        is_set = _flag(value, info)
    except PydanticCustomError:
        is_set = False
    if not is_set:
        raise invalid("This must be true or left out.")
    return True


def _dotted_email(value: object) -> str:
    return emails.parse(value, dotted=True, keep_case=True)


def _email_or_empty(value: str) -> str:
    return _validate_email(value) if value else value


_validate_email = by_rule(_dotted_email)

Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": "string", "maxLength": LONGEST_TEXT})]
"""One line of at most 255 characters, trimmed; may be empty."""
WebUrl = Annotated[Text, AfterValidator(_web_url)]
"""An absolute ``http`` or ``https`` URL of at most 255 characters, or empty."""
Email = Annotated[
    str, BeforeValidator(_validate_email), WithJsonSchema({"type": "string", "format": "email"})
]
"""An e-mail address, its domain with a dot, spelled as it was."""
EmailOrEmpty = Annotated[Text, AfterValidator(_email_or_empty)]
Flag = Annotated[bool, BeforeValidator(_flag)]
"""``true`` or ``false``; in a form by the words of :data:`FORM_FLAGS`."""
FlagSet = Annotated[bool, BeforeValidator(_flag_set)]
"""``true``: neither ``false`` nor anything else can be asked for."""
