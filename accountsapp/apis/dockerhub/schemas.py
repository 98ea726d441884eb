"""What the Docker Hub calls take, and what they show."""

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.emails.addresses import EmailRow
from accountsapp.web.fields import Email, EmailOrEmpty, FlagSet, Text, WebUrl
from accountsapp.web.formats import gravatar_url, microseconds
from accountsapp.web.request import Request

COLUMNS = {
    "full_name": "name",
    "location": "location",
    "company": "company",
    "profile_url": "homepage",
    "gravatar_email": "gravatar_email",
}
"""Field to column of the account."""


class ProfileChange(BaseModel):
    """What ``PATCH`` of a user takes; ``""`` clears."""

    model_config = ConfigDict(extra="ignore")

    full_name: Text = ""
    location: Text = ""
    company: Text = ""
    profile_url: WebUrl = ""
    gravatar_email: EmailOrEmpty = ""

    def columns(self) -> dict[str, str | None]:
        """What was given, by column of the account."""
        return {COLUMNS[field]: getattr(self, field) or None for field in self.model_fields_set}


class Address(BaseModel):
    """What ``POST`` and ``DELETE`` of addresses take."""

    model_config = ConfigDict(extra="ignore")

    email: Email


class AddressChange(Address):
    """What ``PATCH`` of addresses takes."""

    verified: FlagSet = False
    primary: FlagSet = False


class UserColumns(NamedTuple):
    """What a user shows."""

    name: str | None
    location: str | None
    company: str | None
    homepage: str | None
    gravatar_email: str | None
    joined: datetime


def show_user(request: Request, account: AccountRow, profile: UserColumns) -> dict[str, Any]:
    """The twelve keys of a user."""
    return {
        "id": account.id,
        "username": account.username,
        "url": f"{request.app_settings.site_url}/api/v1.1/users/{quote(account.username, safe='')}/",
        "date_joined": microseconds(profile.joined),
        "type": "User",
        "full_name": profile.name or "",
        "location": profile.location or "",
        "company": profile.company or "",
        "profile_url": profile.homepage or "",
        "gravatar_url": gravatar_url(profile.gravatar_email),
        "email": account.email,
        "is_active": account.activated,
    }


def show_address(email: EmailRow) -> dict[str, Any]:
    return {"email": email.address, "verified": email.verified, "primary": email.primary}
