"""Accounts of another system, taken in batches, and taken again while that system goes on.

A row that was not seen before makes an account. Of one that was, what changed over there since is taken; what
the account's owner changed here since stays. A row that is as it was costs a look.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection

from accountsapp.domain import audit
from accountsapp.domain.data import places
from accountsapp.domain.errors import UsernameTaken, WeakPassword
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.transfer.batch import BatchWriter, Result
from accountsapp.domain.transfer.exporting import export_some
from accountsapp.domain.transfer.fields import BadRecord, check_size
from accountsapp.domain.transfer.known import Item
from accountsapp.domain.transfer.lines import RECORDS_AT_ONCE
from accountsapp.domain.transfer.moved import Memory, Moved, read_epochs, read_written
from accountsapp.domain.transfer.named_keys import given_keys
from accountsapp.domain.transfer.record import AccountRecord, columns, parse
from accountsapp.domain.transfer.rehearsal import Rehearsal
from accountsapp.domain.transfer.writing import Write

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


@dataclass
class _Row:
    """A good row, with all that can be made of it before the transaction."""

    place: str
    raw: dict[str, Any]
    record: AccountRecord
    digests: list[bytes]
    password_hash: str | None

    def item(self, line: int, keyring: Keyring, record: AccountRecord) -> Item:
        keys = given_keys(keyring, record.api_key, record.api_keys)
        is_named = any(key in record.model_fields_set for key in PASSWORD_KEYS)
        return Item(line, record, keys, self.password_hash if is_named else None)


@dataclass
class _Outcome:
    """Of one batch; made anew when its transaction is tried again."""

    counts: MoveCounts = field(default_factory=MoveCounts)
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Where a row stands, and what is to be said about it."""
    changed: set[int] = field(default_factory=set)


class _Change(NamedTuple):
    """What is to be taken of a row that was taken before."""

    row: _Row
    before: Moved
    item: Item
    epoch: int
    takes_password: bool


