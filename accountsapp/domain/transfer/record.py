"""The account record (``docs/operate.rst``): one JSON object, checked as a whole."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.passwords import is_bcrypt_hash
from accountsapp.domain.rules import app_permissions, emails, usernames
from accountsapp.domain.rules.api_keys import check_given
from accountsapp.domain.rules.notifications import MANDATORY
from accountsapp.strict_json import has_unstorable_text

MOST_INVITES = 2**31 - 1
MOST_ADDRESSES = 1000
"""Of one account."""
LARGEST_RECORD = 1024 * 1024
"""Bytes of an account's columns as JSON."""

_MOMENT = re.compile(
    r"\d{4}(?:-\d\d-\d\d|\d{4})"
    r"(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


_PLAIN_NAME = re.compile(r"[\w.-]{0,60}", re.ASCII)


class BadRecord(ValueError):
    """A record breaks its rules; the text names every key at fault and never shows a value."""


def _checked(check: Callable[[str], str]) -> AfterValidator:
    """A rule of the domain as a rule of the model."""

    def checked(value: str) -> str:
        try:
            return check(value)
        except InvalidValue as error:
            raise ValueError(str(error)) from None

    return AfterValidator(checked)


def _moment(value: object) -> object:
    """An ISO 8601 date or time as an aware one in UTC; one without a zone is in UTC."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value) if _MOMENT.fullmatch(value) else None
        utc = moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        utc = None
    if utc is None or not 1000 <= utc.year <= 9998:
        raise ValueError("must be an ISO 8601 time such as 2011-04-07T17:50:18Z")
    return utc


def _bcrypt_hash(value: str) -> str:
    if not is_bcrypt_hash(value):
        raise ValueError("must be a bcrypt hash ($2a$, $2b$ or $2y$)")
    return value


def _flag(value: object) -> object:
    """0 and 1 for a boolean: databases say so."""
    return bool(value) if type(value) is int and value in (0, 1) else value


def _notifications(value: dict[str, bool]) -> dict[str, bool]:
    for name, enabled in value.items():
        if name not in MANDATORY:
            raise ValueError(f"{_printable(name)}: no such kind")
        if MANDATORY[name] and not enabled:
            raise ValueError(f"{name} is mandatory")
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Email = Annotated[str, _checked(emails.parse)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    nullable: ClassVar[frozenset[str]] = frozenset()
    """The keys of which null is a value; for every other optional one it is "not given"."""

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {
            key: item
            for key, item in value.items()
            if item is not None or key in cls.nullable or not _is_optional(cls, key)
        }


def _is_optional(model: type[BaseModel], key: str) -> bool:
    field = model.model_fields.get(key)
    return field is not None and not field.is_required()


class EmailRecord(_Strict):
    """One of an account's addresses."""

    email: Email
    verified: Flag = False
    primary: Flag = False


class LanguageProficiency(_Strict):
    """A language that somebody speaks."""

    code: str


class AccountRecord(_Strict):
    """An account as it is imported; ``model_fields_set`` says which keys were given."""

    nullable = frozenset(
        {
            "name",
            "display_name",
            "biography",
            "location",
            "company",
            "occupation",
            "homepage",
            "gravatar_email",
            "country",
            "locale",
            "language",
            "gender",
            "goals",
            "level_of_education",
            "mailing_address",
            "year_of_birth",
            "account_privacy",
            "signup",
            "last_login",
            "last_login_ip",
            "invited_by",
        }
    )

    username: Annotated[str, _checked(usernames.check_imported)]
    email: Email | None = Field(None)
    emails: Annotated[list[EmailRecord], Field(min_length=1, max_length=MOST_ADDRESSES)] | None = None
    password: str | None = Field(None, repr=False)
    password_hash: Annotated[str, AfterValidator(_bcrypt_hash)] | None = Field(None, repr=False)
    api_key: Annotated[str, _checked(check_given)] | None = Field(None, repr=False)
    name: str | None = None
    display_name: str | None = None
    biography: str | None = None
    location: str | None = None
    company: str | None = None
    occupation: str | None = None
    homepage: str | None = None
    gravatar_email: str | None = None
    country: str | None = None
    locale: str | None = None
    language: str | None = None
    gender: str | None = None
    goals: str | None = None
    level_of_education: str | None = None
    mailing_address: str | None = None
    language_proficiencies: list[LanguageProficiency] = []
    year_of_birth: Annotated[int, Field(ge=1000, le=9999)] | None = None
    account_privacy: Literal["all_users", "private"] | None = None
    privacy_mode: Flag = True
    subscribed: Flag = False
    activated: Flag = True
    is_admin: Flag = False
    is_staff: Flag = False
    read_dev_agreement: Flag = False
    permissions: list[Annotated[str, _checked(app_permissions.check)]] = []
    signup: Moment | None = None
    last_login: Moment | None = None
    last_login_ip: str | None = None
    invited_by: str | None = None
    invite_ct: Annotated[int, Field(ge=0, le=MOST_INVITES)] = 0
    notifications: Annotated[dict[str, Flag], AfterValidator(_notifications)] = {}
    info: dict[str, Any] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.email is not None and self.emails is not None:
            raise ValueError("email: not together with emails")
        if self.password is not None and self.password_hash is not None:
            raise ValueError("password: not together with password_hash")
        if self.emails is not None:
            if sum(address.primary for address in self.emails) != 1:
                raise ValueError("emails: exactly one must be primary")
            if len({emails.key_of(address.email) for address in self.emails}) < len(self.emails):
                raise ValueError("emails: an address is given twice")
        return self

    @property
    def addresses(self) -> list[EmailRecord]:
        """The addresses that were given; ``email`` alone is a verified primary one."""
        if self.email is not None:
            return [EmailRecord.model_construct(email=self.email, verified=True, primary=True)]
        return self.emails or []


COLUMNS = tuple(
    key
    for key in AccountRecord.model_fields
    if key not in ("email", "emails", "password", "password_hash", "api_key", "activated")
)
"""Keys of the record that are columns of the account, value for value."""


def columns(record: AccountRecord) -> dict[str, Any]:
    """The values of :data:`COLUMNS`, as they are stored."""
    values = {key: getattr(record, key) for key in COLUMNS}
    values["language_proficiencies"] = [{"code": item.code} for item in record.language_proficiencies]
    return values


def parse(value: dict[str, Any], *, update: bool = False) -> AccountRecord:
    """The record that a JSON object is.

    :param update: the account may exist already, so that no address need be given
    :raises BadRecord: names every key at fault
    """
    if has_unstorable_text(value):
        at_fault = [key for key in value if has_unstorable_text(value[key])]
        raise BadRecord(
            "; ".join(f"{_printable(key)}: has NUL or half a surrogate pair in it" for key in at_fault)
        )
    try:
        record = AccountRecord.model_validate(value)
    except ValidationError as error:
        raise BadRecord(_all_errors(error)) from None
    if not update and not record.addresses:
        raise BadRecord("email: is required")
    return record


def check_size(record: AccountRecord) -> None:
    """Measured as it is stored, so that what was imported can be exported and imported again.

    :raises BadRecord: its columns are larger than :data:`LARGEST_RECORD`
    """
    stored = json.dumps(columns(record), ensure_ascii=False, separators=(",", ":"), default=str)
    if len(stored.encode()) > LARGEST_RECORD:
        raise BadRecord("is larger than 1 MiB")


def _all_errors(error: ValidationError) -> str:
    return "; ".join(
        dict.fromkeys(_one_error(problem) for problem in error.errors(include_url=False, include_input=False))
    )


def _one_error(problem: Any) -> str:
    where = _printable(".".join(str(part) for part in problem["loc"]))
    match problem["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key"
        case "missing":
            return f"{where}: is required"
    text = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else text


def _printable(name: str) -> str:
    """A key of the record as part of a message: short and printable, whatever it is."""
    return name if _PLAIN_NAME.fullmatch(name) else f"{name!a:.60}"
