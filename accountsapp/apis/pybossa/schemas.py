"""What the forms take, by the rules of each field."""

from datetime import datetime
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, ValidationInfo

from accountsapp.domain.rules import emails, usernames
from accountsapp.domain.rules.emails import LONGEST_EMAIL
from accountsapp.domain.rules.text import has_control_characters, is_blank
from accountsapp.domain.unset import UNSET, Unset
from accountsapp.i18n import mark as _
from accountsapp.web.fields import by_rule, invalid

FLAG_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
"""How flags are written, in any case."""
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the text around them: in a mail they could show another name than it is."""
SHORTEST_NAME, LONGEST_NAME = 3, 35
SHORTEST_EMAIL = 3
LONGEST_KEY = 254
FIELDS_OF_DOMAIN = {"username": "name", "email": "email_addr", "password": "password"}
"""What the domain's refusals are about, as the forms call it."""


class AccountColumns(NamedTuple):
    """What these pages show of an account."""

    name: str | None
    joined: datetime
    locale: str | None
    subscribed: bool
    privacy_mode: bool
    info: dict[str, Any]
    ckan_api: str | None
    picture: str | None


def is_true(value: object) -> bool:
    """Whether a text, or a member of a JSON body, says yes."""
    return FLAG_WORDS.get(str(value).lower(), False)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise invalid(_("This must be a text."))
    return value


def _full_name(value: object) -> str:
    name = _text(value).strip()
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        raise invalid(f"Full name must be between {SHORTEST_NAME} and {LONGEST_NAME} characters long")
    if has_control_characters(name) or not BIDI_CONTROLS.isdisjoint(name) or is_blank(name):
        raise invalid(_("The full name has characters that are not allowed"))
    return name


def _username(value: object) -> str:
    return usernames.check_new(_text(value))


def _email(value: object) -> str:
    address = _text(value).strip()
    if not SHORTEST_EMAIL <= len(address) <= LONGEST_EMAIL:
        raise invalid(f"Email must be between {SHORTEST_EMAIL} and {LONGEST_EMAIL} characters long")
    return emails.parse(address, dotted=True)


def _typed(value: object) -> str:
    if _text(value).strip() == "":
        raise invalid(_("This field is needed"))
    return str(value)


def _password(value: object) -> str:
    if value == "":
        raise invalid(_("The password cannot be empty"))
    return _text(value)


def _password_typed(value: object) -> str:
    if value in (None, ""):
        raise invalid(_("You must provide a password"))
    return _text(value)


def _flag(value: object) -> bool:
    is_set = FLAG_WORDS.get(str(value).lower()) if isinstance(value, str | bool | int) else None
    if is_set is None:
        raise invalid(_("This must be true or false."))
    return is_set


def _locale(value: object, info: ValidationInfo) -> str | None:
    if value in (None, ""):
        return None
    if value not in (info.context or {}).get("locales", ()):
        raise invalid(_("This is not a choice"))
    return _text(value)


def _portal_key(value: object) -> str | None:
    if value in (None, ""):
        return None
    key = _text(value)
    if len(key) > LONGEST_KEY:
        raise invalid(f"This may have at most {LONGEST_KEY} characters.")
    if has_control_characters(key):
        raise invalid(_("This has characters that are not allowed."))
    return key


FullName = Annotated[str, BeforeValidator(_full_name)]
Username = Annotated[str, BeforeValidator(by_rule(_username))]
Email = Annotated[str, BeforeValidator(by_rule(_email))]
Typed = Annotated[str, BeforeValidator(_typed)]
NewPassword = Annotated[str, BeforeValidator(_password)]
TypedPassword = Annotated[str, BeforeValidator(_password_typed)]
Flag = Annotated[bool, BeforeValidator(_flag)]


class FormModel(BaseModel):
    """Fields that are not named are ignored: front ends post back whole form objects."""

    model_config = ConfigDict(extra="ignore")


class RegistrationForm(FormModel):
    """A new account."""

    fullname: FullName
    name: Username
    email_addr: Email
    password: NewPassword


class SignInForm(FormModel):
    """Who one says to be."""

    email: Typed
    password: TypedPassword


class ForgottenForm(FormModel):
    """Whose password was forgotten."""

    email_addr: Annotated[str, BeforeValidator(by_rule(lambda value: emails.parse(value, dotted=True)))]


class ProfileForm(FormModel):
    """What an account says of itself; what was not sent stays."""

    fullname: FullName = ""
    name: Annotated[str | Unset, PlainValidator(by_rule(_username), str)] = UNSET
    email_addr: Annotated[str | Unset, PlainValidator(by_rule(_email), str)] = UNSET
    locale: Annotated[str | None, BeforeValidator(_locale)] = None
    privacy_mode: Flag = False
    subscribed: Flag = False

    def columns(self) -> dict[str, Any]:
        """What was sent, by column of the account."""
        columns = {"fullname": "name"} | {name: name for name in ("locale", "privacy_mode", "subscribed")}
        fields = self.model_fields_set
        return {column: getattr(self, field) for field, column in columns.items() if field in fields}


class ExternalForm(FormModel):
    """Its key at a data portal."""

    ckan_api: Annotated[str | None, BeforeValidator(_portal_key)] = None


class PasswordForm(FormModel):
    """A new password, by who knows the present one."""

    current_password: TypedPassword
    new_password: NewPassword


class ResetForm(FormModel):
    """A new password, by a mailed link."""

    new_password: NewPassword
