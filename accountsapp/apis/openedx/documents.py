"""What the Open edX user API says of itself at ``/docs/openedx``."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from accountsapp.apis.openedx import image_views, preference_views, session_views, views
from accountsapp.apis.openedx.answer_models import (
    Account,
    Caller,
    Csrf,
    Detail,
    FieldErrors,
    Form,
    Messages,
    NotSignedIn,
    ProtocolError,
    Refreshed,
    SignedIn,
    Success,
    TimeZone,
    Tokens,
)
from accountsapp.apis.openedx.resources import MERGE_PATCH
from accountsapp.apis.openedx.schemas import AccountChange
from accountsapp.documents.document import (
    EMPTY,
    RETRY,
    Answer,
    Document,
    Operation,
    Parameter,
    Refusals,
    bad_bodies,
    busy,
    shown,
    unauthenticated,
)
from accountsapp.web.bodies import FORM, MULTIPART

ACCOUNTS, PREFERENCES, PICTURES = "Accounts", "Preferences", "Pictures"
TOKENS, OFFERS, ABSENT = "Sessions and tokens", "What forms offer", "Not offered"


class ViewQuery(BaseModel):
    view: Literal["shared"] | None = Field(None, description="No more than others see")


class ListQuery(ViewQuery):
    username: str | None = Field(None, description="Several, with commas between them")
    email: str | None = Field(None, description="Staff finds an account by its address")


class CountryQuery(BaseModel):
    country_code: str | None = None


class Credentials(BaseModel):
    email_or_username: str
    password: str
    next: str | None = None


class Password(BaseModel):
    password: str


class Address(BaseModel):
    email: str


class Language(BaseModel):
    language: str


class TokenRequest(BaseModel):
    grant_type: Literal["client_credentials", "authorization_code", "refresh_token"]
    client_id: str | None = None
    client_secret: str | None = None
    token_type: Literal["bearer", "jwt"] | None = None
    scope: str | None = None


class Preferences(BaseModel):
    """Any of the preferences; `null` removes one."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    time_zone: str | None = None
    account_privacy: Literal["all_users", "private", "custom"] | None = None
    language: str | None = Field(None, alias="pref-lang")


class Upload(BaseModel):
    file: str = Field(json_schema_extra={"format": "binary"})


ADMIN: dict[str, Any] = {
    "username": "admin",
    "name": "Ada Min",
    "email": "admin@example.com",
    "bio": None,
    "goals": None,
    "mailing_address": None,
    "language": None,
    "gender": None,
    "level_of_education": None,
    "country": None,
    "year_of_birth": 1990,
    "language_proficiencies": [],
    "account_privacy": "all_users",
    "date_joined": "2026-01-15T10:00:00Z",
    "is_active": True,
    "profile_image": {
        "has_image": False,
        "image_url_full": "http://accounts.example.org/uploads/default/500.png",
        "image_url_large": "http://accounts.example.org/uploads/default/120.png",
        "image_url_medium": "http://accounts.example.org/uploads/default/50.png",
        "image_url_small": "http://accounts.example.org/uploads/default/30.png",
    },
    "requires_parental_consent": False,
    "accomplishments_shared": False,
    "social_links": [],
}
BAD_VALUES = {
    400: Answer("The request cannot be read, or values are refused: by field.", FieldErrors | Messages)
}
BAD_UPLOAD = {400: Answer("The upload is no picture that can be had.", Messages)}
FORMS = (FORM,)

