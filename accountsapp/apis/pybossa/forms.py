"""Form objects: the fields, the token against forgery, and what is wrong; and how they are read."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from multipart import MultipartPart
from pydantic import BaseModel
from pyramid.csrf import get_csrf_token

from accountsapp.apis.pybossa.schemas import (
    FIELDS_OF_DOMAIN,
    PasswordForm,
    RegistrationForm,
    ResetForm,
)
from accountsapp.domain.accounts import signing_up
from accountsapp.domain.credentials import password_change
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.errors import InvalidValue, WeakPassword, WrongPassword
from accountsapp.i18n import mark as _
from accountsapp.pages.kept_forms import SECRETS
from accountsapp.web.fields import InvalidFields, load
from accountsapp.web.request import Request

CORRECT = _("Please correct the errors")
UNEQUAL = _("Passwords must match")
WRONG_PASSWORD = _("Your current password does not match")

Texts = Mapping[str, list[str]]
Schema = TypeVar("Schema", bound=BaseModel)

REGISTRATION = ("confirm", "email_addr", "fullname", "name", "password")
SIGN_IN = ("email", "password")
FORGOTTEN = ("email_addr",)
RESET = ("confirm", "current_password", "new_password")


def form(
    request: Request,
    fields: Iterable[str],
    values: Mapping[str, Any] | None = None,
    errors: Texts | None = None,
) -> dict[str, Any]:
    """A form object.

    :param values: of the fields that are not empty
    :param errors: by field, what is wrong
    """
    shown = {name: (values or {}).get(name) for name in fields}
    return {**shown, "csrf": get_csrf_token(request), "errors": dict(errors or {})}


def shown_values(sent: Iterable[tuple[str, Any]], fields: Iterable[str]) -> dict[str, Any]:
    """What was sent for these fields, to be shown again: no passwords and no files."""
    values = dict(sent)
    return {
        name: values[name]
        for name in fields
        if name in values and name not in SECRETS and not isinstance(values[name], MultipartPart)
    }


def load_form(schema: type[Schema], request: Request, values: Mapping[str, Any] | None = None) -> Schema:
    """The body, as that schema; a field that is needed and missing is empty.

    :param values: in place of those of the body
    :raises InvalidFields: some are not acceptable
    """
    fields = dict(request.parameters.body) if values is None else values
    needed = [name for name, field in schema.model_fields.items() if field.is_required()]
    filled = {name: "" for name in needed if fields.get(name) is None}
    return load(schema, {**fields, **filled}, locales=request.app_settings.locales)


def load_registration(request: Request) -> RegistrationForm:
    """
    :raises InvalidFields: all that is wrong, also that somebody else has the name or the address
    """
    values = dict(request.parameters.body)
    texts: dict[str, list[str]] = {}
    try:
        loaded = load_form(RegistrationForm, request)
    except InvalidFields as error:
        texts = error.texts

    def good(field: str) -> str | None:
        return str(values[field]).strip() if field not in texts else None

    problems = signing_up.problems(
        request.store, username=good("name"), email=good("email_addr"), password=values.get("password")
    )
    for problem in problems:
        field = FIELDS_OF_DOMAIN[problem.field]
        if field not in texts:
            texts[field] = [str(problem)]
    check_equal(values, "password", texts)
    if texts:
        raise InvalidFields(in_order(RegistrationForm, texts))
    return loaded


def in_order(schema: type[BaseModel], texts: dict[str, list[str]]) -> dict[str, list[str]]:
    """The texts in the order of the fields, the first of which has the focus."""
    return {name: texts[name] for name in schema.model_fields if name in texts}


def load_reset(request: Request) -> ResetForm:
    """
    :raises InvalidFields: no password, or not twice the same
    """
    return _load_twice(ResetForm, request)


def load_password(request: Request, account: AccountRow) -> PasswordForm:
    """
    :raises InvalidFields: all that is wrong with the new password, or one is missing; then also that the
        current one is not that of the account, which who changes it finds out otherwise
    :raises TooManyAttempts: too many wrong ones
    """
    try:
        form = _load_twice(PasswordForm, request)
        password_change.check_new(request.store, account, form.new_password)
    except InvalidFields as error:
        texts = error.texts
    except WeakPassword as error:
        texts = texts_of(error, "new_password")
    else:
        return form
    if "current_password" not in texts:
        try:
            current = request.parameters.last_in_body("current_password")
            password_change.check_current(request.store, account, current)
        except WrongPassword:
            texts["current_password"] = [WRONG_PASSWORD]
    raise InvalidFields(in_order(PasswordForm, texts))


def _load_twice(schema: type[Schema], request: Request) -> Schema:
    texts: dict[str, list[str]] = {}
    try:
        loaded = load_form(schema, request)
    except InvalidFields as error:
        texts = error.texts
    check_equal(dict(request.parameters.body), "new_password", texts)
    if texts:
        raise InvalidFields(texts)
    return loaded


def check_equal(values: Mapping[str, Any], field: str, texts: dict[str, list[str]]) -> None:
    """Say so at the field if what was typed there was not typed again."""
    if field not in texts and values.get("confirm") != values.get(field):
        texts.setdefault(field, []).append(UNEQUAL)


def texts_of(error: InvalidValue, password_field: str) -> dict[str, list[str]]:
    """What is wrong by field of a form, of a refusal of the domain.

    :param password_field: what the form calls a new password
    """
    field = FIELDS_OF_DOMAIN[error.field]
    return {password_field if field == "password" else field: [str(error)]}
