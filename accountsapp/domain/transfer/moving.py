"""Accounts of another system, taken in batches, and taken again while that system goes on.

A row that was not seen before makes an account. Of one that was, what changed over there since is taken; what
the account's owner changed here since stays. A row that is as it was costs a look.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from accountsapp.domain.transfer.fields import BadRecord, about, check_size
from accountsapp.domain.transfer.known import Item
from accountsapp.domain.transfer.lines import RECORDS_AT_ONCE
from accountsapp.domain.transfer.move_memory import Memory, Moved, read_epochs, read_written
from accountsapp.domain.transfer.record import columns, parse
from accountsapp.domain.transfer.rehearsal import Rehearsal
from accountsapp.domain.transfer.source_rows import (
    PASSWORD_KEYS,
    MarkedRow,
    MoveCounts,
    Outcome,
    Row,
    SourceRow,
)
from accountsapp.domain.transfer.writing import Write

_written_out = json.JSONEncoder(default=str).encode


class _Change(NamedTuple):
    """What is to be taken of a row that was taken before."""

    row: Row
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
                marked = self._marked(batch, refused)
                changed = self._without_unchanged(marked)
                good = self._prepared(changed, refused)
                self._hash(good, pool)
                outcome = self._write(partial(self._take, rows=good, event_id=event_id, before=counts))
                self._write(places.fold_when_many)
                usernames = {row.place: row.record.get("username") for row in batch if row.record is not None}
                for place, text in refused + outcome.notes:
                    self._report(place, about(text, usernames.get(place)))
                if self._rehearsal is not None:
                    self._rehearsal.take(outcome.written)
                outcome.counts.unchanged += len(marked) - len(changed)
                outcome.counts.failed += len(refused)
                counts += outcome.counts
                yield counts
        yield counts

    def _marked(self, batch: list[SourceRow], refused: list[tuple[str, str]]) -> list[MarkedRow]:
        rows = []
        for place, raw, problem in batch:
            if raw is None:
                refused.append((place, problem))
                continue
            digests = self._memory.digests_of_name(raw.get("username"))
            rows.append(MarkedRow(place, raw, digests, _written_out(raw).encode()))
        return rows

    def _without_unchanged(self, rows: list[MarkedRow]) -> list[MarkedRow]:
        """Those that are not just as when they were taken last: of the others nothing more need be known."""
        known = self._write(partial(self._memory.read, digests=_digests(rows)))
        return [
            row
            for row in rows
            if (before := _known(known, row)) is None or not self._memory.is_marked(before, row.text)
        ]

    def _prepared(self, rows: list[MarkedRow], refused: list[tuple[str, str]]) -> list[Row]:
        good = []
        for row in rows:
            try:
                good.append(self._checked(row))
            except BadRecord as error:
                refused.append((row.place, str(error)))
            except WeakPassword as error:
                refused.append((row.place, f"password: {error}"))
        return good

    def _checked(self, row: MarkedRow) -> Row:
        record = parse(row.raw)
        check_size(row.text, partial(columns, record))
        if record.password is not None:
            names = (record.username, *(address.email for address in record.addresses))
            self._passwords.check(record.password, names=names)
        return Row(*row, record, record.password_hash)

    def _hash(self, rows: list[Row], pool: ThreadPoolExecutor) -> None:
        """Hash the passwords that come in clear and are others than the last time."""
        clear = [row for row in rows if row.record.password is not None]
        if not clear or self._rehearsal is not None:
            return
        known = self._write(partial(self._memory.read, digests=_digests(clear)))
        changed = [
            row
            for row in clear
            if (before := _known(known, row)) is None
            or not self._memory.is_same("password", before.fields.get("password"), row.record.password)
        ]
        hashes = pool.map(self._passwords.hash, (row.record.password or "" for row in changed))
        for row, password_hash in zip(changed, hashes, strict=True):
            row.password_hash = password_hash

    def _take(self, connection: Connection, *, rows: list[Row], event_id: int, before: MoveCounts) -> Outcome:
        outcome = Outcome()
        known = self._memory.read(connection, _digests(rows))
        new: list[Row] = []
        again: list[tuple[Row, Moved]] = []
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

    def _take_new(self, connection: Connection, rows: list[Row], outcome: Outcome) -> list[Moved]:
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
            Moved(row.digests[0], *written[item.username_key], self._memory.fields_of(row.record, row.text))
            for row, item in zip(rows, items, strict=True)
            if item.line not in refused
        ]

    def _take_again(
        self, connection: Connection, rows: list[tuple[Row, Moved]], outcome: Outcome
    ) -> list[Moved]:
        differing: list[tuple[Row, Moved, dict[str, Any]]] = []
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
        differing: list[tuple[Row, Moved, dict[str, Any]]],
        outcome: Outcome,
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
            changed_keys = {key for key in values if key not in mine and here.get(key) != values[key]}
            if not changed_keys:
                outcome.counts.kept += bool(mine)
                outcome.counts.unchanged += not mine
                remembered.append(self._remembered(row, before, before.credential_epoch))
                continue
            raw = {key: value for key, value in row.raw.items() if _canonical(key) in changed_keys}
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

    def _remembered(self, row: Row, before: Moved, epoch: int) -> Moved:
        fields = self._memory.fields_of(row.record, row.text)
        return Moved(before.digest, before.account_id, epoch, fields)

    def _written(
        self,
        connection: Connection,
        writer: BatchWriter,
        items: list[Item],
        rows: list[Row],
        outcome: Outcome,
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
        outcome.written += [item for item in items if item.line not in numbers]
        outcome.notes += [(rows[number].place, text) for number, text in sorted(result.refused)]
        outcome.counts.created += result.created
        outcome.counts.updated += result.updated
        outcome.counts.failed += len(result.refused)
        outcome.changed |= result.changed
        return result


def _digests(rows: Iterable[MarkedRow | Row]) -> list[bytes]:
    return [digest for row in rows for digest in row.digests]


def _known(known: Mapping[bytes, Moved], row: MarkedRow | Row) -> Moved | None:
    return next((known[digest] for digest in row.digests if digest in known), None)


def _canonical(key: str) -> str:
    return "emails" if key == "email" else key
