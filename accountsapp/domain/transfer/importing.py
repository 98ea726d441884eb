"""Import: account records (:mod:`accountsapp.domain.transfer.record`) in batches, each a short transaction.

What is slow (reading, checking, hashing passwords) happens between the transactions, so that other writers
are not kept waiting; what a batch holds is bounded, so that memory does not grow with the file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sqlalchemy import Connection

from accountsapp.domain import audit
from accountsapp.domain.data import places
from accountsapp.domain.errors import WeakPassword
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.transfer.batch import BatchWriter, Result
from accountsapp.domain.transfer.fields import BadRecord, about, check_size, read_line
from accountsapp.domain.transfer.known import Item
from accountsapp.domain.transfer.lines import Counts, batches
from accountsapp.domain.transfer.named_keys import given_keys
from accountsapp.domain.transfer.record import columns, parse
from accountsapp.domain.transfer.writing import Write


class Importer:
    """Imports one file.

    :param write: runs one transaction
    :param passwords: checks and hashes ``password``
    :param report: told the number of each bad line and what is wrong with it, without secrets
    :param most_keys: active named keys that an account may have
    :param update_existing: change accounts that exist; otherwise an existing username is an error
    :param origin: who imports, for the audit (``store.origin``)
    """

    def __init__(
        self,
        write: Write,
        keyring: Keyring,
        passwords: Passwords,
        report: Callable[[int, str], None],
        *,
        most_keys: int,
        update_existing: bool = False,
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        self._write = write
        self._keyring = keyring
        self._writer = BatchWriter(keyring, most_keys=most_keys, update_existing=update_existing)
        self._passwords = passwords
        self._report = report
        self._update_existing = update_existing
        self._origin = origin or {}

    def run(self, lines: Iterable[tuple[int, bytes | None]]) -> Iterator[Counts]:
        """Import lines that :func:`accountsapp.strict_json.read_lines` gave.

        :returns: the counts so far, after each batch that is committed, and at the end
        """
        counts = Counts()
        event_id = self._write(partial(audit.begin_import, origin=self._origin))
        with ThreadPoolExecutor(self._passwords.slots) as pool:
            for batch in batches(lines):
                refused: list[tuple[int, str]] = []
                items = self._prepared(batch, pool, refused)
                write = partial(self._write_batch, items=items, event_id=event_id, before=counts)
                result = self._write(write) if items else Result()
                usernames = {item.line: item.record.username for item in items}
                self._write(places.fold_when_many)
                refused += [(line, about(text, usernames[line])) for line, text in result.refused]
                for line, text in sorted(refused):
                    self._report(line, text)
                counts.created += result.created
                counts.updated += result.updated
                counts.failed += len(refused)
                yield counts
        yield counts

    def _write_batch(
        self, connection: Connection, *, items: list[Item], event_id: int, before: Counts
    ) -> Result:
        result = self._writer.write(connection, items)
        audit.count_imported(
            connection,
            event_id,
            self._origin,
            created=before.created + result.created,
            updated=before.updated + result.updated,
            changed=result.changed,
        )
        return result

    def _prepared(
        self,
        batch: list[tuple[int, bytes | None]],
        pool: ThreadPoolExecutor,
        refused: list[tuple[int, str]],
    ) -> list[Item]:
        items = []
        for line, data in batch:
            raw: dict[str, Any] = {}
            try:
                raw = read_line(data)
                items.append(self._item(line, data or b"", raw))
            except BadRecord as error:
                refused.append((line, about(str(error), raw.get("username"))))
            except WeakPassword as error:
                refused.append((line, about(f"password: {error}", raw.get("username"))))
        to_hash = [item for item in items if item.record.password is not None]
        hashes = pool.map(self._passwords.hash, (item.record.password or "" for item in to_hash))
        for item, password_hash in zip(to_hash, hashes, strict=True):
            item.password_hash = password_hash
        return items

    def _item(self, line: int, data: bytes, raw: dict[str, Any]) -> Item:
        record = parse(raw, update=self._update_existing)
        check_size(data, partial(columns, record))
        if record.password is not None:
            names = (record.username, *(address.email for address in record.addresses))
            self._passwords.check(record.password, names=names)
        keys = given_keys(self._keyring, record.api_key, record.api_keys)
        return Item(line, record, keys, record.password_hash)
