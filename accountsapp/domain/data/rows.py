"""The row that is read of an account."""

from datetime import datetime
from typing import Any, NamedTuple

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import AccountState


class AccountRow(NamedTuple):
    """What proving somebody, and judging what he may, needs of an account, with its primary address."""

    id: int
    username: str
    username_key: str
    state: str
    is_admin: bool
    is_staff: bool
    credential_epoch: int
    pending_email: str | None
    pending_email_expires: datetime | None
    email: str
    email_verified: bool
    profile: Any = None
    """The further columns that it was read with, as the class that names them; None where there is none."""

    @property
    def activated(self) -> bool:
        return self.state == AccountState.ACTIVE

    @property
    def awaited_email(self) -> str | None:
        """The address that was asked for, as long as its confirmation can still come."""
        if self.pending_email is None or self.pending_email_expires is None:
            return None
        return self.pending_email if self.pending_email_expires > now() else None

    @property
    def shown_email(self) -> str:
        """The address the account has asked for, else the one it has."""
        return self.awaited_email or self.email


class ApiKeyRow(NamedTuple):
    """What is read of an API key together with its account."""

    id: int
    public_id: str | None
    """None for the default key."""
    scopes: str | None
    """As :func:`accountsapp.domain.rules.key_scopes.of_stored` reads them."""
    expires: datetime | None
    last_used: datetime | None

    @property
    def has_expired(self) -> bool:
        return self.expires is not None and self.expires <= now()
