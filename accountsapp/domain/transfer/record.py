"""The account record (``docs/operate.rst``): one JSON object, checked as a whole."""

import re
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from accountsapp.domain import foreign_hashes
from accountsapp.domain.bcrypt_hashes import BEGINNINGS, is_bcrypt_hash
from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules import app_permissions, emails, social_links, usernames
from accountsapp.domain.rules.api_keys import check_given, hash_of
from accountsapp.domain.rules.notifications import MANDATORY
from accountsapp.domain.transfer.fields import (
    BadRecord,
    Flag,
    Moment,
    Strict,
    all_errors,
    check_texts,
    checked,
    printable,
)
from accountsapp.domain.transfer.key_records import KeyRecord, check_together

MOST_INVITES = 2**31 - 1
MOST_ADDRESSES = 1000
"""Of one account."""
LONGEST_PREFERENCE = 255
_PREFERENCE = re.compile(r"[a-z][a-z_.-]{0,99}", re.ASCII)


DJANGO_BCRYPT = "bcrypt$"
"""Before what is a bcrypt hash as others write it."""


def _password_hash(value: str) -> str:
    value = value.removeprefix(DJANGO_BCRYPT)
    if is_bcrypt_hash(value):
        return value
    if value.startswith(BEGINNINGS):
        raise ValueError("must be a bcrypt hash ($2a$, $2b$ or $2y$) that a password can fit")
    foreign_hashes.check(value)
    return value


def _notifications(value: dict[str, bool]) -> dict[str, bool]:
    for name, enabled in value.items():
        if name not in MANDATORY:
            raise ValueError(f"{printable(name)}: no such kind")
        if MANDATORY[name] and not enabled:
            raise ValueError(f"{name} is mandatory")
    return value


Email = Annotated[str, checked(emails.parse)]


def _preferences(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if not _PREFERENCE.fullmatch(name):
            raise ValueError(f"{printable(name)}: is no name of one")
        if not text or len(text) > LONGEST_PREFERENCE:
            raise ValueError(f"{name}: must have 1 to {LONGEST_PREFERENCE} characters")
    return value


def _social_links(value: dict[str, str]) -> dict[str, str]:
    """By the names that networks have here."""
    links = {}
    for name, link in value.items():
        try:
            network = social_links.network_of(name)
            links[network] = social_links.parse(network, link)
        except InvalidValue as error:
            raise ValueError(f"{printable(name)}: {error}") from None
    if len(links) < len(value):
        raise ValueError("a network is given twice")
    return links


class EmailRecord(Strict):
    """One of an account's addresses."""

    email: Email
    verified: Flag = False
    primary: Flag = False


class LanguageProficiency(Strict):
    """A language that somebody speaks."""

    code: str


class AccountRecord(Strict):
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

    username: Annotated[str, checked(usernames.check_imported)]
    email: Email | None = Field(None)
    emails: Annotated[list[EmailRecord], Field(min_length=1, max_length=MOST_ADDRESSES)] | None = None
    password: str | None = Field(None, repr=False)
    password_hash: Annotated[str, AfterValidator(_password_hash)] | None = Field(None, repr=False)
    api_key: Annotated[str, checked(check_given)] | None = Field(None, repr=False)
    api_keys: Annotated[list[KeyRecord], AfterValidator(check_together)] = Field(
        default_factory=list, repr=False
    )
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
    language_proficiencies: list[LanguageProficiency] = Field(default_factory=list)
    year_of_birth: Annotated[int, Field(ge=1000, le=9999)] | None = None
    account_privacy: Literal["all_users", "private"] | None = None
    privacy_mode: Flag = True
    subscribed: Flag = False
    activated: Flag = True
    is_admin: Flag = False
    is_staff: Flag = False
    read_dev_agreement: Flag = False
    permissions: list[Annotated[str, checked(app_permissions.check)]] = Field(default_factory=list)
    signup: Moment | None = None
    last_login: Moment | None = None
    last_login_ip: str | None = None
    invited_by: str | None = None
    invite_ct: Annotated[int, Field(ge=0, le=MOST_INVITES)] = 0
    notifications: Annotated[dict[str, Flag], AfterValidator(_notifications)] = Field(default_factory=dict)
    info: dict[str, Any] = Field(default_factory=dict)
    ckan_api: str | None = Field(None, repr=False)
    preferences: Annotated[dict[str, str], AfterValidator(_preferences)] = Field(default_factory=dict)
    social_links: Annotated[dict[str, str], AfterValidator(_social_links)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.email is not None and self.emails is not None:
            raise ValueError("email: not together with emails")
        if self.password is not None and self.password_hash is not None:
            raise ValueError("password: not together with password_hash")
        if self.api_keys and self.api_key is not None and self._has_named(self.api_key):
            raise ValueError("api_keys: the key of api_key is among them")
        if self.emails is not None:
            if sum(address.primary for address in self.emails) != 1:
                raise ValueError("emails: exactly one must be primary")
            if len({emails.key_of(address.email) for address in self.emails}) < len(self.emails):
                raise ValueError("emails: an address is given twice")
        return self

    def _has_named(self, api_key: str) -> bool:
        return hash_of(api_key) in {key.key_hash for key in self.api_keys}

    @cached_property
    def addresses(self) -> list[EmailRecord]:
        """The addresses that were given; ``email`` alone is a verified primary one."""
        if self.email is not None:
            return [EmailRecord.model_construct(email=self.email, verified=True, primary=True)]
        return self.emails or []


NO_COLUMNS = frozenset(
    {
        "email",
        "emails",
        "password",
        "password_hash",
        "api_key",
        "api_keys",
        "activated",
        "preferences",
        "social_links",
    }
)
COLUMNS = tuple(key for key in AccountRecord.model_fields if key not in NO_COLUMNS)
"""Keys of the record that are columns of the account, value for value."""


def columns(record: AccountRecord) -> dict[str, Any]:
    """The values of :data:`COLUMNS`, as they are stored."""
    fields = record.__dict__
    values = {key: fields[key] for key in COLUMNS}
    values["language_proficiencies"] = [{"code": item.code} for item in record.language_proficiencies]
    return values


def parse(value: dict[str, Any], *, update: bool = False) -> AccountRecord:
    """The record that a JSON object is.

    :param update: the account may exist already, so that no address need be given
    :raises BadRecord: names every key at fault
    """
    check_texts(value)
    try:
        record = AccountRecord.model_validate(value)
    except ValidationError as error:
        raise BadRecord(all_errors(error)) from None
    if not update and not record.addresses:
        raise BadRecord("email: is required")
    return record