DOCUMENT = Document(
    title="Open edX",
    description="""
The user API of Open edX. Everybody who is signed in reads what an account shares; its owner and staff read
all; its owner changes it.

A session's cookie counts, with the token of `/csrf/api/v1/token` in `X-CSRFToken` where something is changed;
so do access tokens.
""",
    operations={
        views.list_accounts: Operation(
            ACCOUNTS,
            "Read several accounts",
            shown(list[Account], [ADMIN]),
            refusals={404: Answer("There are no such accounts.", Detail)},
            query=ListQuery,
            example={"username": "admin"},
        ),
        views.read_account: Operation(
            ACCOUNTS,
            "Read an account",
            shown(Account, ADMIN),
            query=ViewQuery,
        ),
        views.change_account: Operation(
            ACCOUNTS,
            "Change your account",
            shown(Account, {**ADMIN, "bio": "Writes programs.", "country": "GB"}),
            "As RFC 7396 has it. A new address is in force when its owner has confirmed it.",
            refusals=BAD_VALUES,
            body=AccountChange,
            media_types=(MERGE_PATCH,),
            example={"bio": "Writes programs.", "country": "GB"},
        ),
        views.read_me: Operation(ACCOUNTS, "Who am I?", shown(Caller, {"username": "admin"})),
        session_views.delete_own_account: Operation(
            ACCOUNTS,
            "Delete your account",
            EMPTY,
            refusals={400: Answer("The password is missing.", Messages), 403: Answer("It is wrong.", Detail)},
            body=Password,
            media_types=FORMS,
            example={"password": "correct horse battery"},
        ),
        image_views.replace_image: Operation(
            PICTURES,
            "Replace your picture",
            EMPTY,
            "A JPEG, PNG or GIF; as a form, or as the body with its name in `Content-Disposition`.",
            refusals=BAD_UPLOAD,
            body=Upload,
            media_types=(MULTIPART,),
        ),
        image_views.remove_image: Operation(PICTURES, "Remove a picture", EMPTY),
        preference_views.read_preferences: Operation(
            PREFERENCES, "Read preferences", shown(dict[str, str], {})
        ),
        preference_views.change_preferences: Operation(
            PREFERENCES,
            "Change preferences",
            EMPTY,
            refusals=BAD_VALUES,
            body=Preferences,
            media_types=(MERGE_PATCH,),
            example={"time_zone": "Europe/London"},
        ),
        preference_views.list_providers: Operation(
            PREFERENCES, "List accounts elsewhere that one signs in by", shown(list[Any], [])
        ),
        preference_views.set_language: Operation(
            PREFERENCES,
            "Choose the language of the pages",
            EMPTY,
            refusals={400: Answer("There is no such language.", Messages)},
            body=Language,
            media_types=FORMS,
            example={"language": "fr"},
        ),
        session_views.csrf_token: Operation(
            TOKENS,
            "The token that changes with a cookie need",
            shown(Csrf, {"csrfToken": "ZgebZ7b4GJnYPpTg3wrc4VybDS0vXh7zh8NivYK87CM"}),
        ),
        session_views.sign_in: Operation(
            TOKENS,
            "Sign in",
            shown(SignedIn, {"success": True, "redirect_url": None}),
            refusals={400: Answer("Name or password are wrong.", NotSignedIn | Messages)},
            body=Credentials,
            media_types=FORMS,
            example={"email_or_username": "admin", "password": "correct horse battery"},
        ),
        session_views.refresh: Operation(
            TOKENS,
            "The cookies that go with the session, anew",
            shown(Refreshed, {"success": True, "response_epoch_seconds": 1768471200}),
        ),
        session_views.access_token: Operation(
            TOKENS,
            "Tokens for a client",
            shown(
                Tokens,
                {
                    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.B1mO9fW8hUuq",
                    "expires_in": 3600,
                    "token_type": "JWT",
                    "scope": "profile_read profile_write email_read email_write",
                },
            ),
            refusals={
                400: Answer("The request is not one.", ProtocolError),
                401: Answer(
                    "The client did not prove itself.", ProtocolError, headers={"WWW-Authenticate": "Basic"}
                ),
            },
            body=TokenRequest,
            media_types=FORMS,
            example={
                "grant_type": "client_credentials",
                "client_id": "the-client",
                "client_secret": "the-secret",
                "token_type": "jwt",
            },
        ),
        session_views.ask_recovery: Operation(
            TOKENS,
            "Forgotten password: have a link mailed",
            shown(Success, {"success": True}),
            "The answer is the same for every address.",
            refusals={403: Answer("Too often.", Detail, headers=RETRY)},
            body=Address,
            media_types=FORMS,
            example={"email": "admin@example.com"},
        ),
        preference_views.list_time_zones: Operation(
            OFFERS,
            "Time zones, of a country",
            shown(
                list[TimeZone],
                [{"time_zone": "Europe/Malta", "description": "Europe/Malta (CET, UTC+0100)"}],
            ),
            query=CountryQuery,
            example={"country_code": "MT"},
        ),
        preference_views.describe_registration: Operation(OFFERS, "Countries", shown(Form, None)),
        session_views.not_offered: Operation(
            ABSENT,
            "A part of Open edX that is not here",
            {404: Answer("There is nothing.", Detail, {"detail": "Not found."})},
        ),
    },
    refusals=Refusals(
        everywhere={
            400: Answer("The request cannot be read.", Messages),
            **busy(Detail),
        },
        of_credentials={
            401: unauthenticated(Detail, {"detail": "Authentication is required."}, "Bearer"),
            403: Answer("It is not enough, or the CSRF token is missing.", Detail),
        },
        of_bodies=bad_bodies(Detail),
        of_names={404: Answer("There is nothing of that name that you may see.", Detail)},
    ),
    names={"username": Parameter("The name of an account, in any case", "admin")},
    schemes={
        "signed token": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`JWT` and a signed access token.",
        }
    },
)
