"""The listed accounts in their two orders, and how to find the place of one among a million.

Triggers of the database keep ``member`` and ``member_change`` true whoever writes an account: migration 0018.
``accountsapp/domain/data/places.py`` keeps ``member_part``.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from accountsapp.domain.data.models import Base


class Member(Base):
    """A listed account: it is active, and its username is no address."""

    __tablename__ = "member"
    __table_args__ = (
        Index("ix_member_joined", "joined", "account_id"),
        Index("ix_member_standing", "standing", "joined", "account_id"),
        # SQLite compares rows by an index only as far as their columns are no names of the row's number.
        {"sqlite_with_rowid": False},
    )

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    joined: Mapped[datetime]
    """When it signed up; if that is unknown, when its row was made."""
    standing: Mapped[int]
    """The number of its contributions, negative: the best come first."""


class MemberChange(Base):
    """A member that came or went since the parts were counted; one that changed went and came.

    Writers only add rows here, so they never wait for each other.
    """

    __tablename__ = "member_change"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    joined: Mapped[datetime]
    standing: Mapped[int]
    delta: Mapped[int]
    """1 or -1"""


class MemberPart(Base):
    """Some hundred members who follow each other in one of the orders, from the one named here on.

    The first part of an order also has who comes before.
    """

    __tablename__ = "member_part"

    order: Mapped[str] = mapped_column("in_order", primary_key=True)
    """``newest`` or ``standing``"""
    standing: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """0 in the order ``newest``, which has no need of it."""
    joined: Mapped[datetime] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    members: Mapped[int]
    """How many they are, without the changes."""


__all__ = ["Member", "MemberChange", "MemberPart"]
