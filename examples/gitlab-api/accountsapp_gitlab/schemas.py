"""What a user takes and shows."""

from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from accountsapp.domain.data.reads import AccountRow
from accountsapp.web.fields import Text


class UserColumns(NamedTuple):
    """What is shown besides what every request reads."""

    name: str | None
    biography: str | None
    location: str | None
    signup: datetime | None


class UserChange(BaseModel):
    """What ``PUT`` takes; absent fields stay."""

    model_config = ConfigDict(extra="ignore")

    name: Text = ""
    bio: Text = ""
    location: Text = ""


COLUMN_OF = {"name": "name", "bio": "biography", "location": "location"}


def show_user(account: AccountRow, profile: UserColumns) -> dict[str, Any]:
    """What everybody sees."""
    return {
        "id": account.id,
        "username": account.username,
        "name": profile.name or account.username,
        "state": "active",
        "bio": profile.biography or "",
        "location": profile.location or "",
        "created_at": profile.signup.isoformat(timespec="milliseconds") if profile.signup else None,
    }


def show_current_user(account: AccountRow, profile: UserColumns) -> dict[str, Any]:
    """What one sees of oneself."""
    return {**show_user(account, profile), "email": account.email, "is_admin": account.is_admin}
