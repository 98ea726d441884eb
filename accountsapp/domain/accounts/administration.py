"""Lists of accounts, for administrators.

A page costs the same at the beginning and at the end of a list: an index is read from the nearer end, and
many accounts are counted now and then.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, Select, bindparam, func, literal_column, select

from accountsapp.domain import jobs
from accountsapp.domain.accounts.lifecycle import delete_untold
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import IS_INACTIVE, IS_THERE, Account, AccountState, EmailAddress, Link
from accountsapp.domain.data.prepared import Prepared
from accountsapp.domain.data.proofs import ADMINISTRATOR
from accountsapp.domain.data.reads import AccountRow, Columns, selection_of
from accountsapp.domain.errors import AuthorityChanged, StaleCredential
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.recent import Recent
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
MOST_SKIPPED = 1000
"""Accounts that may be read and skipped before a page."""
COUNTED_EACH_TIME = 10_000
"""From so many accounts on they are not all counted for every page."""


Statement = Select[*tuple[Any, ...]]


class Page(NamedTuple):
    """A part of a list."""

    rows: list[AccountRow]
    total: int


class _Ordered:
    """A list, read from both ends; of what is skipped before a page far from both, the index alone.

    :param statement: the list
    :param ids: those of the accounts in it
    :param keys: what both are sorted by
    """

    def __init__(self, statement: Statement, ids: Select[int], keys: Sequence[Any]) -> None:
        most, skipped = bindparam("most", type_=Integer), bindparam("skipped", type_=Integer)
        self._parts = {}
        for is_backward in (False, True):
            order = [key.desc() for key in keys] if is_backward else keys
            some = ids.order_by(*order).limit(most).offset(skipped).subquery()
            far = statement.join(some, some.c.id == Account.id).order_by(*order)
            near = statement.order_by(*order).limit(most).offset(skipped)
            self._parts[is_backward] = Prepared(near), Prepared(far)

    def part(self, connection: Connection, total: int, *, limit: int, offset: int) -> Sequence[Sequence[Any]]:
        """
        :param total: how long the list is
        """
        after = total - offset - limit
        is_backward = MOST_SKIPPED <= offset > after
        most, skipped = (limit + min(after, 0), max(after, 0)) if is_backward else (limit, offset)
        if most <= 0:
            return []
        near, far = self._parts[is_backward]
        rows = (far if skipped > MOST_SKIPPED else near).all(connection, most=most, skipped=skipped)
        return rows[::-1] if is_backward else rows


_DOOMED_IDS = select(Account.id).where(~IS_THERE)
_IDS = select(Account.id).where(Account.id.not_in(_DOOMED_IDS))
_IDS_OF_ADDRESSES = select(EmailAddress.account_id.label("id")).where(
    EmailAddress.primary, EmailAddress.account_id.not_in(_DOOMED_IDS)
)


@cache
def _users(columns: Columns, order: str) -> _Ordered:
    ids = _IDS_OF_ADDRESSES if order == "email" else _IDS
    return _Ordered(selection_of(columns).statement, ids, ORDERS[order])


@cache
def _inactive(columns: Columns) -> _Ordered:
    accounts = selection_of(columns).statement.where(IS_INACTIVE)
    return _Ordered(accounts, _IDS.where(IS_INACTIVE), ORDERS["username"])


_INVITES = _Ordered(select(Account.username, Account.invite_ct).where(IS_THERE), _IDS, ORDERS["username"])
_NUMBER = select(func.count()).select_from(Account)
# Those that are to be deleted are few, and inactive. To look for them in every row would cost reading it.
_DOOMED = _NUMBER.where(~IS_THERE).scalar_subquery()
_LAST_ID = select(func.max(Account.id)).scalar_subquery()
_EVERY = Prepared(select(_NUMBER.scalar_subquery(), _LAST_ID))
_SINCE = Prepared(
    select(_NUMBER.where(Account.id > bindparam("last_id", type_=Integer)).scalar_subquery() - _DOOMED)
)
_INACTIVE = Prepared(select(_NUMBER.where(IS_INACTIVE).scalar_subquery() - _DOOMED))


def users(
    connection: Connection,
    columns: Columns,
    *,
    order: str,
    limit: int,
    offset: int,
    recent: Recent | None = None,
) -> Page:
    """All accounts.

    :param columns: what the ``profile`` of each has
    :param order: a key of :data:`ORDERS`; unknown values come last, equal ones by id
    :param recent: where the number of many accounts is kept for a while; one that is erased meanwhile is
        counted still. Without it they are counted each time
    """
    number = total(connection, recent)
    rows = _users(columns, order).part(connection, number, limit=limit, offset=offset)
    return Page([selection_of(columns).row(row) for row in rows], number)


def inactive(connection: Connection, columns: Columns, *, limit: int, offset: int) -> Page:
    """Pending and deactivated accounts, by username.

    :param columns: what the ``profile`` of each has
    """
    number = _number(_INACTIVE, connection)
    rows = _inactive(columns).part(connection, number, limit=limit, offset=offset)
    return Page([selection_of(columns).row(row) for row in rows], number)


def invites(
    connection: Connection, *, limit: int, offset: int, recent: Recent | None = None
) -> list[tuple[str, int]]:
    """Username and number of invitations left of every account, by username.

    :param recent: as in :func:`users`
    """
    rows = _INVITES.part(connection, total(connection, recent), limit=limit, offset=offset)
    return [(username, count) for username, count in rows]


def total(connection: Connection, recent: Recent | None) -> int:
    """How many accounts there are.

    :param recent: as in :func:`users`
    """
    number, last_id = (
        recent.get("accounts", lambda: _row_count(connection)) if recent else _row_count(connection)
    )
    if number < COUNTED_EACH_TIME:
        number, last_id = _row_count(connection)
    return number + _number(_SINCE, connection, last_id=last_id)


def _row_count(connection: Connection) -> tuple[int, int]:
    """How many rows there are, and the last id of them."""
    number, last_id = _EVERY.first(connection) or (0, 0)
    return number, last_id or 0


def _number(statement: Prepared, connection: Connection, **parameters: Any) -> int:
    (number,) = statement.first(connection, **parameters) or (0,)
    return int(number)


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
    """Go on with :func:`delete_stale`, for as long as the administrator who began it is one, and active."""
    store.act_for(job.payload["actor_id"], job.payload["address"], ADMINISTRATOR)
    while True:
        try:
            with store.apart() as part:
                if delete_stale_part(part) < ACCOUNTS_AT_ONCE:
                    return
        except (StaleCredential, AuthorityChanged):
            return


def delete_stale_part(store: Store) -> int:
    """Remove some of the accounts of :func:`stale`, locked first: one that was activated meanwhile stays.

    :returns: how many were looked at; fewer than :data:`ACCOUNTS_AT_ONCE` when there is none left
    """
    session = store.session
    ids = session.scalars(_stale().limit(ACCOUNTS_AT_ONCE)).all()
    locking.lock_together(session, store.actor_id, *ids, besides=locking.are_invited_by(*ids))
    store.check_actor()
    for account_id in session.scalars(_stale().where(Account.id.in_(ids))).all():
        delete_untold(store, account_id)
    return len(ids)


def _stale() -> Any:
    before = now() - STALE_AFTER
    sent_lately = select(Link.id).where(Link.account_id == Account.id, Link.created >= before).exists()
    return (
        select(Account.id, Account.username)
        .where(IS_INACTIVE, Account.state == AccountState.PENDING, Account.signup < before, ~sent_lately)
        .order_by(Account.username_key)
    )
