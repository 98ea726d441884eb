"""What the accounts API of addons-server says of itself at ``/docs/amo``."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from accountsapp.apis.amo import link_views, views
from accountsapp.apis.amo.schemas import NewAccount, ProfileChange, Unsubscription
from accountsapp.documents.document import (
    EMPTY,
    HTML,
    PAGE,
    Answer,
    Document,
    Operation,
    Parameter,
    Refusals,
    Shown,
    bad_bodies,
    busy,
    shown,
    unauthenticated,
)
from accountsapp.web.bodies import FORM, JSON

ACCOUNTS, YOURS, MAILS, PROGRAMS = "Accounts", "Your session and profile", "Mails", "For programs"


class PublicAccount(Shown):
    """What everybody sees of who publishes add-ons."""

    average_addon_rating: float | None
    biography: str | None
    created: str
    has_anonymous_display_name: bool
    has_anonymous_username: bool
    homepage: str | None
    id: int
    is_addon_developer: bool
    is_artist: bool
    location: str | None
    name: str
    num_addons_listed: int
    occupation: str | None
    picture_type: Literal["image/png"] | None
    picture_url: str | None
    username: str


class SiteStatus(Shown):
    read_only: bool
    notice: str | None


class OwnAccount(PublicAccount):
    """What its owner and editors see."""

    deleted: Literal[False]
    display_name: str | None
    email: str
    fxa_edit_email_url: str
    last_login: str | None
    last_login_ip: str
    is_verified: bool
    permissions: list[str]
    read_dev_agreement: bool
    site_status: SiteStatus


class Notification(Shown):
    name: str
    enabled: bool
    mandatory: bool = Field(description="Cannot be switched off")


class SessionCookie(Shown):
    name: str
    value: str
    encoded: str


class Created(Shown):
    """A new account with a session of it."""

    user_id: int
    username: str
    display_name: str | None
    email: str
    fxa_id: str | None
    groups: list[list[int | str]]
    session_cookie: SessionCookie


class Ended(Shown):
    ok: Literal[True]


class Refusal(Shown):
    detail: str


class BadCredential(Refusal):
    code: str


Problems = dict[str, list[str]] | Refusal
"""By field, what is wrong with it."""


class BadAccount(Shown):
    errors: dict[str, list[str]]


class Choices(BaseModel):
    """Notifications by name, on or off."""

    model_config = ConfigDict(extra="allow")

    new_review: bool | None = None


class Next(BaseModel):
    to: str | None = Field(None, description="A path of this site to come back to")


ADMIN = {
    "average_addon_rating": None,
    "biography": None,
    "created": "2026-01-15T10:00:00Z",
    "has_anonymous_display_name": True,
    "has_anonymous_username": False,
    "homepage": None,
    "id": 1,
    "is_addon_developer": False,
    "is_artist": False,
    "location": None,
    "name": "Firefox user 1",
    "num_addons_listed": 0,
    "occupation": None,
    "picture_type": None,
    "picture_url": None,
    "username": "admin",
    "deleted": False,
    "display_name": None,
    "email": "admin@example.com",
    "fxa_edit_email_url": "http://accounts.example.org/account/admin/update",
    "last_login": "2026-01-15T10:00:00Z",
    "last_login_ip": "127.0.0.1",
    "is_verified": True,
    "permissions": ["*:*"],
    "read_dev_agreement": False,
    "site_status": {"read_only": False, "notice": None},
}
MANDATORY = ("upgrade_fail", "sdk_upgrade_fail", "reviewer_reviewed", "individual_contact")
OPTIONAL = ("reply", "new_features", "upgrade_success", "sdk_upgrade_success", "new_review", "announcements")


def _notifications(**switched: bool) -> list[dict[str, Any]]:
    optional = [{"name": name, "enabled": switched.get(name, True), "mandatory": False} for name in OPTIONAL]
    return [*optional, *({"name": name, "enabled": True, "mandatory": True} for name in MANDATORY)]


BAD_VALUES = {400: Answer("The request cannot be read, or values are refused: by field.", Problems)}
BAD_PROOF = {403: Answer("Token or hash are not good.", Refusal)}
BODIES = (JSON, FORM)

CREATED = {
    "user_id": 3,
    "username": "tester",
    "display_name": "Super Created e71398c9",
    "email": "tester@example.com",
    "fxa_id": None,
    "groups": [],
    "session_cookie": {
        "name": "sessionid",
        "value": "aYs8sFlJVjIyarfnt7EPuTwGNiY9oB5ePNBqOzLRoVA",
        "encoded": "sessionid=aYs8sFlJVjIyarfnt7EPuTwGNiY9oB5ePNBqOzLRoVA",
    },
}

DOCUMENT = Document(
    title="addons-server (AMO)",
    description="""
