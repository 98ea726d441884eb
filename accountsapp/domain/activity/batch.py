"""What the writers of activity records share: the records of one transaction, and what became of them.

First the accounts are locked, then projects or add-ons, each in the order of their ids: whoever writes at the
same time waits, and nobody waits in a circle.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, and_, column, select, values
from sqlalchemy.orm import InstrumentedAttribute

from accountsapp.domain.activity.record import Record, usernames_of
from accountsapp.domain.data.models import Account
from accountsapp.domain.rules.folding import fold

MOST_PARAMETERS = 10_000
"""Of one statement; SQLite admits 32,766."""

R = TypeVar("R", bound=Record)
T = TypeVar("T")


@dataclass(frozen=True)
class Item(Generic[R]):
    """A good record."""

    line: int
    record: R


class NewReview(NamedTuple):
    """A review that was made."""

    addon_id: int
    reviewer_id: int


@dataclass
class Result:
    """Of one batch; made anew when its transaction is tried again."""

    created: int = 0
    updated: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Line numbers, and what is wrong."""
    reviews: list[NewReview] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        """Count another one in."""
        self.created += other.created
        self.updated += other.updated
        self.refused += other.refused
        self.reviews += other.reviews

    def refuse(self, item: Item[Any], text: str) -> None:
        self.refused.append((item.line, text))


class Batch:
    """The records of one transaction; their accounts are locked."""

    def __init__(self, connection: Connection, items: list[Item[Any]]) -> None:
        self.connection = connection
        self.result = Result()
        names = {name for item in items for name in usernames_of(item.record)}
        self._accounts = locked_ids(connection, Account, Account.username_key, names)

    def account(self, item: Item[Any], username: str, key: str = "username") -> int | None:
        """The id of the account of that name; where there is none, the record is refused.

        :param key: where the record names it
        """
        account_id = self._accounts.get(fold(username))
        if account_id is None:
            self.result.refuse(item, f"{key}: no such account")
        return account_id


def locked_ids(
    connection: Connection, model: Any, identity: InstrumentedAttribute[str], names: Iterable[str]
) -> dict[str, int]:
    """The ids of the rows that have these names, locked."""
    ids: dict[str, int] = {}
    for chunk in chunks(sorted(set(names))):
        rows = select(identity, model.id).where(identity.in_(chunk)).order_by(model.id)
        ids |= {row[0]: row.id for row in connection.execute(rows.with_for_update(key_share=True))}
    return ids


def rows_of_pairs(
    connection: Connection, columns: tuple[Any, Any], pairs: Iterable[tuple[int, Any]], *more: Any
) -> Iterator[Any]:
    """Those rows that have one of the pairs in two columns, which an index begins with.

    The pairs are joined, each with the rows that the index finds for it: SQLite reads the whole table for
    ``(a, b) IN (…)``.

    :param more: further columns to select
    :returns: rows of the two columns and the others
    """
    for chunk in chunks(pairs, MOST_PARAMETERS // 2):
        wanted = values(
            *(column(name, of.type) for name, of in zip("ab", columns, strict=True)), name="wanted"
        )
        pairs_of_chunk = wanted.data(chunk).cte("wanted")
        same = and_(columns[0] == pairs_of_chunk.c.a, columns[1] == pairs_of_chunk.c.b)
        yield from connection.execute(
            select(*columns, *more).select_from(pairs_of_chunk).join(columns[0].table, same)
        )


def chunks(values: Iterable[T], size: int = MOST_PARAMETERS) -> Iterator[list[T]]:
    """The values, so many at a time that a statement can take them as parameters."""
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk
