"""The first step of every change: lock the account's row, and read it as it is now; then its addresses."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, func, select, union_all
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

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


def lock_together(
    session: Session, *account_ids: int | None, besides: ColumnElement[bool]
) -> Collection[int]:
    """The first step of what is going to write to several accounts: lock them all in the order of their ids,
    with that of who does it. Of two who do so none waits for the other in a circle.

    Each is then locked by itself as ever, which waits for nobody any more.

    :param account_ids: those that are known; None is none
    :param besides: which others it may write to
    :returns: the ids of those that are there
    """
    known = Account.id.in_(account_id for account_id in account_ids if account_id is not None)
    # With ``OR`` PostgreSQL reads every row if a side is a subselect, SQLite if a column is mostly empty.
    concerned = union_all(*(select(Account.id).where(each).correlate(None) for each in (known, besides)))
    locked = select(Account.id).where(Account.id.in_(concerned)).order_by(Account.id)
    return session.scalars(locked.with_for_update(key_share=True)).all()


def are_invited_by(*account_ids: int) -> ColumnElement[bool]:
    """Of an account: one of these invited it, whose name it has."""
    inviter = aliased(Account)
    return Account.invited_by.in_(select(inviter.username).where(inviter.id.in_(account_ids)))


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
