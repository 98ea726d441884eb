"""Import: activity records (:mod:`accountsapp.domain.activity.record`) in batches, each a short transaction.

Whoever a new review concerns is mailed once a run, in the transaction of the review.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DataError, IntegrityError

from accountsapp.domain import audit
from accountsapp.domain.activity.batch import Batch, Item, Result
from accountsapp.domain.activity.record import Record, parse
from accountsapp.domain.activity.reviewing import Announcer
from accountsapp.domain.activity.writing_addons import write_addons, write_collections, write_reviews
from accountsapp.domain.activity.writing_projects import write_contributions, write_projects
from accountsapp.domain.audit import Event
from accountsapp.domain.data import places
from accountsapp.domain.data.activity_models import Addon
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.transfer.fields import BadRecord, check_size, read_line
from accountsapp.domain.transfer.lines import Counts, batches
from accountsapp.domain.transfer.writing import Write

_WRITERS: dict[str, Callable[[Batch, list[Item[Any]]], None]] = {
    "project": write_projects,
    "contribution": write_contributions,
    "addon": write_addons,
    "review": write_reviews,
    "collection": write_collections,
}


class Importer:
    """Imports one file.

    :param write: runs one transaction
    :param report: told the number of each bad line and what is wrong with it
    :param origin: who imports, for the audit (``store.origin``)
    """

    def __init__(
        self,
        write: Write,
        keyring: Keyring,
        report: Callable[[int, str], None],
        *,
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        self._write = write
        self._keyring = keyring
        self._report = report
        self._origin = origin or {}

    def run(self, lines: Iterable[tuple[int, bytes | None]]) -> Iterator[Counts]:
        """Import lines that :func:`accountsapp.strict_json.read_lines` gave.

        :returns: the counts so far, after each batch that is committed, and at the end
        """
        counts = Counts()
        event_id, announcer = self._write(self._begin)
        for batch in batches(lines):
            refused: list[tuple[int, str]] = []
            items = list(_items(batch, refused))
            result = self._write_batch(items, event_id, counts, announcer) if items else Result()
            for line, text in sorted(refused + result.refused):
                self._report(line, text)
            counts.created += result.created
            counts.updated += result.updated
            counts.failed += len(refused) + len(result.refused)
            yield counts
        yield counts

    def _begin(self, connection: Connection) -> tuple[int, Announcer]:
        event_id = audit.begin_import(connection, self._origin, Event.ACTIVITY_IMPORTED)
        last_addon = connection.scalar(select(func.max(Addon.id))) or 0
        return event_id, Announcer(self._keyring, last_addon)

    def _write_batch(
        self, items: list[Item[Record]], event_id: int, before: Counts, announcer: Announcer
    ) -> Result:
        """When somebody else is faster with an identity, once more with a transaction for each record."""
        try:
            return self._write_part(items, event_id, before, announcer)
        except (IntegrityError, DataError):
            result = Result()
            for item in items:
                so_far = Counts(before.created + result.created, before.updated + result.updated)
                result.add(self._write_one(item, event_id, so_far, announcer))
            return result

    def _write_one(self, item: Item[Record], event_id: int, before: Counts, announcer: Announcer) -> Result:
        try:
            return self._write_part([item], event_id, before, announcer)
        except (IntegrityError, DataError):
            return Result(refused=[(item.line, "the database cannot store it")])

    def _write_part(
        self, items: list[Item[Record]], event_id: int, before: Counts, announcer: Announcer
    ) -> Result:
        def work(connection: Connection) -> tuple[Result, set[int]]:
            batch = Batch(connection, items)
            for kind, run in groupby(items, lambda item: item.record.kind):
                _WRITERS[kind](batch, list(run))
            result = batch.result
            audit.count_imported(
                connection,
                event_id,
                self._origin,
                created=before.created + result.created,
                updated=before.updated + result.updated,
            )
            return result, announcer.announce(connection, result.reviews)

        result, announced = self._write(work)
        announcer.remember(announced)
        self._write(places.fold_when_many)
        return result


def _items(batch: list[tuple[int, bytes | None]], refused: list[tuple[int, str]]) -> Iterator[Item[Record]]:
    for line, data in batch:
        try:
            record = parse(read_line(data))
            check_size(data or b"", partial(record.model_dump, mode="json"))
        except BadRecord as error:
            refused.append((line, str(error)))
        else:
            yield Item(line, record)
