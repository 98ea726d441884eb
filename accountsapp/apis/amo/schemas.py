"""What the calls of addons-server take."""

from datetime import datetime
from typing import Annotated, Any, NamedTuple

from multipart import MultipartPart
from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf, ValidationInfo, WithJsonSchema

from accountsapp.domain.accounts.notifying import check_optional
from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.pictures.decoding import JPEG, PNG, Picture, picture_of
from accountsapp.domain.rules.prose import has_link, is_displayable
from accountsapp.domain.rules.text import is_storable
from accountsapp.domain.rules.web_urls import is_web_url
from accountsapp.domain.unset import UNSET, Unset
from accountsapp.web.fields import Flag, InvalidFields, invalid, load
from accountsapp.web.request import Request

SHORTEST_DISPLAY_NAME, LONGEST_DISPLAY_NAME = 2, 50
LONGEST_BIOGRAPHY = 3000
LONGEST_LINE = 255
MOST_PICTURE_BYTES = 4 * 1024 * 1024


class ProfileColumns(NamedTuple):
    """What is shown of an account, and what it may."""

    biography: str | None
    display_name: str | None
    homepage: str | None
    location: str | None
    occupation: str | None
    picture: str | None
    joined: datetime
    last_login: datetime | None
    last_login_ip: str | None
    permissions: list[Any]
    read_dev_agreement: bool
    notifications: dict[str, Any]
    addon_figures_text: str


def _normal(text: str) -> str:
    """As texts are compared and counted: browsers make CRLF of the line ends of multipart texts."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _text(value: object, info: ValidationInfo) -> str | None:
    """A text by the rules of its field; None clears. The stored one passes as it is: front ends send the
    whole form back, and it may be older than the rules.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid("This must be a text or null.")
    if not is_storable(value):
        raise invalid("This has characters that are not allowed.")
    field, context = info.field_name or "", info.context or {}
    text, stored = _normal(value), getattr(context["stored"], field)
    if stored and _normal(stored) == text:
        return str(stored)
    if not text and (field != "display_name" or context["is_form"]):
        return None
    _RULES.get(field, _check_line)(text)
    return text


def _check_display_name(text: str) -> None:
    if not SHORTEST_DISPLAY_NAME <= len(text) <= LONGEST_DISPLAY_NAME:
        raise invalid(f"This must have {SHORTEST_DISPLAY_NAME} to {LONGEST_DISPLAY_NAME} characters.")
    if not is_displayable(text):
        raise invalid("This must have at least one character that can be seen.")


def _check_biography(text: str) -> None:
    if len(text) > LONGEST_BIOGRAPHY:
        raise invalid(f"This may have at most {LONGEST_BIOGRAPHY} characters.")
    if has_link(text):
        raise invalid("Links are not allowed here.")


def _check_line(text: str) -> None:
    if len(text) > LONGEST_LINE:
        raise invalid(f"This may have at most {LONGEST_LINE} characters.")


def _check_homepage(text: str) -> None:
    _check_line(text)
    if not is_web_url(text):
        raise invalid("This must be an absolute http or https URL.")


_RULES = {
    "display_name": _check_display_name,
    "biography": _check_biography,
    "homepage": _check_homepage,
}


def _picture(value: object) -> Picture:
    if not isinstance(value, MultipartPart):
        raise invalid("This must be a file, in a multipart form.")
    try:
        return picture_of(value.raw, formats=frozenset({PNG, JPEG}), most_bytes=MOST_PICTURE_BYTES)
    except InvalidValue as error:
        raise invalid(str(error)) from None


ProfileText = Annotated[str | None, BeforeValidator(_text)]


class ProfileChange(BaseModel):
    """What ``PATCH`` of an account takes; what is absent stays. ``stored`` is the context of its loading."""

    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)

    display_name: ProfileText = None
    biography: ProfileText = None
    homepage: ProfileText = None
    location: ProfileText = None
    occupation: ProfileText = None
    picture_upload: Annotated[
        InstanceOf[Picture] | Unset,
        BeforeValidator(_picture),
        WithJsonSchema({"type": "string", "format": "binary"}),
    ] = UNSET

    def columns(self, stored: ProfileColumns) -> dict[str, str | None]:
        """The columns that are to have another value."""
        texts = {name: getattr(self, name) for name in self.model_fields_set - {"picture_upload"}}
        return {name: text for name, text in texts.items() if text != getattr(stored, name)}


class _Choice(BaseModel):
    enabled: Flag


def load_choices(request: Request) -> dict[str, bool]:
    """Notifications by name, on or off.

    :raises InvalidFields: all that is wrong
    """
    choices, texts = {}, {}
    for name, value in dict(request.parameters.body).items():
        try:
            check_optional(name, name)
            choices[name] = load(_Choice, {"enabled": value}, is_form=request.has_form).enabled
        except InvalidValue as error:
            texts[name] = [str(error)]
        except InvalidFields as error:
            texts[name] = [error.first_text]
    if texts:
        raise InvalidFields(texts)
    return choices


def _storable(value: object) -> str:
    if not isinstance(value, str) or not is_storable(value):
        raise invalid("This must be a text.")
    return value


Word = Annotated[str, BeforeValidator(_storable)]


class Unsubscription(BaseModel):
    """What a mail says of who reads it, and what is to be switched off."""

    model_config = ConfigDict(extra="ignore")

    token: Word
    hash: Word
    notification: Word


class NewAccount(BaseModel):
    """What super-create takes; the domain knows what each must be."""

    model_config = ConfigDict(extra="ignore")

    username: Any = None
    email: Any = None
    fxa_id: Any = None
    group: Any = None
