"""The place of a member among all in an order, without counting a million rows.

An order is cut into parts of some hundred members, whose numbers are kept. A place is the sum of the parts
before it and a short way within one. What changed since the parts were counted is added when they are read;
now and then it is folded into them, and parts that have grown too large are cut anew.
"""

from bisect import bisect_right
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    text,
    tuple_,
    union_all,
    update,
)

from accountsapp.domain.data.member_models import Member, MemberChange, MemberPart
from accountsapp.domain.data.models import Base, UTCDateTime
from accountsapp.domain.data.prepared import Prepared

_parts = Base.metadata.tables[MemberPart.__tablename__]
_PART_KEY = (_parts.c.standing, _parts.c.joined, _parts.c.account_id)

PART = 500
"""Members of a part that was just cut."""
LARGEST_PART = 1000
MOST_FOLDED = 20_000
"""Changes that are folded one by one; if there are more, all parts are cut anew."""
FOLD_FROM = 2000
"""Changes from which on somebody who made many folds them."""

Key = tuple[int, datetime, int]
"""Standing, time, account: what the members are ordered by; in the order ``newest`` the standing is 0."""

FEW_PARTS = 100
SMALL_PARTS = 4
"""Where there are so many times more parts than were needed, beside :data:`FEW_PARTS`, all are cut anew."""

NEWEST, STANDING = "newest", "standing"
ORDERS = (NEWEST, STANDING)

_COUNT = (
    update(_parts)
    .where(
        _parts.c.in_order == bindparam("of_order"),
        _parts.c.standing == bindparam("of_standing"),
        _parts.c.joined == bindparam("of_joined"),
        _parts.c.account_id == bindparam("of_account_id"),
    )
    .values(members=bindparam("number"))
)


class Place(NamedTuple):
    """Where a part begins, and how far into it to go."""

    key: Key | None
    """None for a part without an end on that side."""
    offset: int


class Places:
    """The parts of one order at one moment."""

    def __init__(self, keys: list[Key], numbers: list[int]) -> None:
        self.keys = keys
        self.numbers = numbers
        self._sums = list(accumulate(numbers, initial=0))

    @property
    def total(self) -> int:
        """How many members there are."""
        return self._sums[-1]

    def from_end(self, number: int) -> Place:
        """Where the member is that has so many behind it, counted from the end.

        :returns: the key before which the part with it ends, and how many of the part come behind it
        """
        part = bisect_right(self._sums, self.total - 1 - number) - 1
        end = self.keys[part + 1] if part + 1 < len(self.keys) else None
        return Place(end, number - (self.total - self._sums[part + 1]))

    def before(self, key: Key) -> Place:
        """How many members come before that key.

        :returns: the key at which the part with it begins, and how many come before the part
        """
        part = _part_of(self.keys, key)
        return Place(self.keys[part] if part > 0 else None, self._sums[max(part, 0)])


def _parts_and_changes(order: str) -> CompoundSelect[Any]:
    """Order, key and number: of each part, and without an order of each change."""
    parts = select(_parts.c.in_order, *_PART_KEY, _parts.c.members).where(_parts.c.in_order == order)
    changes = (
        select(
            null(),
            MemberChange.standing,
            MemberChange.joined,
            MemberChange.account_id,
            MemberChange.delta,
        )
        .order_by(MemberChange.id)
        .limit(bindparam("most", type_=Integer))
        .subquery()
    )
    return union_all(parts, select(changes))


_PARTS_AND_CHANGES = {order: Prepared(_parts_and_changes(order)) for order in ORDERS}


def read(connection: Connection, order: str, most_changes: int = MOST_FOLDED) -> tuple[Places, int]:
    """The parts of an order as they are now, in one statement.

    :returns: them, and how many changes wait to be folded
    """
    rows = _PARTS_AND_CHANGES[order].all(connection, most=most_changes)
    counts = sorted((_key_of(row), row[4]) for row in rows if row[0])
    keys, numbers = [key for key, _ in counts], [number for _, number in counts]
    waiting = [row for row in rows if not row[0]]
    _add(order, keys, numbers, waiting)
    return Places(keys, numbers), len(waiting)


def _add(order: str, keys: list[Key], numbers: list[int], changes: list[Any]) -> set[int]:
    """Add changes to the numbers of parts.

    :returns: which parts have another number
    """
    if changes and not keys:
        keys.append(_within(order, min(_key_of(row) for row in changes)))
        numbers.append(0)
    changed = set()
    for row in changes:
        part = max(_part_of(keys, _within(order, _key_of(row))), 0)
        numbers[part] += row[4]
        changed.add(part)
    return changed


def _part_of(keys: list[Key], key: Key) -> int:
    return bisect_right(keys, key) - 1


def _key_of(row: Any) -> Key:
    return row[1], row[2], row[3]


def _within(order: str, key: Key) -> Key:
    return key if order == STANDING else (0, *key[1:])


def fold_when_many(connection: Connection) -> int:
    """Fold what waits, if that is :data:`FOLD_FROM` changes or more: after a part of a bulk act.

    As :func:`fold`, in a transaction that has done nothing yet.
    """
    _see_one_moment(connection)
    return _fold_waiting(connection) if _waiting(connection, FOLD_FROM) >= FOLD_FROM else 0


def fold(connection: Connection) -> int:
    """Add the changes to the parts and forget them, in a transaction that has done nothing yet.

    It sees one moment, so that what is counted in a part is what its changes made of it. On PostgreSQL, who
    folds at the same time fails and may try again.

    :returns: how many changes there were
    """
    _see_one_moment(connection)
    return _fold_waiting(connection)


