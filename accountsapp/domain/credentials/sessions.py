"""Sign-in sessions: rows, so that they can be ended on every server at once.

The cookie's value is opaque; the database has only its SHA-256 (the value has 256 random bits, so no key is
needed). A session carries the account's credential epoch: raising that ends them all.
"""

import logging
import re
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, AccountState, SignInSession
from accountsapp.domain.data.proofs import SESSION, Proof
from accountsapp.domain.data.reads import AccountRow, Columns, selection_of
from accountsapp.domain.data.removing import remove_some
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.job_handlers import clears
from accountsapp.domain.rules.digests import digest_of

log = logging.getLogger(__name__)

LIFE_UNUSED = timedelta(days=30)
"""How long a session lives after its last use."""
LONGEST_LIFE = timedelta(days=365)
"""How long it lives however often it is used."""
TOUCH_PAUSE = timedelta(hours=1)
"""How exactly its last use is known: more would be a write on every read."""

MOST_FORMER_FORMS = 5
"""Of one session: each is of a password that was changed in it."""

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


class SessionRow(NamedTuple):
    """A living session and its account.

    :ivar proof: by which it is looked at again
    """

    id: int
    needs_touch: bool
    """Whether its last use is to be written again (:func:`touch`)."""
    account: AccountRow
    proof: Proof


def new_value() -> str:
    """A new opaque value: 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def is_plausible(value: str) -> bool:
    """Whether it could be a value of ours."""
    return _VALUE.fullmatch(value) is not None


def begin(session: Session, account: Account, address: str | None, *, by_password: bool = False) -> str:
    """Begin a session of a locked account that proved itself; it is a sign-in.

    :param address: the client's
    :param by_password: whether the password was entered for it
    :returns: the value of the cookie
    """
    value, moment = new_value(), now()
    account.last_login = moment
    account.last_login_ip = address
    session.add(
        SignInSession(
            digest=digest_of(value),
            account_id=account.id,
            credential_epoch=account.credential_epoch,
            address=address,
            password_entered=moment if by_password else None,
        )
    )
    return value


@cache
def _find_statement(columns: Columns | None) -> Select[Any]:
    accounts = selection_of(columns).statement
    return accounts.add_columns(SignInSession.id, SignInSession.created, SignInSession.last_used).join(
        SignInSession,
        (SignInSession.account_id == Account.id)
        & (SignInSession.credential_epoch == Account.credential_epoch)
        & (SignInSession.digest == bindparam("digest")),
    )


def find(connection: Connection, value: str, columns: Columns | None = None) -> SessionRow | None:
    """The living session of that value: not ended, not too old, its account active.

    :param columns: what the account's ``profile`` has
    """
    digest = digest_of(value)
    row = connection.execute(_find_statement(columns), {"digest": digest}).first()
    if row is None:
        return None
    account = selection_of(columns).row(row)
    session_id, created, last_used = selection_of(columns).after(row)
    moment = now()
    alive = moment - last_used < LIFE_UNUSED and moment - created < LONGEST_LIFE
    if not alive or account.state != AccountState.ACTIVE:
        return None
    needs_touch = moment - last_used > TOUCH_PAUSE
    return SessionRow(session_id, needs_touch, account, Proof(SESSION, digest))


def former_forms(connection: Connection, value: str) -> list[str]:
    """What forms carry that were shown before the session of that value took the place of another, hashed.

    :returns: the newest last; none where there is no such session
    """
    statement = select(SignInSession.former_forms).where(SignInSession.digest == digest_of(value))
    forms_of_it: list[str] | None = connection.scalar(statement)
    return forms_of_it or []


def is_fresh(connection: Connection, value: str, within: timedelta) -> bool:
    """Whether the password was entered in the session of that value so lately; its use does not count."""
    statement = select(SignInSession.password_entered).where(SignInSession.digest == digest_of(value))
    entered: datetime | None = connection.scalar(statement)
    return entered is not None and now() - entered <= within


def note_password(session: Session, account: Account, value: str) -> bool:
    """Write down that the password was entered in the session of that value, now.

    :param account: whose session it is, locked
    :returns: whether the session lives
    """
    entered = (
        update(SignInSession)
        .where(
            SignInSession.digest == digest_of(value),
            SignInSession.account_id == account.id,
            SignInSession.credential_epoch == account.credential_epoch,
        )
        .values(password_entered=now())
    )
    return session.scalar(entered.returning(SignInSession.id)) is not None


def replace(session: Session, account: Account, address: str | None, forms: list[str]) -> str:
    """Begin a session in place of one that was ended, in which the password was just entered; nobody signed
    in.

    :param forms: what forms of the ended one carry, hashed, the newest last
    :returns: the value of the cookie
    """
    value = new_value()
    session.add(
        SignInSession(
            digest=digest_of(value),
            account_id=account.id,
            credential_epoch=account.credential_epoch,
            address=address,
            password_entered=now(),
            former_forms=forms[-MOST_FORMER_FORMS:],
        )
    )
    session.flush()
    return value


def touch(begin: Callable[[], AbstractContextManager[Session]], session_id: int) -> None:
    """Write down that the session is in use; if that is not possible now, the next use does.

    :param begin: ``store.begin``
    """
    used = update(SignInSession).where(SignInSession.id == session_id).values(last_used=now())
    try:
        with begin() as session:
            session.execute(used)
    except SQLAlchemyError as error:
        log.warning("the use of a session was not noted: %s", type(error).__name__)


def end(session: Session, value: str) -> bool:
    """End one session.

    :returns: whether there was one
    """
    confirm_everywhere(session)
    ended = delete(SignInSession).where(SignInSession.digest == digest_of(value))
    return session.scalar(ended.returning(SignInSession.id)) is not None


def end_all(session: Session, account_id: int, *, but: str | None = None) -> None:
    """End every session of the account.

    :param but: the value of one that is left
    """
    confirm_everywhere(session)
    statement = delete(SignInSession).where(SignInSession.account_id == account_id)
    if but is not None:
        statement = statement.where(SignInSession.digest != digest_of(but))
    session.execute(statement)


@clears
def clear_old(session: Session) -> int:
    """Forget some sessions that are too old to live (:func:`remove_some`)."""
    moment = now()
    is_unused, is_old = (
        SignInSession.last_used < moment - LIFE_UNUSED,
        SignInSession.created < moment - LONGEST_LIFE,
    )
    return remove_some(session, SignInSession, is_unused | is_old)
