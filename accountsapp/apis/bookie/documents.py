"""What the Bookie API says of itself at ``/docs/bookie``."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from accountsapp.apis.bookie import admin_views, companion_views, views
from accountsapp.apis.bookie.schemas import LogQuery, NewUser, Slice, SortedSlice, Update
from accountsapp.documents.document import (
    Answer,
    Document,
    Operation,
    Parameter,
    Refusals,
    Shown,
    bad_bodies,
    busy,
    shown,
)

KEY = "acct_5wnGv0mVq0cXJ8zvb9tW2cYkR3uEo1dF4a"
OWN, HELP, ADMINISTRATION = "Your account", "Help for clients", "Administration"


class Account(Shown):
    """What an account sees of itself."""

    username: str
    name: str | None
    signup: str | None = Field(description="`YYYY-MM-DD HH:MM:SS`, UTC")
    activated: Literal[True]
    last_login: str | None = Field(description="`YYYY-MM-DD HH:MM:SS`, UTC")
    email: str


class User(Shown):
    """What administrators see of an account."""

    username: str
    name: str | None
    email: str
    activated: bool
    is_admin: bool
    signup: str | None
    last_login: str | None
    invite_ct: int
    invited_by: str | None


class NewUserShown(User):
    """With a password that is never shown again."""

    random_pass: str


class Users(Shown):
    count: int = Field(description="In this answer")
    total: int
    users: list[User]


class Invites(Shown):
    users: list[list[str | int]] = Field(description="Username and invitations left")


class Names(Shown):
    count: int
    status: Literal[True]
    data: list[str]


class LogEntry(Shown):
    user: str | None
    component: Literal["account"]
    status: Literal["0", "1"]
    message: str
    payload: dict[str, Any] | None
    tstamp: str


class Log(Shown):
    count: int
    logs: list[LogEntry]


class Key(Shown):
    username: str
    api_key: str


class NewKey(Shown):
    api_key: str
    message: str


class EndedKey(Shown):
    username: str
    message: str


class PasswordDone(Shown):
    username: str
    api_key: str
    message: Literal["done"]


class Message(Shown):
    message: str


class Reactivated(Shown):
    message: str
    username: str


class Success(Shown):
    success: bool
    message: str


class Done(Shown):
    status: Literal[True]
    message: str


class Error(Shown):
    """Why it was refused."""

    error: str
    username: str | None = Field(None, description="Of the caller, where a value was refused")


class PingRefused(Shown):
    success: Literal[False]
    message: str
    error: str


class Passwords(BaseModel):
    """Read from the body alone."""

    current_password: str
    new_password: str = Field(min_length=8, max_length=72, description="8 characters to 72 bytes")


class Address(BaseModel):
    email: str


class Code(BaseModel):
    username: str
    code: str = Field(description="As it was mailed")
    password: str = Field(min_length=8, max_length=72)
    new_username: str | None = Field(None, description="For an account that was invited")


ACCOUNT = {
    "username": "admin",
    "name": "Ada Min",
    "signup": "2026-01-15 10:00:00",
    "activated": True,
    "last_login": "2026-01-15 10:00:00",
    "email": "admin@example.com",
}
BOB = {
    "username": "bob",
    "name": None,
    "email": "bob@example.com",
    "activated": True,
    "is_admin": False,
    "signup": "2026-01-15 10:00:00",
    "last_login": None,
    "invite_ct": 0,
    "invited_by": None,
}
DENIED = "Not authorized for request."
NO_VALUE = Answer("A value is not acceptable; nothing was changed.", Error)


OPERATIONS = {
    views.read_account: Operation(OWN, "Read your account", shown(Account, ACCOUNT)),
    views.update_account: Operation(
        OWN,
        "Change your name or address",
        shown(Account, {**ACCOUNT, "name": "Ada M."}),
        "The fields may also stand in the query string; the body counts first.",
        refusals={406: NO_VALUE},
        body=Update,
        example={"name": "Ada M."},
    ),
    views.read_api_key: Operation(
        OWN, "Read the API key that was presented", shown(Key, {"username": "admin", "api_key": KEY})
    ),
    views.reset_api_key: Operation(
        OWN,
        "Replace the API key that was presented",
        shown(NewKey, {"api_key": KEY, "message": "API key was successfully changed"}),
        "The old one is dead before the answer leaves.",
    ),
    views.end_api_key: Operation(
        OWN,
        "End the named API key that was presented",
        shown(EndedKey, {"username": "admin", "message": "API key was revoked"}),
        "The default key stays: 403.",
    ),
    views.change_password: Operation(
        OWN,
        "Change your password",
        shown(PasswordDone, {"username": "admin", "api_key": KEY, "message": "done"}),
        "Every session ends. A wrong current password is 403.",
        refusals={406: NO_VALUE},
        body=Passwords,
        example={"current_password": "correct horse battery", "new_password": "another horse battery"},
    ),
    companion_views.invite: Operation(
        OWN,
        "Invite somebody",
        shown(Message, {"message": "You have invited: new@example.com"}),
        refusals={406: NO_VALUE},
        body=Address,
        example={"email": "new@example.com"},
    ),
    companion_views.ping: Operation(
        HELP,
        "Is the API key good?",
        shown(Success, {"success": True, "message": "Looks good"}),
        refusals={403: Answer("It is not.", PingRefused)},
    ),
    companion_views.ping_without_name: Operation(
        HELP,
        "Says that the username is missing",
        shown(Success, {"success": False, "message": "Missing username in your api url."}),
    ),
    companion_views.stray_ping: Operation(
        HELP,
        "Says where the API is",
        shown(Success, {"success": False, "message": "The API url should be /api/v1"}),
    ),
    companion_views.ask_for_code: Operation(
        HELP,
        "Forgotten password: have a code mailed",
        shown(
            Message,
            {"message": "If an account has that address, please check your email for what to do next."},
        ),
        "The answer is the same for every address.",
        refusals={406: NO_VALUE},
        body=Address,
        example={"email": "admin@example.com"},
    ),
    companion_views.use_code: Operation(
        HELP,
        "Forgotten password: use the code",
        shown(Reactivated, {"message": "Account activated, please log in.", "username": "admin"}),
        refusals={
            403: Answer("There is no such code.", Error),
            406: NO_VALUE,
        },
        body=Code,
        example={"username": "admin", "code": "the-code-of-the-mail", "password": "another horse battery"},
    ),
    admin_views.list_users: Operation(
        ADMINISTRATION,
        "List all accounts",
        shown(Users, {"count": 1, "total": 2, "users": [BOB]}),
        refusals={406: NO_VALUE},
        query=SortedSlice,
        example={"limit": 1, "offset": 1},
    ),
    admin_views.add_user: Operation(
        ADMINISTRATION,
        "Add an account",
        shown(
            NewUserShown,
            {**BOB, "username": "carol", "email": "carol@example.com", "random_pass": "m0cPq7wUo2xYv4Rz"},
        ),
        refusals={406: NO_VALUE},
        body=NewUser,
        example={"username": "carol", "email": "carol@example.com"},
    ),
    admin_views.delete_user: Operation(
        ADMINISTRATION,
        "Delete an account",
        shown(Success, {"success": True, "message": "Removed user: bob"}),
        refusals={406: NO_VALUE},
        example={"username": "bob"},
    ),
    admin_views.list_inactive: Operation(
        ADMINISTRATION,
        "List accounts that are not active",
        shown(Users, {"count": 0, "total": 0, "users": []}),
        refusals={406: NO_VALUE},
        query=Slice,
    ),
    admin_views.list_invites: Operation(
        ADMINISTRATION,
        "List how many invitations each account has",
        shown(Invites, {"users": [["admin", 3], ["bob", 0]]}),
        refusals={406: NO_VALUE},
        query=Slice,
    ),
    admin_views.set_invites: Operation(
        ADMINISTRATION,
        "Give an account invitations",
        shown(User, {**BOB, "invite_ct": 5}),
        refusals={406: NO_VALUE},
        example={"username": "bob", "count": "5"},
    ),
    admin_views.list_stale: Operation(
        ADMINISTRATION,
        "List accounts that were never activated",
        shown(Names, {"count": 0, "status": True, "data": []}),
        "Of those that signed up, or were last sent a code, more than 33 days ago.",
    ),
    admin_views.delete_stale: Operation(
        ADMINISTRATION,
        "Remove accounts that were never activated",
        shown(Done, {"status": True, "message": "Removed non activated accounts"}),
    ),
    admin_views.list_log: Operation(
        ADMINISTRATION,
        "List what happened lately",
        shown(Log, {"count": 0, "logs": []}),
        "Newest first.",
        refusals={406: NO_VALUE},
        query=LogQuery,
        example={"days": 1, "message": "password"},
    ),
}

DOCUMENT = Document(
    title="Bookie",
    description="""
One account's own data, for browser extensions and pages: authorised by that account's API key and by nothing
else, so pages of every origin may call it, also through a script tag (`callback`).

The key may stand in `X-Api-Key`, or as `api_key` in the query string or the body; all that are given must be
the same. Fields of a body may be sent as JSON, as a form or as a multipart form.
""",
    operations=OPERATIONS,
    refusals=Refusals(
        everywhere={
            400: Answer("The request cannot be read, or the callback cannot be called.", Error),
            **busy(Error),
        },
        of_credentials={
            403: Answer(
                "The key is missing, wrong, of another account or not enough.",
                Error,
                {"error": DENIED},
                headers={"X-Accepted-Scope": "The scope that a named key lacks"},
            )
        },
        of_bodies=bad_bodies(Error, "The body is larger than 1 MiB."),
        of_names={404: Answer("There is nothing of that name.", Error)},
    ),
    names={
        "username": Parameter("The name of an account, in any case", "admin"),
        "count": Parameter("A number from 0 to 1,000,000", "5"),
    },
)
