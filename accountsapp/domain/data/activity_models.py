"""What accounts did at the services around this one: contributions, add-ons, reviews, collections.

It comes by import (``domain/activity/importing.py``). A contribution hangs on a volunteer, which is one
account in one project under a random mark. When the account is deleted the volunteer loses its account, in
one row however many contributions there are, and goes on counting as one.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Base

Mark = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits; on SQLite the row's own number."""


class Project(Base):
    """Work that volunteers do together, task by task."""

    __tablename__ = "project"
    __table_args__ = (
        Index("ix_project_published_created", "published", "created"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    """None where the owner was deleted."""
    short_name: Mapped[str] = mapped_column(unique=True)
    """Its identity."""
    name: Mapped[str]
    description: Mapped[str]
    info: Mapped[dict[str, Any]]
    published: Mapped[bool] = mapped_column(default=False)
    n_tasks: Mapped[int]
    created: Mapped[datetime] = mapped_column(default=now)
    n_volunteers: Mapped[int] = mapped_column(default=0)
    """How many rows of :class:`Volunteer` it has."""
    n_answered: Mapped[int] = mapped_column(default=0)
    """How many rows of :class:`AnsweredTask` it has."""


class Volunteer(Base):
    """One account in one project."""

    __tablename__ = "volunteer"
    __table_args__ = (
        Index("uq_volunteer_project_id_account_id", "project_id", "account_id", unique=True),
        Index("ix_volunteer_account_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(Mark, primary_key=True, autoincrement=False)
    """Random: it tells nothing of the account."""
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    """None where the account was deleted."""


class Contribution(Base):
    """One volunteer's answer to one task."""

    __tablename__ = "contribution"
    __table_args__ = (Index("ix_contribution_created", "created"),)

    volunteer_id: Mapped[int] = mapped_column(
        Mark, ForeignKey("volunteer.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    task: Mapped[str] = mapped_column(primary_key=True)
    """As JSON: a number and a text of the same digits are two tasks."""
    created: Mapped[datetime] = mapped_column(default=now)


class AnsweredTask(Base):
    """A task of a project that has a contribution: counting them among all contributions takes too long."""

    __tablename__ = "answered_task"

    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    task: Mapped[str] = mapped_column(primary_key=True)


class Addon(Base):
    """An extension or a theme."""

    __tablename__ = "addon"
    __table_args__ = (
        CheckConstraint("type IN ('extension', 'theme')", name="type"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    """Its identity."""
    type: Mapped[str]
    listed: Mapped[bool] = mapped_column(default=False)
    approved: Mapped[bool] = mapped_column(default=False)
    average_rating: Mapped[float | None] = mapped_column(Float)


class AddonAuthor(Base):
    """Who made an add-on."""

    __tablename__ = "addon_author"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'developer')", name="role"),
        Index("ix_addon_author_account_id", "account_id"),
    )

    addon_id: Mapped[int] = mapped_column(
        ForeignKey("addon.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    role: Mapped[str]
    position: Mapped[int]
    """Place among the authors, in the order in which they were named."""


class Review(Base):
    """What an account thinks of an add-on."""

    __tablename__ = "review"
    __table_args__ = (
        Index("uq_review_account_id_addon_id", "account_id", "addon_id", unique=True),
        Index("ix_review_addon_id", "addon_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    addon_id: Mapped[int] = mapped_column(ForeignKey("addon.id", ondelete="CASCADE"))
    rating: Mapped[float | None] = mapped_column(Float)
    body: Mapped[str | None]


class Collection(Base):
    """Add-ons that an account put together; only its name is known here."""

    __tablename__ = "collection"
    __table_args__ = (
        Index("uq_collection_account_id_slug", "account_id", "slug", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    slug: Mapped[str]
    name: Mapped[str | None]


__all__ = [
    "Addon",
    "AddonAuthor",
    "AnsweredTask",
    "Collection",
    "Contribution",
    "Project",
    "Review",
    "Volunteer",
]
