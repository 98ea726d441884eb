"""What the account pages answer in the examples of their document."""

from typing import Any

JOINED = "2026-01-15T10:00:00"
TOKEN = "oQvsrOjwrst-b-6hJCvGWn6klGOi5mjmYGwHUfiV0JY"  # noqa: S105
BOB = {
    "fullname": "bob",
    "info": {"avatar": None, "avatar_url": None, "container": "user_2"},
    "locale": None,
    "name": "bob",
}
ADA = {
    "fullname": "Ada Min",
    "info": {"avatar": None, "avatar_url": None, "container": "user_1"},
    "locale": None,
    "name": "admin",
}


def _member(person: dict[str, Any], **values: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("rank", "registered_ago", "score", "task_runs"))
    return {"created": JOINED, **person, **empty, **values}


COMMUNITY = {
    "pagination": {"next": False, "page": 1, "per_page": 24, "prev": False, "total": 2},
    "template": "account/index.html",
    "title": "Community",
    "total": 2,
    "accounts": [_member(person, registered_ago="just now", task_runs=0) for person in (BOB, ADA)],
    "top_users": [_member(ADA, rank=1, score=0), _member(BOB, rank=2, score=0)],
    "update_feed": [
        {"action_updated": "User", "updated": 1768471200.0, "created": JOINED, **person}
        for person in (BOB, ADA)
    ],
}
PROFILE = {
    "projects_contrib": [],
    "projects_created": [],
    "template": "/account/public_profile.html",
    "title": "bob &middot; User Profile",
    "user": {
        **BOB,
        "created": JOINED,
        "n_answers": 0,
        "rank": 2,
        "registered_ago": "just now",
        "score": 0,
    },
}
PROJECTS = {
    "projects_draft": [],
    "projects_published": [],
    "template": "account/projects.html",
    "title": "Projects",
}


def form(*fields: str, **values: Any) -> dict[str, Any]:
    """A form object: empty fields, and those with a value."""
    return {**dict.fromkeys(fields), **values, "csrf": TOKEN, "errors": {}}


SETTINGS = {
    "flash": None,
    "form": form(
        "ckan_api",
        "locale",
        email_addr="admin@example.com",
        fullname="Ada Min",
        id=1,
        name="admin",
        privacy_mode=True,
        subscribed=False,
    ),
    "password_form": form("confirm", "current_password", "new_password"),
    "show_passwd_form": True,
    "template": "/account/update.html",
    "title": "Update your profile: Ada Min",
    "upload_form": form("avatar", "id", x1=0, x2=0, y1=0, y2=0),
}
REGISTRATION = {
    "form": form("confirm", "email_addr", "fullname", "name", "password"),
    "template": "account/register.html",
    "title": "Register",
}
SIGN_IN = {
    "auth": {"facebook": False, "google": False, "twitter": False},
    "form": form("email", "password"),
    "next": None,
    "template": "account/signin.html",
    "title": "Sign in",
}
FORGOTTEN = {"form": form("email_addr"), "template": "account/password_forgot.html"}
MAILED = {
    "form": form(email_addr="admin@example.com"),
    "template": "/account/password_forgot.html",
    "flash": "We have sent you an e-mail with a link to set a new password",
    "status": "success",
}
RESET = {
    "form": form("confirm", "current_password", "new_password"),
    "template": "/account/password_reset.html",
}


def outcome(flash: str, next_path: str = "/", status: str = "success") -> dict[str, str]:
    """What came of it, and where to go on."""
    return {"flash": flash, "status": status, "next": next_path}
