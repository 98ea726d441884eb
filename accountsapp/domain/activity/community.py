"""The community: the listed accounts by time and by rank, and what happened of late.

A page costs the same wherever it is and however many accounts there are (``data/places.py``). What all pages
share is computed at most once in three seconds by each process, and lags less than five (``recent.py``).
"""

import logging
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Integer, Select, bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from accountsapp.domain.data import places
from accountsapp.domain.data.member_models import Member
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.places import NEWEST, STANDING, Places
from accountsapp.domain.data.prepared import Prepared
from accountsapp.domain.data.reads import Columns, column_of
from accountsapp.domain.job_handlers import clears
from accountsapp.domain.store import Store

log = logging.getLogger(__name__)

T = TypeVar("T")

PAGE = 24
"""Accounts of a page."""
TOP = 20


class MemberRow(NamedTuple):
    """A listed account."""

    id: int
    username: str
    created: datetime
    """When it signed up, else when its row was made."""
    score: int
    """The number of its contributions."""
    profile: Any
    """The columns that were asked for."""


class RankedMember(NamedTuple):
    """A listed account and its place, from 1 on."""

    rank: int
    member: MemberRow


class Standing(NamedTuple):
    """How an account stands in the community.

    :ivar rank: its place, from 1 on; None for an account that is not listed
    :ivar score: how many contributions it has, listed or not
    """

    rank: int | None
    score: int


_accounts = Account.__table__
_WITHOUT_PROFILE = MemberRow._fields.index("profile")
_NEWEST_FIRST = (Member.joined.desc(), Member.account_id.desc())


class Selection:
    """How members are selected.

    :param columns: what their ``profile`` has
    """

    def __init__(self, columns: Columns) -> None:
        self._profile = columns
        self.columns = self._columns(Member.__table__.c.joined)
        self._width = len(self.columns)
        self.statement = select(*self.columns).join(Member, Member.account_id == Account.id)
        newest = select(Member.account_id, Member.joined).order_by(*_NEWEST_FIRST)
        newest = newest.limit(bindparam("most", type_=Integer)).offset(bindparam("offset", type_=Integer))
        self.newest = self._of(newest)
        self.newest_before = self._of(newest.where(places.is_before(NEWEST, "end")))
        self.best = Prepared(self.statement.order_by(*places.key_columns(STANDING)).limit(TOP))
        self.one = Prepared(self.statement.where(Member.account_id == bindparam("account_id")))

    def _columns(self, joined: ColumnElement[datetime]) -> tuple[ColumnElement[Any], ...]:
        profile = map(column_of, self._profile._fields)
        return (_accounts.c.id, _accounts.c.username, joined, _accounts.c.n_contributions, *profile)

    def _of(self, newest: Select[int, datetime]) -> Prepared:
        """Those members: only for them the account is read, not for those that are skipped."""
        members = newest.subquery()
        rows = select(*self._columns(members.c.joined)).join(members, members.c.account_id == _accounts.c.id)
        return Prepared(rows.order_by(members.c.joined.desc(), members.c.account_id.desc()))

    def row(self, values: Sequence[Any]) -> MemberRow:
        """The member that the values begin with."""
        profile = self._profile._make(values[_WITHOUT_PROFILE : self._width])
        return MemberRow._make((*values[:_WITHOUT_PROFILE], profile))


selection_of = cache(Selection)
"""The selection for those columns, made once."""

_COUNT = select(func.count()).select_from(Member)
_BEFORE = Prepared(_COUNT.where(places.is_before(STANDING, "end")))
_BETWEEN = Prepared(_COUNT.where(places.is_from(STANDING, "first"), places.is_before(STANDING, "end")))
_STANDING = Prepared(
    select(Account.n_contributions, Member.standing, Member.joined)
    .outerjoin(Member, Member.account_id == Account.id)
    .where(Account.id == bindparam("account_id"))
)


def total(store: Store) -> int:
    """How many accounts are listed."""
    return _places(store, NEWEST).total


