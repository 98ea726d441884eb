"""Lists of accounts, for administrators."""

from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from accountsapp.domain.accounts.lifecycle import delete
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, AccountState, EmailAddress, Link
from accountsapp.domain.data.reads import AccountRow, Columns, selection_of
from accountsapp.domain.store import Store

MOST_INVITES = 1_000_000
STALE_AFTER = timedelta(days=33)
"""After how long a pending account that nobody activated is stale."""

ORDERS: dict[str, Any] = {
    "username": Account.username_key,
    "email": EmailAddress.address_key,
    "signup": Account.signup,
    "last_login": Account.last_login,
    "name": Account.name,
}


class Page(NamedTuple):
    """A part of a list."""

    rows: list[AccountRow]
    total: int


def users(connection: Connection, columns: Columns, *, order: str, limit: int, offset: int) -> Page:
    """All accounts.

    :param columns: what the ``profile`` of each has
    :param order: a key of :data:`ORDERS`; unknown values come last, equal ones by id
    """
    column = ORDERS[order]
    accounts = selection_of(columns)
    statement = accounts.statement.order_by(column.is_(None), column, Account.id)
    rows = connection.execute(statement.limit(limit).offset(offset))
    return Page([accounts.row(row) for row in rows], _count(connection))


def inactive(connection: Connection, columns: Columns, *, limit: int, offset: int) -> Page:
    """Pending and deactivated accounts, by username.

    :param columns: what the ``profile`` of each has
    """
    is_inactive = Account.state != AccountState.ACTIVE
    accounts = selection_of(columns)
    statement = accounts.statement.where(is_inactive).order_by(Account.username_key)
    rows = connection.execute(statement.limit(limit).offset(offset))
    return Page([accounts.row(row) for row in rows], _count(connection, is_inactive))


def invites(connection: Connection, *, limit: int, offset: int) -> list[tuple[str, int]]:
    """Username and number of invitations left of every account, by username."""
    statement = (
        select(Account.username, Account.invite_ct).order_by(Account.username_key).limit(limit).offset(offset)
    )
    return [(username, count) for username, count in connection.execute(statement)]


def set_invites(store: Store, account_id: int, count: int) -> AccountRow:
    """Give an account that many invitations.

    :param count: 0 to :data:`MOST_INVITES`
    :returns: the account after it
    :raises AccountNotFound: it is gone
    """
    store.lock(account_id).invite_ct = count
    store.record(Event.INVITES_SET, account_id=account_id, count=count)
    return store.reread(account_id)


def stale(connection: Connection) -> list[tuple[int, str]]:
    """Id and username of pending accounts that signed up, and whose last code was sent, over 33 days ago."""
    return [(account_id, username) for account_id, username in connection.execute(_stale())]


def delete_stale(store: Store) -> int:
    """Remove the accounts of :func:`stale`, locked first: one that was activated meanwhile stays.

    :returns: how many
    """
    locked = _stale().with_for_update(of=Account, key_share=True)
    accounts = store.session.execute(locked).all()
    for account_id, _username in accounts:
        delete(store, account_id)
    return len(accounts)


def _stale() -> Any:
    before = now() - STALE_AFTER
    sent_lately = select(Link.id).where(Link.account_id == Account.id, Link.created >= before).exists()
    return (
        select(Account.id, Account.username)
        .where(Account.state == AccountState.PENDING, Account.signup < before, ~sent_lately)
        .order_by(Account.username_key)
    )


def _count(connection: Connection, *conditions: Any) -> int:
    statement = select(func.count()).select_from(Account).where(*conditions)
    return connection.execute(statement).scalar_one()
