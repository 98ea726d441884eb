"""What members take and show."""

from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from accountsapp.domain.data.reads import AccountRow
from accountsapp.web.fields import Text


class MemberColumns(NamedTuple):
    """What a member shows, besides the name."""

    name: str | None


class MemberChange(BaseModel):
    """What ``PATCH`` takes."""

    model_config = ConfigDict(extra="ignore")

    full_name: Text


def show_member(account: AccountRow, profile: MemberColumns) -> dict[str, Any]:
    return {"username": account.username, "full_name": profile.name or ""}