def page(store: Store, number: int, columns: Columns) -> list[MemberRow] | None:
    """Listed accounts, the newest first, then by the highest id.

    :param number: from 1 on
    :param columns: what their ``profile`` has
    :returns: :data:`PAGE` of them, on the last page less; the same object while it is the same. None beyond
    """
    return made_of_page(store, number, columns, "page", lambda members: members)


def made_of_page(
    store: Store, number: int, columns: Columns, kind: Hashable, make: Callable[[list[MemberRow]], T]
) -> T | None:
    """What is made of a :func:`page`, in place of which it is kept.

    :param kind: what it is
    :param make: makes it of the accounts
    :returns: None beyond the last page
    """
    newest = _places(store, NEWEST)
    if number != 1 and not 0 <= (number - 1) * PAGE < newest.total:
        return None
    return store.recent.made_of(
        (kind, columns, number), newest, lambda newest: make(_page(store.connection, newest, number, columns))
    )


def _page(connection: Connection, members: Places, number: int, columns: Columns) -> list[MemberRow]:
    selection = selection_of(columns)
    end, offset = members.from_end((number - 1) * PAGE) if number > 1 else (None, 0)
    if end is None:
        rows = selection.newest.all(connection, most=PAGE, offset=offset)
    else:
        before = places.values_of(NEWEST, "end", end)
        rows = selection.newest_before.all(connection, most=PAGE, offset=offset, **before)
    return [selection.row(row) for row in rows]


def pages(store: Store) -> int:
    """How many pages there are; at least one."""
    return max(1, -(-total(store) // PAGE))


def standing(store: Store, account_id: int) -> Standing:
    """How an account stands among the listed ones: by score, then who signed up first, then the lower id."""
    row = _STANDING.first(store.connection, account_id=account_id)
    if row is None:
        return Standing(None, 0)
    score, place, joined = row
    if joined is None:
        return Standing(None, score)
    return Standing(_rank(store, (place, joined, account_id)), score)


def _rank(store: Store, key: tuple[int, datetime, int]) -> int:
    first, number = _places(store, STANDING).before(key)
    end = places.values_of(STANDING, "end", key)
    if first is None:
        within = _BEFORE.first(store.connection, **end)
    else:
        within = _BETWEEN.first(store.connection, **end, **places.values_of(STANDING, "first", first))
    return number + (within[0] if within is not None else 0) + 1


def top(store: Store, columns: Columns, account_id: int | None = None) -> tuple[RankedMember, ...]:
    """The listed accounts of the best rank.

    :param columns: what their ``profile`` has
    :param account_id: one that is shown at the end if it is listed and not among them
    :returns: the same object for everybody, while it is the same and nobody is added
    """
    best = store.recent.get(("top", columns), lambda: _best(store.connection, columns))
    if account_id is None or any(ranked.member.id == account_id for ranked in best):
        return best
    selection = selection_of(columns)
    row = selection.one.first(store.connection, account_id=account_id)
    place = standing(store, account_id).rank
    if row is None or place is None:
        return best
    return (*best, RankedMember(place, selection.row(row)))


def _best(connection: Connection, columns: Columns) -> tuple[RankedMember, ...]:
    selection = selection_of(columns)
    best = enumerate(selection.best.all(connection), 1)
    return tuple(RankedMember(place, selection.row(row)) for place, row in best)


def _places(store: Store, order: str) -> Places:
    return store.recent.get(("places", order), lambda: _read_places(store, order))


def _read_places(store: Store, order: str) -> Places:
    members, waiting = places.read(store.connection, order, places.FOLD_FROM)
    if waiting < places.FOLD_FROM:
        return members
    try:
        with store.begin() as session:
            places.fold(session.connection())
    except SQLAlchemyError as error:
        log.warning("changes of members were not folded: %s", type(error).__name__)
    return places.read(store.connection, order)[0]


@clears
def fold_changes(session: Session) -> int:
    """Fold what changed into the parts (:func:`places.fold`)."""
    return places.fold(session.connection())
