"""The tables.

Constraint names follow one convention, so that the same migrations run on SQLite and PostgreSQL.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    literal_column,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from accountsapp.domain.clock import now


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """For SQLite the text is made at once, in a third of the time of two steps."""
        return _text_in_utc if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """On SQLite the text is read as a time in UTC at once, in a quarter of the time of two steps."""
        return _utc_of_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _text_in_utc(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _utc_of_text(text: str | None) -> datetime | None:
    return datetime.fromisoformat(f"{text}+00:00") if text is not None else None


class Base(DeclarativeBase):
    """What every table is declared with: how constraints are named and Python types are stored."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        str: Text,
        datetime: UTCDateTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class AccountState(StrEnum):
    """What an account may do."""

    ACTIVE = "active"
    """Signs in and is found."""
    PENDING = "pending"
    """Invited or imported and never activated: its owner has yet to prove the address."""
    DEACTIVATED = "deactivated"
    """Locked by the operator: no code revives it."""


class Account(Base):
    """One account, with every field that any of the APIs shows."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'pending', 'deactivated')", name="state"),
        # As lists are ordered: unknown values last, on both databases.
        Index("ix_account_signup_nulls_last", text("(signup IS NULL)"), "signup", "id"),
        Index("ix_account_last_login_nulls_last", text("(last_login IS NULL)"), "last_login", "id"),
        # PostgreSQL takes no value of more than 2,700 bytes into an index.
        Index("ix_account_name_nulls_last", text("(name IS NULL)"), text("substr(name, 1, 200)"), "id"),
        Index(
            "ix_account_username_key_inactive",
            "username_key",
            sqlite_where=text("state <> 'active'"),
            postgresql_where=text("state <> 'active'"),
        ),
        Index("uq_account_fxa_id", "fxa_id", unique=True),
        Index(
            "ix_account_deletion_asked",
            "deletion_asked",
            sqlite_where=text("deletion_asked IS NOT NULL"),
            postgresql_where=text("deletion_asked IS NOT NULL"),
        ),
        # Ids are shown to clients as identity: one that was used is never given again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=AccountState.ACTIVE)
    is_admin: Mapped[bool] = mapped_column(default=False)
    is_staff: Mapped[bool] = mapped_column(default=False)
    permissions: Mapped[list[Any]] = mapped_column(default=list)

    deletion_asked: Mapped[datetime | None]
    """Since when it is to be deleted. It is deactivated, is found by nobody and keeps its names taken until a
    job has erased it."""
    credential_epoch: Mapped[int] = mapped_column(default=0)
    """Carried by sessions, tokens and mailed links; raising it ends them all."""
    version: Mapped[int] = mapped_column()
    """Counts the changes of this row."""

    name: Mapped[str | None]
    display_name: Mapped[str | None]
    biography: Mapped[str | None]
    location: Mapped[str | None]
    company: Mapped[str | None]
    occupation: Mapped[str | None]
    homepage: Mapped[str | None]
    gravatar_email: Mapped[str | None]
    country: Mapped[str | None]
    locale: Mapped[str | None]
    language: Mapped[str | None]
    gender: Mapped[str | None]
    goals: Mapped[str | None]
    level_of_education: Mapped[str | None]
    mailing_address: Mapped[str | None]
    language_proficiencies: Mapped[list[Any]] = mapped_column(default=list)
    year_of_birth: Mapped[int | None]
    account_privacy: Mapped[str | None]
    privacy_mode: Mapped[bool] = mapped_column(default=True)
    subscribed: Mapped[bool] = mapped_column(default=False)
    read_dev_agreement: Mapped[bool] = mapped_column(default=False)
    notifications: Mapped[dict[str, Any]] = mapped_column(default=dict)
    info: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ckan_api: Mapped[str | None]
    """The account's key at a data portal of somebody else, kept for it."""
    picture: Mapped[str | None]
    """The stem of its files (``domain/pictures``)."""
    fxa_id: Mapped[str | None]
    """The id of its Firefox account."""

    signup: Mapped[datetime | None]
    created: Mapped[datetime] = mapped_column(default=now)
    """When the row was made."""
    last_login: Mapped[datetime | None]
    last_login_ip: Mapped[str | None]
    invited_by: Mapped[str | None] = mapped_column(index=True)
    invite_ct: Mapped[int] = mapped_column(default=0)
    n_contributions: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How many contributions it has (``domain/data/activity_models.py``)."""

    pending_email: Mapped[str | None]
    """The address that was asked for and is not confirmed yet."""
    pending_email_key: Mapped[str | None] = mapped_column(index=True)
    pending_email_expires: Mapped[datetime | None]

    emails: Mapped[list["EmailAddress"]] = relationship(
        back_populates="account",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="EmailAddress.id",
    )

    __mapper_args__ = {"version_id_col": version}

    def forget_pending_email(self) -> None:
        """Nothing waits for confirmation any more."""
        for column in NO_PENDING_EMAIL:
            setattr(self, column, None)

    @property
    def primary_email(self) -> "EmailAddress":
        return next(email for email in self.emails if email.primary)


NO_PENDING_EMAIL: dict[str, None] = dict.fromkeys(
    ("pending_email", "pending_email_key", "pending_email_expires")
)
"""The values of an account that waits for no address."""


IS_THERE: ColumnElement[bool] = Account.__table__.c.deletion_asked.is_(None)
"""Of an :class:`Account`: nobody asked for its deletion."""

IS_INACTIVE: ColumnElement[bool] = literal_column("account.state <> 'active'", Boolean)
"""Of an :class:`Account`, as its index says it: a parameter would keep a database from seeing that."""


class EmailAddress(Base):
    """An address of an account; exactly one of an account is primary.

    A primary or verified address is taken by its account; an unverified further one reserves nothing.
    """

    __tablename__ = "email_address"
    __table_args__ = (
        Index(
            "uq_email_address_taken",
            "address_key",
            unique=True,
            sqlite_where=text("verified OR is_primary"),
            postgresql_where=text("verified OR is_primary"),
        ),
        Index(
            "uq_email_address_primary",
            "account_id",
            unique=True,
            sqlite_where=text("is_primary"),
            postgresql_where=text("is_primary"),
        ),
        Index("uq_email_address_account_id_address_key", "account_id", "address_key", unique=True),
        Index("ix_email_address_address_key", "address_key"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    address: Mapped[str]
    address_key: Mapped[str]
    verified: Mapped[bool] = mapped_column(Boolean, default=False)
    primary: Mapped[bool] = mapped_column("is_primary", Boolean, default=False)
    created: Mapped[datetime] = mapped_column(default=now)

    account: Mapped[Account] = relationship(back_populates="emails")


IS_TAKEN: ColumnElement[bool] = EmailAddress.__table__.c.verified | EmailAddress.__table__.c.is_primary
"""Of an :class:`EmailAddress`: whether its account has it for itself."""


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    """Waits for its time, or a worker has it."""
    DONE = "done"
    """Finished; the row is kept a while."""
    FAILED = "failed"
    """Given up; kept for the operator, who can have it tried again."""


class Job(Base):
    """Something to be done after the reply (``domain/jobs.py``)."""

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "uq_job_unique_key_queued",
            "unique_key",
            unique=True,
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_job_run_at_id_queued",
            "run_at",
            "id",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    """Which handler of the worker does it."""
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the handler is given, secrets sealed; emptied when the job is done."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    """Whom it is for; the job outlives the account, whose former address is still to be written to."""
    unique_key: Mapped[str | None]
    """At most one queued job has it."""
    state: Mapped[str] = mapped_column(default=JobState.QUEUED)
    run_at: Mapped[datetime]
    """When it is due."""
    reckoned_from: Mapped[datetime | None]
    """The moment that ``run_at`` was reckoned from; none where ``run_at`` was named."""
    starts: Mapped[int] = mapped_column(default=0)
    """How often a worker took it, also one that died over it."""
    attempts: Mapped[int] = mapped_column(default=0)
    """How often it failed."""
    refusals: Mapped[int] = mapped_column(default=0)
    """How often it failed with little hope."""
    max_attempts: Mapped[int]
    leased_until: Mapped[datetime | None]
    lease_token: Mapped[str | None]
    """Names the one lease that may finish the job."""
    last_error: Mapped[str | None]
    """Why it failed last, without secrets."""
    created: Mapped[datetime] = mapped_column(default=now)
    finished: Mapped[datetime | None]
    """When it was done or given up."""


class SignInSession(Base):
    """Somebody who signed in, on one device (``domain/credentials/sessions.py``)."""

    __tablename__ = "session"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256 of the cookie's value."""
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    credential_epoch: Mapped[int]
    created: Mapped[datetime] = mapped_column(default=now)
    last_used: Mapped[datetime] = mapped_column(default=now)
    address: Mapped[str | None]
    """The client's, when the session began."""
    password_entered: Mapped[datetime | None]
    """When the password was entered in it last; none where it was begun without one."""
    former_forms: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """Digests of what forms carry that were shown in the sessions which this one took the place of."""


class Link(Base):
    """A mailed one-time code (``domain/mailing/links.py``)."""

    __tablename__ = "link"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256 of the code."""
    purpose: Mapped[str]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    credential_epoch: Mapped[int]
    address: Mapped[str]
    """The address that it was mailed to, in that spelling: it proves no other."""
    address_key: Mapped[str] = mapped_column(index=True)
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]


class AuditEvent(Base):
    """Something that happened to an account and that its operator may have to explain."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    event: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    """Who did it, where somebody was proved."""
    address: Mapped[str | None]
    """The client's."""
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Plain facts such as the view's name; never a secret, an e-mail address or what a client typed."""
