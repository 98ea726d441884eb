"""What the Docker Hub calls take, and what they show."""

import re
from datetime import UTC, datetime
from hashlib import md5
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.emails.addresses import EmailRow
from accountsapp.domain.errors import InvalidEmail
from accountsapp.domain.rules import emails
from accountsapp.domain.rules.text import has_control_characters
from accountsapp.web.bodies import is_form

LONGEST = 255
_NETLOC = re.compile(r"(?:[^@\[\]]*@)?(?:\[[^@\[\]]*\]|[^@:\[\]]*)(?::[0-9]*)?")
"""User information, a host, which brackets enclose whole or not at all, and a port."""

Schema = TypeVar("Schema", bound=BaseModel)


class InvalidFields(Exception):
    """Values break the rules of their fields: every bad field at once.

    :ivar texts: by field, what is wrong with it
    """

    def __init__(self, texts: dict[str, list[str]]) -> None:
        super().__init__(", ".join(sorted(texts)))
        self.texts = texts


def _invalid(text: str) -> PydanticCustomError:
    return PydanticCustomError("invalid", "{text}", {"text": text})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _invalid("This must be a text.")
    if has_control_characters(value):
        raise _invalid("This has characters that are not allowed.")
    value = value.strip()
    if len(value) > LONGEST:
        raise _invalid(f"This may have at most {LONGEST} characters.")
    return value


def _url(value: str) -> str:
    if value and not _is_web_url(value):
        raise _invalid("This must be an absolute http or https URL.")
    return value


def _is_web_url(value: str) -> bool:
    if any(character.isspace() for character in value) or "\\" in value:
        return False  # browsers read a backslash as a slash, and so another host than we do
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or host is None or not _NETLOC.fullmatch(parts.netloc):
        return False
    return _is_address(host, IPv6Address) if "[" in parts.netloc else _is_host(host)


def _is_host(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    if labels[-1].isdecimal():
        return _is_address(host, object)
    return len(host) <= 253 and all(_is_label(label) for label in labels)


def _is_address(host: str, kind: type) -> bool:
    try:
        return isinstance(ip_address(host), kind)
    except ValueError:
        return False


def _is_label(label: str) -> bool:
    inner = label.replace("-", "")
    return 0 < len(label) <= 63 and inner.isalnum() and not label.startswith("-") and not label.endswith("-")


def _email(value: object) -> str:
    try:
        return emails.parse(value, dotted=True, keep_case=True)
    except InvalidEmail as error:
        raise _invalid(str(error)) from None


def _email_or_none(value: str) -> str:
    return _email(value) if value else value


def _true(value: object) -> bool:
    if value is not True:
        raise _invalid("This must be true or left out.")
    return True


Text = Annotated[str, BeforeValidator(_text)]


class ProfileChange(BaseModel):
    """What ``PATCH`` of a user takes; ``""`` clears."""

    model_config = ConfigDict(extra="ignore")

    full_name: Text = ""
    location: Text = ""
    company: Text = ""
    profile_url: Annotated[Text, AfterValidator(_url)] = ""
    gravatar_email: Annotated[Text, AfterValidator(_email_or_none)] = ""

    def columns(self) -> dict[str, str | None]:
        """What was given, by column of the account."""
        return {COLUMNS[field]: getattr(self, field) or None for field in self.model_fields_set}


COLUMNS = {
    "full_name": "name",
    "location": "location",
    "company": "company",
    "profile_url": "homepage",
    "gravatar_email": "gravatar_email",
}


class Address(BaseModel):
    """What ``POST`` and ``DELETE`` of addresses take."""

    model_config = ConfigDict(extra="ignore")

    email: Annotated[str, BeforeValidator(_email)]


class AddressChange(Address):
    """What ``PATCH`` of addresses takes."""

    verified: Annotated[bool, BeforeValidator(_true)] = False
    primary: Annotated[bool, BeforeValidator(_true)] = False


def load(schema: type[Schema], request: Any) -> Schema:
    """The body of the request, as that schema.

    :raises HTTPClientError: it cannot be read
    :raises InvalidFields: values are not acceptable
    """
    values = dict(request.parameters.body)
    if is_form(request):
        for flag in {"verified", "primary"} & values.keys():
            values[flag] = FORM_FLAGS.get(str(values[flag]).lower(), values[flag])
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        texts: dict[str, list[str]] = {}
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            text = "This is required." if problem["type"] == "missing" else problem["msg"]
            texts.setdefault(str(problem["loc"][0]), []).append(text)
        raise InvalidFields(texts) from None


FORM_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class UserColumns(NamedTuple):
    """What a user shows."""

    name: str | None
    location: str | None
    company: str | None
    homepage: str | None
    gravatar_email: str | None
    signup: datetime | None
    created: datetime


def show_user(request: Any, account: AccountRow, profile: UserColumns) -> dict[str, Any]:
    """The twelve keys of a user."""
    return {
        "id": account.id,
        "username": account.username,
        "url": f"{request.app_settings.site_url}/api/v1.1/users/{quote(account.username, safe='')}/",
        "date_joined": show_time(profile.signup or profile.created),
        "type": "User",
        "full_name": profile.name or "",
        "location": profile.location or "",
        "company": profile.company or "",
        "profile_url": profile.homepage or "",
        "gravatar_url": gravatar_url(profile.gravatar_email),
        "email": account.email,
        "is_active": account.activated,
    }


def show_address(email: EmailRow) -> dict[str, Any]:
    return {"email": email.address, "verified": email.verified, "primary": email.primary}


def show_time(time: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ``, UTC, always six digits."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def gravatar_url(address: str | None) -> str:
    """Where Gravatar has the picture of that address; ``""`` for none."""
    if not address:
        return ""
    name = md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()
    return f"https://secure.gravatar.com/avatar/{name}.jpg?s=80&r=g&d=mm"
