"""The table of registrations that wait for the confirmation of their address."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Base


class PendingRegistration(Base):
    """An account that will be made when the link that was mailed to its address is used; until then there is
    none (``domain/accounts/confirming.py``).
    """

    __tablename__ = "pending_registration"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256 of the code in the link."""
    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str]
    address_key: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    columns: Mapped[dict[str, Any]]
    """Further columns of the account."""
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]