class Mover:
    """Takes the accounts of one system.

    :param write: runs one transaction
    :param passwords: checks and hashes ``password``
    :param report: told where a row stands and what cannot be taken of it, without secrets
    :param source: names the system, for the next time
    :param most_keys: active named keys that an account may have
    :param update_existing: take what changed over there even if it was changed here too, and let a row be
        that of an account which is here already, by its name
    :param origin: who does it, for the audit (``store.origin``)
    :param rehearsal: nothing is written
    """

    def __init__(
        self,
        write: Write,
        keyring: Keyring,
        passwords: Passwords,
        report: Callable[[str, str], None],
        *,
        source: str,
        most_keys: int,
        update_existing: bool = False,
        origin: Mapping[str, Any] | None = None,
        rehearsal: Rehearsal | None = None,
    ) -> None:
        self._write = write if rehearsal is None else rehearsal.write
        self._keyring = keyring
        self._memory = Memory(keyring, source)
        self._newcomers = BatchWriter(keyring, most_keys=most_keys, update_existing=update_existing)
        self._changer = BatchWriter(keyring, most_keys=most_keys, update_existing=True)
        self._passwords = passwords
        self._report = report
        self._update_existing = update_existing
        self._origin = origin or {}
        self._rehearsal = rehearsal

    def run(self, rows: Iterable[SourceRow]) -> Iterator[MoveCounts]:
        """Take rows.

        :returns: the counts so far, after each batch that is committed, and at the end
        """
        counts = MoveCounts()
        event_id = self._write(partial(audit.begin_import, origin=self._origin))
        remaining = iter(rows)
        with ThreadPoolExecutor(self._passwords.slots) as pool:
            while batch := list(islice(remaining, RECORDS_AT_ONCE)):
                refused: list[tuple[str, str]] = []
                good = self._prepared(batch, refused)
                self._hash(good, pool)
                outcome = self._write(partial(self._take, rows=good, event_id=event_id, before=counts))
                self._write(places.fold_when_many)
                for place, text in refused + outcome.notes:
                    self._report(place, text)
                outcome.counts.failed += len(refused)
                counts = _sum(counts, outcome.counts)
                yield counts
        yield counts

    def _prepared(self, batch: list[SourceRow], refused: list[tuple[str, str]]) -> list[_Row]:
        rows = []
        for place, raw, problem in batch:
            if raw is None:
                refused.append((place, problem))
                continue
            try:
                rows.append(self._row(place, raw))
            except BadRecord as error:
                refused.append((place, str(error)))
            except WeakPassword as error:
                refused.append((place, f"password: {error}"))
        return rows

    def _row(self, place: str, raw: dict[str, Any]) -> _Row:
        record = parse(raw)
        check_size(json.dumps(raw).encode(), partial(columns, record))
        if record.password is not None:
            names = (record.username, *(address.email for address in record.addresses))
            self._passwords.check(record.password, names=names)
        digests = self._memory.digests_of_name(record.username)
        return _Row(place, raw, record, digests, record.password_hash)

    def _hash(self, rows: list[_Row], pool: ThreadPoolExecutor) -> None:
        """Hash the passwords that come in clear and are others than the last time."""
        clear = [row for row in rows if row.record.password is not None]
        if not clear or self._rehearsal is not None:
            return
        known = self._write(partial(self._memory.read, digests=[d for row in clear for d in row.digests]))
        changed = [
            row
            for row in clear
            if (before := _known(known, row)) is None
            or not self._memory.is_same("password", before.fields.get("password"), row.record.password)
        ]
        hashes = pool.map(self._passwords.hash, (row.record.password or "" for row in changed))
        for row, password_hash in zip(changed, hashes, strict=True):
            row.password_hash = password_hash

    def _take(
        self, connection: Connection, *, rows: list[_Row], event_id: int, before: MoveCounts
    ) -> _Outcome:
        outcome = _Outcome()
        known = self._memory.read(connection, [digest for row in rows for digest in row.digests])
        new: list[_Row] = []
        again: list[tuple[_Row, Moved]] = []
        for row in rows:
            moved = _known(known, row)
            if moved is None:
                new.append(row)
            else:
                again.append((row, moved))
        taken = self._take_again(connection, again, outcome)
        taken += self._take_new(connection, new, outcome)
        self._memory.write(connection, taken, known=known.keys())
        if self._rehearsal is None:
            audit.count_imported(
                connection,
                event_id,
                self._origin,
                created=before.created + outcome.counts.created,
                updated=before.updated + outcome.counts.updated,
                changed=outcome.changed,
            )
        return outcome

    def _take_new(self, connection: Connection, rows: list[_Row], outcome: _Outcome) -> list[Moved]:
        items = [row.item(number, self._keyring, row.record) for number, row in enumerate(rows)]
        names = {item.line: item.username_key for item in items}
        # Names that only case tells apart over there are two people; one must not take the other's account.
        in_use = self._memory.names_in_use(connection, names.values())
        first: dict[str, int] = {}
        alike = [
            (number, str(UsernameTaken()))
            for number, name in names.items()
            if name in in_use or first.setdefault(name, number) != number
        ]
        result = self._written(connection, self._newcomers, items, rows, outcome, alike)
        written = read_written(connection, names.values())
        refused = {number for number, _ in result.refused}
        return [
            Moved(row.digests[0], *written[item.username_key], self._memory.fields_of(row.record))
            for row, item in zip(rows, items, strict=True)
            if item.line not in refused
        ]

    def _take_again(
        self, connection: Connection, rows: list[tuple[_Row, Moved]], outcome: _Outcome
    ) -> list[Moved]:
        differing: list[tuple[_Row, Moved, dict[str, Any]]] = []
        for row, before in rows:
            values = self._memory.changed_there(before.fields, row.record)
            if values:
                differing.append((row, before, values))
            else:
                outcome.counts.unchanged += 1
        if not differing:
            return []
        changes, taken = self._changes(connection, differing, outcome)
        result = self._written(
            connection, self._changer, [change.item for change in changes], [c.row for c in changes], outcome
        )
        refused = {number for number, _ in result.refused}
        after = read_epochs(connection, [change.before.account_id or 0 for change in changes])
        for change in changes:
            if change.item.line in refused:
                continue
            is_in_step = change.takes_password or change.epoch == change.before.credential_epoch
            epoch = after[change.before.account_id or 0] if is_in_step else change.before.credential_epoch
            taken.append(self._remembered(change.row, change.before, epoch))
        return taken

    def _changes(
        self,
        connection: Connection,
        differing: list[tuple[_Row, Moved, dict[str, Any]]],
        outcome: _Outcome,
    ) -> tuple[list[_Change], list[Moved]]:
        """What is to be changed; and what is only to be remembered as it is by now."""
        ids = [before.account_id for _, before, _ in differing if before.account_id is not None]
        epochs = read_epochs(connection, ids)
        present = export_some(connection, ids, self._keyring)
        changes: list[_Change] = []
        remembered: list[Moved] = []
        for row, before, values in differing:
            here = present.get(before.account_id or 0)
            if here is None:
                outcome.counts.kept += 1
                outcome.notes.append((row.place, "was deleted here"))
                continue
            epoch = epochs[before.account_id or 0]
            is_in_step = epoch == before.credential_epoch
            mine = self._changed_here(before, here, values, is_in_step=is_in_step)
            if mine:
                outcome.notes.append((row.place, f"changed here since, and so kept: {', '.join(mine)}"))
            wanted = {key for key in values if key not in mine and here.get(key) != values[key]}
            if not wanted:
                outcome.counts.kept += bool(mine)
                outcome.counts.unchanged += not mine
                remembered.append(self._remembered(row, before, before.credential_epoch))
                continue
            raw = {key: value for key, value in row.raw.items() if _canonical(key) in wanted}
            record = parse({**raw, "username": here["username"]}, update=True)
            item = row.item(len(changes), self._keyring, record)
            takes_password = item.password_hash is not None
            changes.append(_Change(row, before, item, epoch, takes_password))
        return changes, remembered

    def _changed_here(
        self, before: Moved, here: Mapping[str, Any], values: Mapping[str, Any], *, is_in_step: bool
    ) -> list[str]:
        """Which of the keys that changed over there changed here, too, to something else."""
        if self._update_existing:
            return []
        mine = []
        for key in values:
            present = here.get("password_hash" if key == "password" else key)
            # A hash that was made anew when its owner signed in is no change of the password.
            is_as_it_came = (key in PASSWORD_KEYS and is_in_step) or self._memory.is_same(
                key, before.fields.get(key), present
            )
            if not is_as_it_came and present != values[key]:
                mine.append(key)
        return mine

    def _remembered(self, row: _Row, before: Moved, epoch: int) -> Moved:
        return Moved(before.digest, before.account_id, epoch, self._memory.fields_of(row.record))

    def _written(
        self,
        connection: Connection,
        writer: BatchWriter,
        items: list[Item],
        rows: list[_Row],
        outcome: _Outcome,
        refused: Sequence[tuple[int, str]] = (),
    ) -> Result:
        """Write items; those that are refused, for some of which that is known, are noted."""
        numbers = {number for number, _ in refused}
        if self._rehearsal is not None:
            texts = {item.line: self._rehearsal.refusal(item) for item in items if item.line not in numbers}
            refused = [*refused, *((number, text) for number, text in texts.items() if text is not None)]
            numbers = {number for number, _ in refused}
        items = [item for item in items if item.line not in numbers]
        result = writer.write(connection, items) if items else Result()
        result.refused += refused
        numbers = {number for number, _ in result.refused}
        if self._rehearsal is not None:
            self._rehearsal.take(item for item in items if item.line not in numbers)
        outcome.notes += [(rows[number].place, text) for number, text in sorted(result.refused)]
        outcome.counts.created += result.created
        outcome.counts.updated += result.updated
        outcome.counts.failed += len(result.refused)
        outcome.changed |= result.changed
        return result


def _known(known: Mapping[bytes, Moved], row: _Row) -> Moved | None:
    return next((known[digest] for digest in row.digests if digest in known), None)


def _canonical(key: str) -> str:
    return "emails" if key == "email" else key


def _sum(one: MoveCounts, other: MoveCounts) -> MoveCounts:
    return MoveCounts(*(a + b for a, b in zip(vars(one).values(), vars(other).values(), strict=True)))