def _see_one_moment(connection: Connection) -> None:
    """PostgreSQL takes this before the first statement of a transaction alone."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def _fold_waiting(connection: Connection) -> int:
    waiting = _waiting(connection, MOST_FOLDED + 1)
    if waiting > MOST_FOLDED:
        connection.execute(delete(MemberChange))
        for order in ORDERS:
            _cut(connection, order)
    elif waiting:
        columns = (MemberChange.id, MemberChange.standing, MemberChange.joined, MemberChange.account_id)
        rows = connection.execute(delete(MemberChange).returning(*columns, MemberChange.delta)).all()
        for order in ORDERS:
            _fold(connection, order, list(rows))
    return waiting


def _waiting(connection: Connection, most: int) -> int:
    some = select(MemberChange.id).limit(most).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def _fold(connection: Connection, order: str, changes: list[Any]) -> None:
    statement = select(_parts.c.in_order, *_PART_KEY, _parts.c.members).where(_parts.c.in_order == order)
    counts = sorted((_key_of(row), row[4]) for row in connection.execute(statement))
    keys, numbers = [key for key, _ in counts], [number for _, number in counts]
    changed = _add(order, keys, numbers, changes)
    if not counts or len(keys) > FEW_PARTS + SMALL_PARTS * sum(numbers) // PART:
        _cut(connection, order)
        return
    counted: list[dict[str, Any]] = []
    for part in changed:
        this = _is_part(order, keys[part])
        if numbers[part] > LARGEST_PART:
            after = keys[part + 1] if part + 1 < len(keys) else None
            _cut(connection, order, keys[part] if part else None, after)
        elif numbers[part]:
            standing, joined, account_id = keys[part]
            of = {
                "of_order": order,
                "of_standing": standing,
                "of_joined": joined,
                "of_account_id": account_id,
            }
            counted.append({**of, "number": numbers[part]})
        else:
            connection.execute(delete(_parts).where(*this))
    if counted:
        connection.execute(_COUNT, counted)


def _cut(connection: Connection, order: str, first: Key | None = None, end: Key | None = None) -> None:
    """Make parts of :data:`PART` members.

    :param first: of those from there on, of all by default; ``end`` before which they end
    """
    connection.execute(
        delete(_parts).where(_parts.c.in_order == order, *_between(order, tuple(_PART_KEY), first, end))
    )
    members = _between(order, (Member.standing, Member.joined, Member.account_id), first, end)
    number = connection.scalar(select(func.count()).select_from(Member).where(*members)) or 0
    standing = Member.standing if order == STANDING else literal(0)
    place = func.row_number().over(order_by=key_columns(order)) - 1
    numbered = (
        select(standing.label("standing"), Member.joined, Member.account_id, place.label("place"))
        .where(*members)
        .subquery()
    )
    left = number - numbered.c.place
    cut = select(
        literal(order),
        numbered.c.standing,
        numbered.c.joined,
        numbered.c.account_id,
        case((left < PART, left), else_=PART),
    ).where(numbered.c.place % PART == 0)
    connection.execute(
        insert(_parts).from_select(["in_order", "standing", "joined", "account_id", "members"], cut)
    )


def key_columns(order: str) -> list[Any]:
    """The columns of :class:`Member` that make the order."""
    columns = [Member.joined, Member.account_id]
    return [Member.standing, *columns] if order == STANDING else columns


def is_before(order: str, name: str) -> ColumnElement[bool]:
    """Of a :class:`Member`: whether it comes before the key in the parameters ``name`` with ``_standing``,
    ``_joined``, ``_account_id``."""
    return _tuple(key_columns(order)) < tuple_(*_parameters(order, name))


def is_from(order: str, name: str) -> ColumnElement[bool]:
    """As :func:`is_before`: whether it is at that key or comes after it."""
    return _tuple(key_columns(order)) >= tuple_(*_parameters(order, name))


def values_of(order: str, name: str, key: Key) -> dict[str, Any]:
    """The parameters of :func:`is_before`."""
    values = {f"{name}_joined": key[1], f"{name}_account_id": key[2]}
    return values | {f"{name}_standing": key[0]} if order == STANDING else values


def _parameters(order: str, name: str) -> list[ColumnElement[Any]]:
    parameters: list[ColumnElement[Any]] = [
        bindparam(f"{name}_joined", type_=UTCDateTime()),
        bindparam(f"{name}_account_id", type_=Integer()),
    ]
    if order == STANDING:
        parameters.insert(0, bindparam(f"{name}_standing", type_=Integer()))
    return parameters


def _between(
    order: str, columns: tuple[Any, ...], first: Key | None, end: Key | None
) -> list[ColumnElement[bool]]:
    """
    :param columns: standing, time, account
    """
    skipped = 0 if order == STANDING else 1
    key = _tuple(columns[skipped:])
    conditions = []
    if first is not None:
        conditions.append(key >= tuple_(*_literals(first)[skipped:]))
    if end is not None:
        conditions.append(key < tuple_(*_literals(end)[skipped:]))
    return conditions


def _literals(key: Key) -> list[ColumnElement[Any]]:
    return [literal(key[0], Integer()), literal(key[1], UTCDateTime()), literal(key[2], Integer())]


def _tuple(columns: Any) -> Any:
    return tuple_(*columns)


def _is_part(order: str, key: Key) -> list[ColumnElement[bool]]:
    return [
        _parts.c.in_order == order,
        *(column == value for column, value in zip(_PART_KEY, key, strict=True)),
    ]
