"""A move that writes nothing: each transaction is rolled back, what it would have taken is noted aside."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection

from accountsapp.domain.errors import ApiKeyTaken, EmailTaken, UsernameTaken
from accountsapp.domain.transfer.known import Item
from accountsapp.domain.transfer.writing import Write

T = TypeVar("T")


class _RolledBack(Exception):
    """The work of a transaction was done, and is not to last."""


class Rehearsal:
    """What earlier batches would have taken stands in a database of its own, on disk as soon as it is large.

    :param write: runs one transaction
    """

    def __init__(self, write: Write) -> None:
        self._write_for_good = write
        self._taken = sqlite3.connect("")
        self._taken.execute("CREATE TABLE taken (value PRIMARY KEY) WITHOUT ROWID")

    def write(self, work: Callable[[Connection], T], /) -> T:
        """Do ``work`` in a transaction that is rolled back."""
        results: list[T] = []

        def undone(connection: Connection) -> None:
            results[:] = [work(connection)]
            raise _RolledBack

        with suppress(_RolledBack):
            self._write_for_good(undone)
        return results[0]

    def refusal(self, item: Item) -> str | None:
        """Why an item could not be taken, if an earlier batch was not to be rolled back."""
        if self._has_any([f"name {item.username_key}", f"address {item.username_as_address}"]):
            return str(UsernameTaken())
        addresses = [f"address {address}" for address in item.reserved]
        if self._has_any([*addresses, *(f"name {name}" for name in item.named)]):
            return str(EmailTaken())
        if self._has_any([*item.keys.default, *item.keys.named_digests]):
            return str(ApiKeyTaken())
        return None

    def take(self, items: Iterable[Item]) -> None:
        """Note what items have for themselves."""
        self._taken.executemany(
            "INSERT OR IGNORE INTO taken VALUES (?)", ((value,) for item in items for value in _own(item))
        )

    def _has_any(self, values: list[str] | list[bytes]) -> bool:
        if not values:
            return False
        marks = ", ".join("?" * len(values))
        statement = f"SELECT 1 FROM taken WHERE value IN ({marks}) LIMIT 1"  # noqa: S608 marks alone
        return self._taken.execute(statement, values).fetchone() is not None


def _own(item: Item) -> Iterator[str | bytes]:
    yield f"name {item.username_key}"
    yield from (f"address {address}" for address in item.reserved)
    yield from item.keys.default
    yield from item.keys.named_digests