Accounts as add-on stores have them. Who publishes add-ons is seen by everybody; all else by its owner and by
editors (`Users:Edit`), to whom accounts of others answer as to their owners.

A credential is the value of a session's cookie (`Authorization: Session …`), or a token that is signed with a
key of the account (`Authorization: JWT …`, `accountsapp keys issue`).
""",
    operations={
        views.read_account: Operation(
            ACCOUNTS, "Read an account", shown(OwnAccount | PublicAccount, ADMIN), open_to_all=True
        ),
        views.update_account: Operation(
            ACCOUNTS,
            "Change an account",
            shown(OwnAccount, {**ADMIN, "biography": "Writes programs.", "location": "London"}),
            "`null` clears. A picture (`picture_upload`: PNG or JPEG, at most 4 MiB) needs a multipart form.",
            refusals=BAD_VALUES,
            body=ProfileChange,
            example={"biography": "Writes programs.", "location": "London"},
        ),
        views.delete_account: Operation(ACCOUNTS, "Delete an account", EMPTY),
        views.remove_picture: Operation(ACCOUNTS, "Remove an account's picture", shown(OwnAccount, ADMIN)),
        views.list_notifications: Operation(
            MAILS, "List what an account is mailed about", shown(list[Notification], _notifications())
        ),
        views.choose_notifications: Operation(
            MAILS,
            "Choose what an account is mailed about",
            shown(list[Notification], _notifications(new_review=False)),
            refusals=BAD_VALUES,
            body=Choices,
            media_types=BODIES,
            example={"new_review": False},
        ),
        views.unsubscribe: Operation(
            MAILS,
            "Switch a kind of mail off, with what a mail says",
            shown(Notification, {"name": "new_review", "enabled": False, "mandatory": False}),
            refusals={**BAD_VALUES, **BAD_PROOF},
            body=Unsubscription,
            media_types=BODIES,
            example={"token": "YWRtaW4", "hash": "0" * 64, "notification": "new_review"},
        ),
        link_views.show_unsubscribing: Operation(
            MAILS,
            "The page behind the link of a mail",
            PAGE,
            refusals={403: Answer("Token or hash are not good.", str, media_type=HTML)},
        ),
        link_views.unsubscribe: Operation(
            MAILS,
            "Switch a kind of mail off, as mail programs do (RFC 8058)",
            PAGE,
            refusals={403: Answer("Token or hash are not good.", str, media_type=HTML)},
        ),
        views.read_profile: Operation(YOURS, "Read your own account", shown(OwnAccount, ADMIN)),
        views.end_session: Operation(YOURS, "Sign out", shown(Ended, {"ok": True})),
        views.start_login: Operation(
            YOURS,
            "Go to where people sign in",
            {302: Answer("To the sign-in page.", headers={"Location": "Its URL"})},
            query=Next,
            example={"to": "/account/admin/update"},
            open_to_all=True,
        ),
        views.super_create: Operation(
            PROGRAMS,
            "Make an account with a session",
            shown(Created, CREATED, 201),
            "For accounts with `Accounts:SuperCreate`; every field may be left out.",
            refusals={422: Answer("Values are refused: by field.", BadAccount)},
            body=NewAccount,
            media_types=BODIES,
            example={"username": "tester", "email": "tester@example.com"},
        ),
    },
    refusals=Refusals(
        everywhere={
            400: Answer("The request cannot be read.", Refusal),
            **busy(Refusal),
        },
        of_credentials={
            401: unauthenticated(
                BadCredential,
                {
                    "detail": "Authentication credentials were not provided.",
                    "code": "ERROR_AUTHENTICATION_REQUIRED",
                },
            ),
            403: Answer("It is not enough.", Refusal),
        },
        of_bodies=bad_bodies(Refusal),
        of_names={404: Answer("There is nothing of that name that you may see.", Refusal)},
    ),
    names={
        "account": Parameter("An id in digits, or a username", "admin"),
        "token": Parameter("As the mail has it", "YWRtaW4"),
        "hash": Parameter("As the mail has it", "0" * 64),
        "notification": Parameter("The kind of mail", "new_review"),
    },
    schemes={
        "jwt": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`JWT` and a token (HS256) that lives for at most five minutes.",
        }
    },
)
