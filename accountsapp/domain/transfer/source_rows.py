"""Rows of another system, on their way to be accounts here, and what became of them."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from accountsapp.domain.keyring import Keyring
from accountsapp.domain.transfer.known import Item
from accountsapp.domain.transfer.named_keys import given_keys
from accountsapp.domain.transfer.record import AccountRecord

PASSWORD_KEYS = ("password", "password_hash")


class SourceRow(NamedTuple):
    """An account of another system.

    :ivar place: where it stands there, such as ``users 7``
    :ivar record: an account record; None where it makes none
    :ivar problem: why it makes none
    """

    place: str
    record: dict[str, Any] | None
    problem: str = ""


class MarkedRow(NamedTuple):
    """A row that can be compared with what is remembered of it.

    :ivar digests: under which it may be remembered
    :ivar text: all of it
    """

    place: str
    raw: dict[str, Any]
    digests: list[bytes]
    text: bytes


@dataclass
class Row:
    """A good row, with all that can be made of it before the transaction."""

    place: str
    raw: dict[str, Any]
    digests: list[bytes]
    text: bytes
    record: AccountRecord
    password_hash: str | None

    def item(self, line: int, keyring: Keyring, record: AccountRecord) -> Item:
        """What is to be written of it.

        :param record: its own, or as much of that as is wanted
        """
        keys = given_keys(keyring, record.api_key, record.api_keys)
        is_named = any(key in record.model_fields_set for key in PASSWORD_KEYS)
        return Item(line, record, keys, self.password_hash if is_named else None)


@dataclass
class MoveCounts:
    """What became of the rows: each is counted once.

    :ivar unchanged: as they were when they were taken last
    :ivar kept: changed over there, but changed or deleted here as well, which stays
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    failed: int = 0

    def __iadd__(self, other: "MoveCounts") -> Self:
        for name, count in vars(other).items():
            setattr(self, name, getattr(self, name) + count)
        return self


@dataclass
class Outcome:
    """Of one batch; made anew when its transaction is tried again.

    :ivar notes: where a row stands, and what is to be said about it
    :ivar changed: the accounts that were updated
    """

    counts: MoveCounts = field(default_factory=MoveCounts)
    notes: list[tuple[str, str]] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    written: list[Item] = field(default_factory=list)
