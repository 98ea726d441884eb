"""The tables of accounts that came from other systems, and of those that were asked to set a password."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Base


class MovedAccount(Base):
    """What an account of another system was when it was taken last (``domain/transfer/move_memory.py``)."""

    __tablename__ = "moved_account"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """Keyed, of the source and of the name there."""
    source: Mapped[str]
    """Names the other system."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    """None when it was deleted here: it is not to come again."""
    credential_epoch: Mapped[int]
    """The account's, when its password was last known to be that of the other system."""
    fields: Mapped[dict[str, Any]]
    """Digests of the values by the key of the record; those of secrets are keyed."""
    moved: Mapped[datetime] = mapped_column(default=now)


class PasswordInvitation(Base):
    """An account without a password that was mailed a link to set one
    (``domain/accounts/password_invitations.py``).
    """

    __tablename__ = "password_invitation"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    sent: Mapped[datetime] = mapped_column(default=now)
    """When the mail was queued last."""
