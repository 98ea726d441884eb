"""``accountsapp.openedx.…``."""

import re
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from accountsapp import setting_values
from accountsapp.apis.openedx.fields import FIELDS
from accountsapp.domain.clock import now
from accountsapp.domain.rules.privacy import requires_parental_consent

_SIZE = re.compile(r"([a-z][a-z0-9_]{0,29}):([1-9][0-9]{0,3})", re.ASCII)
_DOMAIN = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII)
LARGEST_SIDE = 2000
"""Pixels."""


class Size(NamedTuple):
    """Of the square of a picture, in pixels."""

    name: str
    side: int


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in FIELDS]
    if unknown:
        raise ValueError(f"{unknown[0]!a} is no field; there are: {' '.join(FIELDS)}")
    return names


def _sizes(value: object) -> object:
    if not isinstance(value, str):
        return value
    sizes = []
    for word in value.split():
        match = _SIZE.fullmatch(word)
        if match is None or int(match[2]) > LARGEST_SIDE:
            raise ValueError(f"must be names and pixels such as full:500, of at most {LARGEST_SIDE}")
        sizes.append(Size(match[1], int(match[2])))
    if not sizes or len({size.name for size in sizes}) < len(sizes):
        raise ValueError("must name sizes such as full:500, each once")
    return tuple(sizes)


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


def _domain(value: str) -> str:
    if value and not _DOMAIN.fullmatch(value.lower()):
        raise ValueError("must be a domain such as example.org")
    return value.lower()


Fields = Annotated[tuple[str, ...], BeforeValidator(setting_values.words), AfterValidator(_known)]


class Settings(BaseModel):
    """The settings of the Open edX API; their names here are those of the ini file after the prefix."""

    model_config = ConfigDict(
        frozen=True, hide_input_in_errors=True, alias_generator=lambda name: f"accountsapp.openedx.{name}"
    )

    default_visibility: Literal["all_users", "private"] = "all_users"
    public_fields: Fields = ("username", "profile_image", "account_privacy")
    shareable_fields: Fields = (
        "bio",
        "country",
        "date_joined",
        "language_proficiencies",
        "level_of_education",
        "social_links",
        "accomplishments_shared",
    )
    custom_shareable_fields: Fields = ("name",)
    parental_consent_age_limit: Annotated[
        Annotated[int, Field(ge=0, le=120)] | None, BeforeValidator(_empty_is_none)
    ] = 13
    profile_image_sizes: Annotated[tuple[Size, ...], BeforeValidator(_sizes)] = (
        Size("full", 500),
        Size("large", 120),
        Size("medium", 50),
        Size("small", 30),
    )
    profile_image_min_bytes: int = Field(100, ge=0)
    profile_image_max_bytes: int = Field(1048576, ge=1, le=50_000_000)
    bio_max_length: int = Field(300, ge=0, le=1_000_000)
    max_usernames: int = Field(100, ge=1, le=10_000)
    badges: bool = False
    jwt_expires_in: int = Field(3600, ge=1, le=31_536_000)
    cookie_domain: Annotated[str, AfterValidator(_domain)] = ""

    def needs_consent(self, year_of_birth: int | None) -> bool:
        """Whether somebody else must have consented to what is shared of a person."""
        return requires_parental_consent(year_of_birth, self.parental_consent_age_limit, now().year)

    @model_validator(mode="after")
    def _some_upload_is_taken(self) -> Self:
        if self.profile_image_min_bytes > self.profile_image_max_bytes:
            raise ValueError(
                "accountsapp.openedx.profile_image_min_bytes: must not be above profile_image_max_bytes"
            )
        return self
