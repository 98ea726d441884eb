"""What the API says of itself at ``/docs/gitlab``."""

from typing import Literal

from accountsapp.documents.document import Answer, Document, Operation, Parameter, Refusals, Shown, shown
from accountsapp_gitlab import views
from accountsapp_gitlab.schemas import UserChange

TAG = "Users"


class User(Shown):
    """What everybody sees of a user."""

    id: int
    username: str
    name: str
    state: Literal["active"]
    bio: str
    location: str
    created_at: str | None


class CurrentUser(User):
    """What one sees of oneself."""

    email: str
    is_admin: bool


class Refused(Shown):
    """Why."""

    message: str


class BadFields(Shown):
    """What is wrong, by field."""

    message: dict[str, list[str]]


USER = {
    "id": 1,
    "username": "admin",
    "name": "Ada Min",
    "state": "active",
    "bio": "",
    "location": "",
    "created_at": "2026-01-15T10:00:00.000+00:00",
}

OPERATIONS = {
    views.read_current_user: Operation(
        TAG, "Read your account", shown(CurrentUser, {**USER, "email": "admin@example.com", "is_admin": True})
    ),
    views.read_user: Operation(TAG, "Read an account", shown(User, USER), open_to_all=True),
    views.change_user: Operation(
        TAG,
        "Change an account",
        shown(User, {**USER, "bio": "Counts"}),
        "For administrators. Fields that are absent stay as they are.",
        refusals={400: Answer("A field is wrong.", BadFields | Refused)},
        body=UserChange,
        example={"bio": "Counts"},
    ),
}


def _refused(text: str, status: str) -> Answer:
    return Answer(text, Refused, {"message": status})


DOCUMENT = Document(
    "GitLab users",
    "Accounts as users of GitLab's API, version 4.",
    OPERATIONS,
    Refusals(
        of_credentials={
            401: _refused("The credential is missing or bad.", "401 Unauthorized"),
            403: _refused("It may not.", "403 Forbidden"),
        },
        of_names={404: _refused("There is nobody of that id.", "404 Not Found")},
    ),
    {"id": Parameter("A user's id", "1")},
)
