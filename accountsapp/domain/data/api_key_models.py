"""The tables of API keys: those that live, default and named, and the memory of those that were ended."""

from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Base


class ApiKey(Base):
    """An API key of an account, never in clear (``domain/keyring.py``).

    Each account has one without a public id, its default key; the others are named.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        Index(
            "uq_api_key_default",
            "account_id",
            unique=True,
            sqlite_where=text("public_id IS NULL"),
            postgresql_where=text("public_id IS NULL"),
        ),
        Index(
            "ix_api_key_remind_at",
            "remind_at",
            sqlite_where=text("remind_at IS NOT NULL"),
            postgresql_where=text("remind_at IS NOT NULL"),
        ),
        Index(
            "ix_api_key_expires",
            "expires",
            sqlite_where=text("expires IS NOT NULL"),
            postgresql_where=text("expires IS NOT NULL"),
        ),
        # That a key was used is noted a while later, by its id: one that was given is never given again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """Keyed hash by which the key is found: of its SHA-256, or of an older default key itself."""
    sealed: Mapped[str]
    """Encrypted for its account: a default key itself, so that its owner can be shown it; of a named one the
    SHA-256, so that its digest can be made anew."""
    secret_id: Mapped[str] = mapped_column(index=True)
    """Which value of ``accountsapp.secret`` made digest and seal."""
    created: Mapped[datetime] = mapped_column(default=now)

    public_id: Mapped[str | None] = mapped_column(Text, unique=True)
    """What a named key is called wherever it is shown; None for a default key, which has nothing of the
    following either."""
    name: Mapped[str | None]
    scopes: Mapped[str | None]
    """Separated by spaces; None for all."""
    expires: Mapped[datetime | None]
    prefix: Mapped[str | None]
    """What its owner may see of the key."""
    retiring: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether another key has taken its place and it works on for a while."""
    remind_at: Mapped[datetime | None]
    """When its owner is to be told that it expires soon; None when that was done, or is not to be."""
    last_used: Mapped[datetime | None]
    last_used_in: Mapped[str | None]
    """Where in the request the key stood then."""


IS_DEFAULT: ColumnElement[bool] = ApiKey.__table__.c.public_id.is_(None)
"""Of an :class:`ApiKey`."""
DEFAULT_FIRST: ColumnElement[bool] = IS_DEFAULT.desc()
"""The order in which keys that are the same string count: an import by hash cannot see that an older default
key is that string.
"""


class EndedApiKey(Base):
    """That a key was ended: whoever finds it published is told for a while that it was one."""

    __tablename__ = "ended_api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    """Keyed hash of the key's SHA-256."""
    sealed: Mapped[str]
    """The SHA-256, encrypted for the account."""
    secret_id: Mapped[str] = mapped_column(index=True)
    """Which value of ``accountsapp.secret`` made digest and seal."""
    ended: Mapped[datetime] = mapped_column(default=now, index=True)
