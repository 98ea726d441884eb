"""The members of the Open edX API's answers, for its document."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from accountsapp.apis.openedx.fields import GENDERS, LEVELS_OF_EDUCATION
from accountsapp.documents.document import Shown


class Image(BaseModel):
    """With an `image_url_…` for each size."""

    model_config = ConfigDict(extra="allow")

    has_image: bool


class Proficiency(Shown):
    code: str


class SocialLink(Shown):
    platform: str
    social_link: str


class Account(BaseModel):
    """All of it to its owner and staff; others see what it shares."""

    model_config = ConfigDict(extra="forbid")

    username: str
    name: str | None = Field(None)
    email: str | None = None
    bio: str | None = None
    goals: str | None = None
    mailing_address: str | None = None
    language: str | None = None
    gender: str | None = Field(None, json_schema_extra={"examples": [*GENDERS]})
    level_of_education: str | None = Field(None, json_schema_extra={"examples": [*LEVELS_OF_EDUCATION]})
    country: str | None = None
    year_of_birth: int | None = None
    language_proficiencies: list[Proficiency] = []
    account_privacy: Literal["all_users", "private", "custom"] | None = None
    date_joined: str | None = None
    is_active: bool | None = None
    profile_image: Image | None = None
    requires_parental_consent: bool | None = None
    accomplishments_shared: bool | None = None
    social_links: list[SocialLink] = []


class Caller(Shown):
    username: str


class Detail(Shown):
    detail: str
    error_code: str | None = Field(None, description="Of a token that is not good")


class Messages(Shown):
    developer_message: str
    user_message: str


class FieldErrors(Shown):
    field_errors: dict[str, Messages]


class Csrf(Shown):
    csrfToken: str  # noqa: N815 as clients read it


class SignedIn(Shown):
    success: Literal[True]
    redirect_url: str | None


class NotSignedIn(Shown):
    success: Literal[False]
    error_code: str
    value: str


class Refreshed(Shown):
    success: Literal[True]
    response_epoch_seconds: int


class Success(Shown):
    success: Literal[True]


class Tokens(Shown):
    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | None = None
    username: str | None = None
    user_id: int | None = None


class ProtocolError(Shown):
    """RFC 6749 5.2."""

    error: str
    error_description: str | None = None


class TimeZone(Shown):
    time_zone: str
    description: str


class Choice(Shown):
    value: str
    name: str


class FormField(Shown):
    name: str
    options: list[Choice]


class Form(Shown):
    fields: list[FormField]
