"""Lists of accounts, for administrators."""

from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, literal_column, select

from accountsapp.domain import jobs
from accountsapp.domain.accounts.lifecycle import delete_untold
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import IS_INACTIVE, IS_THERE, Account, AccountState, EmailAddress, Link
from accountsapp.domain.data.reads import AccountRow, Columns, selection_of
from accountsapp.domain.errors import StaleCredential
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.store import Store

MOST_INVITES = 1_000_000
STALE_AFTER = timedelta(days=33)
"""After how long a pending account that nobody activated is stale."""
ACCOUNTS_AT_ONCE = 100
"""Accounts that one transaction deletes."""
LONGEST_REMOVAL = 3.0
"""Seconds after which a request leaves the rest to a job."""
DELETE_STALE = "delete_stale_accounts"
"""The name of the job."""

ORDERS: dict[str, tuple[Any, ...]] = {
    "username": (Account.username_key,),
    "email": (EmailAddress.address_key,),
    "signup": (Account.signup.is_(None), Account.signup, Account.id),
    "last_login": (Account.last_login.is_(None), Account.last_login, Account.id),
    "name": (Account.name.is_(None), literal_column("substr(account.name, 1, 200)"), Account.id),
}
"""How lists are sorted: as an index has it, or every account is read for every page."""


class Page(NamedTuple):
    """A part of a list."""

    rows: list[AccountRow]
    total: int


def users(connection: Connection, columns: Columns, *, order: str, limit: int, offset: int) -> Page:
    """All accounts.

    :param columns: what the ``profile`` of each has
    :param order: a key of :data:`ORDERS`; unknown values come last, equal ones by id
    """
    accounts = selection_of(columns)
    rows = connection.execute(accounts.statement.order_by(*ORDERS[order]).limit(limit).offset(offset))
    return Page([accounts.row(row) for row in rows], _count(connection))


def inactive(connection: Connection, columns: Columns, *, limit: int, offset: int) -> Page:
    """Pending and deactivated accounts, by username.

    :param columns: what the ``profile`` of each has
    """
    accounts = selection_of(columns)
    statement = accounts.statement.where(IS_INACTIVE).order_by(Account.username_key)
    rows = connection.execute(statement.limit(limit).offset(offset))
    return Page([accounts.row(row) for row in rows], _count(connection, IS_INACTIVE))


def invites(connection: Connection, *, limit: int, offset: int) -> list[tuple[str, int]]:
    """Username and number of invitations left of every account, by username."""
    statement = (
        select(Account.username, Account.invite_ct)
        .where(IS_THERE)
        .order_by(Account.username_key)
        .limit(limit)
        .offset(offset)
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


def delete_stale(store: Store) -> None:
    """Remove the accounts of :func:`stale`, in parts that are a transaction each: others write in between.

    What is not done after :data:`LONGEST_REMOVAL` is left to a job.
    """
    end = monotonic() + LONGEST_REMOVAL
    while True:
        with store.apart() as part:
            if delete_stale_part(part) < ACCOUNTS_AT_ONCE:
                return
            if monotonic() > end:
                by = {"actor_id": store.actor_id, "address": store.client_address}
                jobs.enqueue(part.session, DELETE_STALE, by, unique_key=DELETE_STALE)
                return


@handles(DELETE_STALE)
def delete_stale_later(store: Store, job: LeasedJob) -> None:
    """Go on with :func:`delete_stale`, for as long as the administrator who began it is active."""
    store.actor_id, store.client_address = job.payload["actor_id"], job.payload["address"]
    while True:
        try:
            with store.apart() as part:
                if delete_stale_part(part) < ACCOUNTS_AT_ONCE:
                    return
        except StaleCredential:
            return


def delete_stale_part(store: Store) -> int:
    """Remove some of the accounts of :func:`stale`, locked first: one that was activated meanwhile stays.

    :returns: how many; fewer than :data:`ACCOUNTS_AT_ONCE` when there is none left
    """
    locked = _stale().limit(ACCOUNTS_AT_ONCE).with_for_update(of=Account, key_share=True)
    accounts = store.session.execute(locked).all()
    for account_id, _username in accounts:
        delete_untold(store, account_id)
    return len(accounts)


def _stale() -> Any:
    before = now() - STALE_AFTER
    sent_lately = select(Link.id).where(Link.account_id == Account.id, Link.created >= before).exists()
    return (
        select(Account.id, Account.username)
        .where(IS_INACTIVE, Account.state == AccountState.PENDING, Account.signup < before, ~sent_lately)
        .order_by(Account.username_key)
    )


def _count(connection: Connection, *conditions: Any) -> int:
    counting = select(func.count()).select_from(Account)
    # Those that are to be deleted are few, and inactive. To look for them in every row would cost reading it.
    counts = counting.where(*conditions), counting.where(~IS_THERE)
    every, doomed = (connection.execute(statement).scalar_one() for statement in counts)
    return every - doomed
