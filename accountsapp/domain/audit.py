"""What the operator may have to explain later: who did what to which account, from where.

A success is recorded in its own transaction; a refusal in a short one of its own, so that it is there
although the request was rolled back. Nothing recorded is a secret or something a client typed.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, aliased

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, AuditEvent, Base
from accountsapp.domain.data.removing import remove_some
from accountsapp.domain.job_handlers import clears

log = logging.getLogger(__name__)

_events = Base.metadata.tables[AuditEvent.__tablename__]

EVENT_LIFE = timedelta(days=400)


class Event(StrEnum):
    """What happened."""

    REGISTERED = "registered"
    INVITED = "invited"
    SIGNED_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    SIGNED_OUT = "signed out"
    REFUSED = "refused"
    """Somebody who was proved asked for what is not his."""
    REFUSED_AGAIN = "refused again and again"
    """As often as its ``times`` says, after so many that each had its own row."""
    PASSWORD_CHANGED = "password changed"  # noqa: S105
    PASSWORD_RESET = "password reset"  # noqa: S105
    PASSWORD_WRONG = "wrong current password"  # noqa: S105
    API_KEY_RESET = "API key reset"
    """The default one."""
    API_KEY_ADDED = "API key added"
    """A named one; ``key`` in the detail is its id, ``by`` says on which way."""
    API_KEY_REVOKED = "API key revoked"
    API_KEY_ROTATED = "API key rotated"
    """``new`` is the id of the one that takes its place."""
    API_KEY_REPLACED = "API key replaced"
    """By its holder; as above."""
    API_KEY_LEAKED = "API key leaked"
    """Somebody reported that it was published; ``key`` may be ``default``."""
    EMAIL_ASKED = "e-mail change asked for"
    EMAIL_CHANGED = "e-mail changed"
    EMAIL_ADDED = "e-mail address added"
    EMAIL_VERIFIED = "e-mail address verified"
    EMAIL_REMOVED = "e-mail address removed"
    RECOVERY_SENT = "recovery mail sent"
    RENAMED = "renamed"
    PROFILE_EDITED = "profile edited"
    """Somebody else than its owner changed what an account says, shows or wants to be told."""
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    DELETION_ASKED = "deletion asked for"
    DELETED = "deleted"
    ACCESS_GRANTED = "access granted"
    """A person let an OAuth client in."""
    ACCESS_WITHDRAWN = "access withdrawn"
    TOKEN_REUSED = "used token presented again"  # noqa: S105
    """An authorization code or refresh token: somebody copied it, so the grant ended."""
    INVITES_SET = "number of invites set"
    IMPORTED = "imported"
    """Accounts were read from a file: a row that counts them, and one for each account that was changed."""
    ACTIVITY_IMPORTED = "activity imported"
    """Activity was read from a file: a row that counts the records."""
    EXPORT_ASKED = "own data asked for"
    EXPORTED = "exported with secrets"
    CLIENT_ADDED = "OAuth client added"
    CLIENT_REVOKED = "OAuth client revoked"
    TOKEN_ISSUED = "token issued"  # noqa: S105
    TOKEN_REVOKED = "token revoked"  # noqa: S105
    JWT_KEY_ISSUED = "JWT key issued"
    SUPER_CREATED = "super-created"
    """An account was made, and a session of it begun, by a program that may act for anybody."""
    SECRETS_ROTATED = "secrets rotated"
    JOB_RETRIED = "job tried again"


BY_COMMAND = "command"
"""The key of an event's detail that has the Unix user whose command did it."""


class AuditRow(NamedTuple):
    """One event, with the names of its accounts as they are now."""

    id: int
    at: datetime
    event: str
    account_id: int | None
    account: str | None
    actor_id: int | None
    actor: str | None
    address: str | None
    detail: dict[str, Any]

    @property
    def by(self) -> str:
        """Who did it: a username, ``command line (user)``, or a hyphen where nobody was proved."""
        if BY_COMMAND in self.detail:
            return f"command line ({self.detail[BY_COMMAND]})"
        return self.actor or "-"

    @property
    def about(self) -> str:
        """Whose account it is about; for one that is deleted, the id that it had."""
        return self.account or (f"(was {self.detail['was']})" if "was" in self.detail else "-")


def record(
    session: Session,
    event: Event,
    *,
    account_id: int | None = None,
    actor_id: int | None = None,
    address: str | None = None,
    **detail: Any,
) -> None:
    """Record an event in the session's transaction.

    :param account_id: whose account it is about
    :param actor_id: who did it, where somebody was proved
    :param address: the client's address
    :param detail: plain facts such as the name of a view
    """
    session.add(
        AuditEvent(event=event, account_id=account_id, actor_id=actor_id, address=address, detail=detail)
    )


