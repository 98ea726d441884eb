"""The first step of every change: lock the account's row, and read it as it is now; then its addresses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from typing import TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accountsapp.domain.data.models import Account
from accountsapp.domain.data.proofs import Actor, Rights, check_account, check_proof, lock_other
from accountsapp.domain.errors import (
    AccountNotFound,
    ApiKeyTaken,
    DomainError,
    EmailTaken,
    FxaIdTaken,
    StaleCredential,
    UsernameTaken,
)

Locked = TypeVar("Locked")

_UNIQUE: dict[str, type[DomainError]] = {
    "username_key": UsernameTaken,
    "address_taken": EmailTaken,
    "address_key": EmailTaken,
    "digest": ApiKeyTaken,
    "fxa_id": FxaIdTaken,
}
"""What a unique violation names, on PostgreSQL the constraint and on SQLite the column."""


def lock(session: Session, account_id: int, *, wholly: bool = False) -> Account:
    """The account's row, locked until the transaction ends, as it is now.

    :param wholly: keep out rows that refer to it, too. Otherwise the lock is ``FOR NO KEY UPDATE`` on
        PostgreSQL, which lets others record what they were refused
    :raises AccountNotFound: it is gone, or is to be deleted
    """
    account = lock_if_there(session, account_id, wholly=wholly)
    if account is None or account.deletion_asked is not None:
        raise AccountNotFound
    return account


def lock_if_there(session: Session, account_id: int, *, wholly: bool = False) -> Account | None:
    """As :func:`lock`, also an account that is to be deleted; None where there is no row."""
    kind = {"key_share": not wholly}
    return session.get(Account, account_id, with_for_update=kind, populate_existing=True)


def lock_active(session: Session, account_id: int) -> Account:
    """As :func:`lock_for`, for what an account alone can do: sign in, use a mailed link, let a client in."""
    return lock_for(session, account_id, Actor(account_id))


def lock_for(session: Session, account_id: int, actor: Actor | None, *, wholly: bool = False) -> Account:
    """As :func:`lock`, for a change by somebody: only the actor himself must be active.

    :param actor: who was proved; None for the operator
    :raises StaleCredential: the actor was deactivated or deleted since then, or what proved him was ended
    :raises AuthorityChanged: the actor has lost a right, or what proved him is not good for the same any more
    """
    lock_account = partial(lock, session, account_id, wholly=wholly)
    if actor is None or actor.account_id != account_id:
        return lock_with(session.connection(), account_id, actor, lock_account)
    try:
        account = lock_account()
    except AccountNotFound as error:
        raise StaleCredential from error
    rights = Rights(account.is_admin, account.is_staff, account.permissions)
    check_account(actor, account.state, account.credential_epoch, rights)
    check_proof(session.connection(), actor)
    return account


def lock_with(
    connection: Connection, account_id: int, actor: Actor | None, lock_account: Callable[[], Locked]
) -> Locked:
    """Lock an account, and that of somebody else who acts on it, in the order of their ids, then what proved
    him: two who act on each other do not wait in a circle, nor does who ends a session of another account.

    :param lock_account: locks the one that is acted on
    :raises StaleCredential, AuthorityChanged: as :func:`lock_for`
    """
    if actor is not None and actor.account_id < account_id:
        lock_other(connection, actor)
    locked = lock_account()
    if actor is not None:
        if actor.account_id > account_id:
            lock_other(connection, actor)
        check_proof(connection, actor)
    return locked


def lock_address(session: Session, address_key: str) -> None:
    """Keep everybody else from claiming or proving an address until the transaction ends.

    Taken after the accounts and before any row of an address, so that nobody waits in a circle. An address
    that nobody has is no row that could be locked. On SQLite who writes is alone anyway.

    :param address_key: the folded address
    """
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(sha256(address_key.encode()).digest()[:8], signed=True)
        session.execute(select(func.pg_advisory_xact_lock(number)))


@contextmanager
def refusing_duplicates() -> Iterator[None]:
    """Turns a unique violation, by somebody who was faster, into the domain's refusal."""
    try:
        yield
    except IntegrityError as error:
        refusal = duplicate_of(error)
        if refusal is None:
            raise
        raise refusal from error


def duplicate_of(error: IntegrityError) -> DomainError | None:
    """What a unique violation means; None for a violation of another kind."""
    text = str(error.orig)
    return next((refusal() for column, refusal in _UNIQUE.items() if column in text), None)
