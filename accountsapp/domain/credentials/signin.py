"""Signing in with a password: one operation for every API that takes one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from prometheus_client import Counter
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from accountsapp.domain.audit import Event
from accountsapp.domain.credentials import sessions
from accountsapp.domain.data.locking import lock_active
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.data.proofs import Actor
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.emails import claims
from accountsapp.domain.errors import (
    Busy,
    InactiveAccount,
    PendingAccount,
    StaleCredential,
    TooManyAttempts,
    UnknownAccount,
    WrongPassword,
)
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.text import is_storable
from accountsapp.domain.store import Store

log = logging.getLogger(__name__)

SIGN_INS = Counter("accountsapp_sign_ins", "Passwords that were presented to sign in", ["outcome"])


def authenticate(store: Store, typed: str, password: object) -> AccountRow:
    """The active account with that name or address and that password, as a person types them.

    Costs one bcrypt check whether or not the account exists; wrong ones are throttled by account and client
    address, for all doors together. A good hash of a lower cost, or of another system, is made anew.

    :param typed: a primary or verified address, which is tried first, or a username; white space around it
        does not matter
    :raises UnknownAccount: no such account, or one that was never activated
    :raises WrongPassword: no password, or another one
    :raises InactiveAccount: the password is right, but the account is not active
    :raises TooManyAttempts: too many wrong ones
    :raises Busy: too many checks at once
    """
    row = _find(store, typed)
    with _recording_failures(store, row):
        return _check(store, row, row.username_key if row else fold(typed.strip()), password)


def authenticate_remembered(store: Store, username: str, password: str, *, writes: bool = True) -> AccountRow:
    """As :func:`authenticate`, by name as it is, for a program that presents the password with every request.

    One that was right less than a minute ago costs no check, and of simultaneous requests with one password
    one is checked for all.

    :param writes: whether a failure is recorded, and a hash of a lower cost made anew
    """
    row = store.reader.by_username(username) if is_storable(username) else None
    key = row.username_key if row is not None else fold(username)
    # Looked at first, or a password that is remembered could be guessed without end.
    with _counting_refusals():
        store.throttle.check("password-address", store.client_network)
        store.throttle.check("password", key, store.client_network)
    if row is not None and store.remembered.knows(row, password):
        return row
    # Unknown names take turns too: who waits must tell nothing.
    with (
        _recording_failures(store, row) if writes else nullcontext(),
        store.passwords.admission(store.client_network),
        store.remembered.turn(key, password),
    ):
        if row is None or not store.remembered.knows(row, password):
            row = _check(store, row, key, password, writes=writes)
            store.remembered.remember(row, password)
    return row


def _check(
    store: Store, row: AccountRow | None, throttled_as: str, password: object, *, writes: bool = True
) -> AccountRow:
    known_hash = store.reader.password_hash(row.id) if row is not None else None
    with _counting_refusals(), store.throttle.guess(throttled_as, store.client_network):
        is_right = store.passwords.verify(password, known_hash, store.client_network)
        if row is None:
            raise UnknownAccount
        if not is_right or known_hash is None:
            raise UnknownAccount if row.state == AccountState.PENDING else WrongPassword
    SIGN_INS.labels("accepted").inc()
    if row.state != AccountState.ACTIVE:
        raise PendingAccount if row.state == AccountState.PENDING else InactiveAccount
    if writes and isinstance(password, str) and store.passwords.needs_rehash(known_hash):
        _rehash(store, row, password, known_hash)
    return row


@contextmanager
def _counting_refusals() -> Iterator[None]:
    try:
        yield
    except (UnknownAccount, WrongPassword):
        SIGN_INS.labels("refused").inc()
        raise
    except TooManyAttempts:
        SIGN_INS.labels("throttled").inc()
        raise
    except Busy:
        SIGN_INS.labels("busy").inc()
        raise


@contextmanager
def _recording_failures(store: Store, row: AccountRow | None) -> Iterator[None]:
    try:
        yield
    except (WrongPassword, InactiveAccount):
        store.record_apart(Event.SIGN_IN_FAILED, account_id=row.id if row is not None else None)
        raise


def sign_in(store: Store, row: AccountRow, *, former: str | None = None) -> str:
    """Begin a session for an account whose password was just entered.

    :param former: the value of a session that this one takes the place of, whose ever it was; it ends
    :returns: the value of the session cookie
    :raises StaleCredential: it was locked, or its password changed, since it proved itself
    """
    account = lock_active(store.session, row.id)
    if account.credential_epoch != row.credential_epoch:
        raise StaleCredential
    store.actor = Actor(row.id)
    store.record(Event.SIGNED_IN, account_id=row.id)
    value = sessions.begin(store.session, account, store.client_address or None, by_password=True)
    if former is not None:
        sessions.end(store.session, former)
    store.session.flush()
    return value


def confirm(store: Store, row: AccountRow, password: object, value: str) -> None:
    """Enter the password in a session again: it is fresh (:func:`sessions.is_fresh`). A wrong one counts as a
    failed sign-in.

    :param value: of the session cookie
    :raises WrongPassword: it is not the account's
    :raises StaleCredential: the session ended, or the account was locked or its password changed, meanwhile
    :raises TooManyAttempts: too many wrong ones
    :raises Busy: too many checks at once
    """
    try:
        with _recording_failures(store, row):
            _check(store, row, row.username_key, password)
    except InactiveAccount:
        raise StaleCredential from None
    account = lock_active(store.session, row.id)
    is_same = account.credential_epoch == row.credential_epoch
    if not is_same or not sessions.note_password(store.session, account, value):
        raise StaleCredential


def sign_out(store: Store, value: str) -> None:
    """End the session of that value; one that does not live any more changes nothing.

    :param value: of the session cookie
    """
    row = sessions.find(store.connection, value)
    if row is None:
        return
    store.lock(row.account.id)
    if sessions.end(store.session, value):
        store.record(Event.SIGNED_OUT, account_id=row.account.id)


def _find(store: Store, typed: str) -> AccountRow | None:
    if not is_storable(typed):
        return None
    identifier = typed.strip()
    if "@" in identifier:
        owner_id = claims.owner_id(store.connection, identifier)
        if owner_id is not None:
            return store.reader.by_id(owner_id)
    return store.reader.by_username(typed) or store.reader.by_username(identifier)


def _rehash(store: Store, row: AccountRow, password: str, known_hash: str) -> None:
    """Another time will do: that it is not possible now must not refuse a right password.

    One that is too long for bcrypt, of another system, stays hashed as it is.
    """
    if not store.passwords.can_hash(password):
        return
    try:
        stronger = store.passwords.hash(password)
        with store.begin() as session:
            session.execute(
                update(Account)
                .where(Account.id == row.id, Account.password_hash == known_hash)
                .values(password_hash=stronger)
            )
    except (Busy, SQLAlchemyError) as error:
        log.warning("a hash was not made anew: %s", type(error).__name__)
