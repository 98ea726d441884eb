"""What the calls that change an account take: each field by its own rule, all bad ones are told at once."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, WithJsonSchema
from pyramid.httpexceptions import HTTPBadRequest

from accountsapp.apis.openedx.fields import (
    GENDERS,
    LEVELS_OF_EDUCATION,
    VISIBILITY,
    WITH_VISIBILITY,
    years_of_birth,
)
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.rules import countries, languages, social_links, time_zones
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.rules.names import LONGEST_NAME
from accountsapp.domain.rules.privacy import Privacy
from accountsapp.domain.rules.text import has_control_characters, is_storable
from accountsapp.domain.unset import UNSET
from accountsapp.web.fields import LONGEST_TEXT, Email, InvalidFields, by_rule, invalid, load
from accountsapp.web.request import Request

LONGEST_YEAR = 4
"""Digits."""

COLUMNS = {
    "name": "name",
    "bio": "biography",
    "goals": "goals",
    "mailing_address": "mailing_address",
    "language": "language",
    "gender": "gender",
    "level_of_education": "level_of_education",
    "country": "country",
    "year_of_birth": "year_of_birth",
    "language_proficiencies": "language_proficiencies",
    "account_privacy": "account_privacy",
}
"""Field to column of the account."""


def text(value: object) -> str:
    if not isinstance(value, str):
        raise invalid("This must be a text.")
    if not is_storable(value):
        raise invalid("This has characters that cannot be kept.")
    return value


def _text_or_null(value: object) -> str | None:
    return None if value is None else text(value)


def _name(value: object) -> str:
    name = text(value)
    if not name.strip():
        raise invalid("Please enter a name.")
    if len(name) > LONGEST_NAME:
        raise invalid(f"A name has at most {LONGEST_NAME} characters.")
    if has_control_characters(name):
        raise invalid("A name has no control characters.")
    return name


def _bio(value: object, info: ValidationInfo) -> str | None:
    settings: Settings = (info.context or {})["settings"]
    bio = _text_or_null(value)
    if bio is not None and len(bio) > settings.bio_max_length:
        raise invalid(f"This may have at most {settings.bio_max_length} characters.")
    return bio or None


def _language(value: object) -> str | None:
    language = _text_or_null(value)
    if language is not None and len(language) > LONGEST_TEXT:
        raise invalid(f"This may have at most {LONGEST_TEXT} characters.")
    return language


def _one_of(choices: Callable[[], Any]) -> Callable[[object], str | None]:
    """A validator of a text that is one of a set; the empty one counts as null."""

    def validate(value: object) -> str | None:
        chosen = _text_or_null(value) or None
        if chosen is not None and chosen not in choices():
            raise invalid("This is none of the values that can be chosen.")
        return chosen

    return validate


def _year_of_birth(value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= LONGEST_YEAR:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid("This must be a year.")
    years = years_of_birth()
    if value not in years:
        raise invalid(f"This must be a year from {years[0]} to {years[-1]}.")
    return value


def _language_proficiencies(value: object) -> list[dict[str, str]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise invalid("This must be a list of objects with a code.")
    codes = [item.get("code") for item in value]
    if not all(isinstance(code, str) and code in languages.codes() for code in codes):
        raise invalid("A code is none of a language.")
    if len(set(codes)) < len(codes):
        raise invalid("A code is given twice.")
    return [{"code": code} for code in codes]


def _privacy(value: object) -> str | None:
    if value is not None and value not in (Privacy.ALL_USERS.value, Privacy.PRIVATE.value):
        raise invalid("This must be all_users or private.")
    return value


def _social_links(value: object) -> dict[str, str | None] | None:
    """URL, or None for no more, by network; None for none at all."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise invalid("This must be a list of objects with platform and social_link.")
    links: dict[str, str | None] = {}
    for item in value:
        network = _network_of(item.get("platform"))
        link = _text_or_null(item["social_link"]) if "social_link" in item else text(None)
        if network in links:
            raise invalid("A platform is given twice.")
        links[network] = _parse_link((network, link)) if link else None
    return links


_network_of = by_rule(social_links.network_of)
_parse_link = by_rule(lambda pair: social_links.parse(*pair))


def _new_address(value: str, info: ValidationInfo) -> str:
    if key_of(value) == key_of((info.context or {})["email"]):
        raise invalid("This is your e-mail address already.")
    return value


def _read_only(value: object) -> None:
    raise invalid("This field cannot be changed.")


ReadOnly = Annotated[None, BeforeValidator(_read_only), WithJsonSchema({"readOnly": True})]