def record_apart(begin: Callable[[], AbstractContextManager[Session]], event: Event, **facts: Any) -> None:
    """Record an event in a short transaction of its own, which outlives that of the request.

    A database that does not take it now changes nothing of the answer: it is logged instead.

    :param begin: ``store.begin``
    :param facts: as for :func:`record`
    """
    try:
        with begin() as session:
            record(session, event, **facts)
    except SQLAlchemyError as error:
        log.warning("could not be recorded: %s: %s", event, type(error).__name__)


def begin_import(connection: Connection, origin: Mapping[str, Any], event: Event = Event.IMPORTED) -> int:
    """Record that an import begins.

    :param origin: who does it (``store.origin``)
    :param event: which import it is
    :returns: the id of the row that :func:`count_imported` writes on
    """
    row = {"event": event, "detail": {**origin, "created": 0, "updated": 0}}
    return connection.execute(insert(_events).returning(_events.c.id), row).scalar_one()


def count_imported(
    connection: Connection,
    event_id: int,
    origin: Mapping[str, Any],
    *,
    created: int,
    updated: int,
    changed: Collection[int] = (),
) -> None:
    """Record a batch of an import in its transaction.

    :param created: what the import has made so far; ``updated`` what it has changed
    :param changed: the accounts that this batch has changed: each gets a row
    """
    detail = {**origin, "created": created, "updated": updated}
    connection.execute(update(_events).where(_events.c.id == event_id).values(detail=detail))
    if changed:
        rows = [{"event": Event.IMPORTED, "account_id": number, "detail": {**origin}} for number in changed]
        connection.execute(insert(_events), rows)


def record_times_apart(
    begin: Callable[[], AbstractContextManager[Session]],
    event: Event,
    *,
    times: int,
    actor_id: int | None,
    address: str | None,
) -> None:
    """As :func:`record_apart`, what happens again and again: ``times`` in one row's detail says how often.

    :param times: how often it happened by now; the first one makes the row
    """
    try:
        with begin() as session:
            row = None
            if times > 1:
                row = session.scalar(
                    select(AuditEvent)
                    .where(AuditEvent.event == event, AuditEvent.actor_id == actor_id)
                    .order_by(AuditEvent.id.desc())
                    .limit(1)
                    .with_for_update()
                )
            if row is None:
                record(session, event, actor_id=actor_id, address=address, times=times)
            elif row.detail["times"] < times:
                row.detail = {"times": times}
    except SQLAlchemyError as error:
        log.warning("could not be recorded: %s: %s", event, type(error).__name__)


_account, _actor = aliased(Account), aliased(Account)
_EVENTS = (
    select(
        AuditEvent.id,
        AuditEvent.at,
        AuditEvent.event,
        AuditEvent.account_id,
        _account.username,
        AuditEvent.actor_id,
        _actor.username,
        AuditEvent.address,
        AuditEvent.detail,
    )
    .outerjoin(_account, _account.id == AuditEvent.account_id)
    .outerjoin(_actor, _actor.id == AuditEvent.actor_id)
    .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
)
EVENTS_AT_ONCE = 1000
"""Events that are read at once."""


def listing(
    connection: Connection,
    *,
    since: datetime | None = None,
    account_id: int | None = None,
    events: Collection[Event] | None = None,
    most: int | None = None,
) -> Iterator[AuditRow]:
    """Events, newest first, read in parts so that any number of them needs no memory.

    :param since: only those from then on
    :param account_id: only those about that account
    :param events: only those of these kinds
    :param most: how many at most
    """
    statement = _EVENTS
    if since is not None:
        statement = statement.where(AuditEvent.at >= since)
    if account_id is not None:
        statement = statement.where(AuditEvent.account_id == account_id)
    if events is not None:
        statement = statement.where(AuditEvent.event.in_(events))
    page, remaining = statement, most
    while remaining is None or remaining > 0:
        part = EVENTS_AT_ONCE if remaining is None else min(remaining, EVENTS_AT_ONCE)
        rows = [AuditRow._make(row) for row in connection.execute(page.limit(part))]
        yield from rows
        if len(rows) < part:
            return
        last = rows[-1]
        is_older = (AuditEvent.at < last.at) | ((AuditEvent.at == last.at) & (AuditEvent.id < last.id))
        page = statement.where(AuditEvent.at <= last.at, is_older)
        remaining = None if remaining is None else remaining - part


def forget_addresses(session: Session, account_id: int) -> None:
    """Take the client addresses out of what an account did and what was done to it: it is deleted."""
    mine = (AuditEvent.account_id == account_id) | (AuditEvent.actor_id == account_id)
    session.execute(
        update(AuditEvent).where(mine).values(address=None).execution_options(synchronize_session=False)
    )


@clears
def clear_old(session: Session) -> int:
    """Forget some events that are over 400 days old (:func:`remove_some`)."""
    return remove_some(session, AuditEvent, AuditEvent.at < now() - EVENT_LIFE)