class AccountChange(BaseModel):
    """What ``PATCH`` of an account takes.

    Loaded with ``settings`` of the API and ``email``, the present address.
    """

    model_config = ConfigDict(extra="ignore")

    username: ReadOnly = None
    date_joined: ReadOnly = None
    is_active: ReadOnly = None
    profile_image: ReadOnly = None
    requires_parental_consent: ReadOnly = None
    accomplishments_shared: ReadOnly = None
    name: Annotated[str, BeforeValidator(_name)] = ""
    email: Annotated[Email, AfterValidator(_new_address)] = ""
    bio: Annotated[str | None, BeforeValidator(_bio)] = None
    goals: Annotated[str | None, BeforeValidator(_text_or_null)] = None
    mailing_address: Annotated[str | None, BeforeValidator(_text_or_null)] = None
    language: Annotated[str | None, BeforeValidator(_language)] = None
    gender: Annotated[str | None, BeforeValidator(_one_of(lambda: GENDERS))] = None
    level_of_education: Annotated[str | None, BeforeValidator(_one_of(lambda: LEVELS_OF_EDUCATION))] = None
    country: Annotated[str | None, BeforeValidator(_one_of(countries.codes))] = None
    year_of_birth: Annotated[int | None, BeforeValidator(_year_of_birth)] = None
    language_proficiencies: Annotated[list[dict[str, str]], BeforeValidator(_language_proficiencies)] = []
    account_privacy: Annotated[str | None, BeforeValidator(_privacy)] = None
    social_links: Annotated[
        dict[str, str | None] | None,
        BeforeValidator(_social_links, list[dict[str, str | None]] | None),
    ] = None

    def columns(self) -> dict[str, Any]:
        """What was given, by column of the account."""
        return {COLUMNS[field]: getattr(self, field) for field in self.model_fields_set if field in COLUMNS}

    def further(self, settings: Settings) -> dict[str, Any]:
        """What was given besides, as :func:`accountsapp.domain.accounts.profile.change` has it: who needs
        consent after it has no picture any more.
        """
        fields = self.model_fields_set
        loses_picture = "year_of_birth" in fields and settings.needs_consent(self.year_of_birth)
        return {
            "social_links": self.social_links if "social_links" in fields else UNSET,
            "email": self.email if "email" in fields else UNSET,
            "email_again": True,
            "picture": None if loses_picture else UNSET,
        }


def load_account_change(request: Request, account: AccountRow) -> AccountChange:
    """The body of the request.

    :param account: as it is
    :raises InvalidFields: values are not acceptable
    """
    settings = request.app_settings.section(Settings)
    return load(AccountChange, dict(request.parameters.body), settings=settings, email=account.email)


def load_preferences(request: Request) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """The body of a request that changes preferences.

    :returns: what is a column of the account, and the others, by name
    :raises InvalidFields: values are not acceptable, or a name is none of a preference
    :raises HTTPBadRequest: nothing is to be changed
    """
    values = dict(request.parameters.body)
    if not values:
        raise HTTPBadRequest("There is no preference in the body.")
    texts = {name: [text] for name, value in values.items() if (text := _problem_of(name, value))}
    if texts:
        raise InvalidFields(texts)
    columns = {PREFERRED_COLUMNS[name]: value for name, value in values.items() if name in PREFERRED_COLUMNS}
    return columns, {name: value for name, value in values.items() if name not in PREFERRED_COLUMNS}


def _problem_of(name: str, value: object) -> str | None:
    is_allowed = PREFERENCES.get(name)
    if is_allowed is None:
        return "There is no such preference."
    if value is None:
        return None
    if not isinstance(value, str) or not value or not is_storable(value):
        return "This must be a text."
    return None if is_allowed(value) else "This is none of the values that can be chosen."


VISIBILITIES = frozenset({Privacy.ALL_USERS.value, Privacy.PRIVATE.value})
PREFERRED_COLUMNS = {"account_privacy": "account_privacy", "pref-lang": "language"}
"""Preferences that are columns of the account."""


class PreferredColumns(NamedTuple):
    """What an account prefers."""

    account_privacy: str | None
    language: str | None
    preferences_text: str | None


PREFERENCES: dict[str, Callable[[str], bool]] = {
    "account_privacy": lambda value: value in frozenset(Privacy),
    "time_zone": lambda value: value in time_zones.names(),
    "pref-lang": lambda value: len(value) <= LONGEST_TEXT,
    **{VISIBILITY + field: VISIBILITIES.__contains__ for field in WITH_VISIBILITY},
}
"""What the value of each preference may be."""
