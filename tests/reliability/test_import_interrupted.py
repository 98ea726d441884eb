"""An import that is killed leaves whole batches; others write while it runs."""

import random
import threading
import time
from pathlib import Path

from sqlalchemy import func, insert, select

from accountsapp import strict_json
from accountsapp.db.database import Database
from accountsapp.domain.accounts import profile
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Account, EmailAddress
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.transfer.importing import Importer
from accountsapp.domain.transfer.lines import RECORDS_AT_ONCE, Counts
from accountsapp.process import Process
from accountsapp.testing.people import SECRET, Person
from tests.support import killing

RECORDS = 4 * RECORDS_AT_ONCE


def counts(database: Database) -> list[int]:
    with database.read_engine.connect() as connection:
        statements = (select(func.count()).select_from(table) for table in (Account, EmailAddress, ApiKey))
        return [connection.scalar(statement) or 0 for statement in statements]


def run(database: Database, path: Path, complaints: list[str], *, update: bool = False) -> Counts:
    importer = Importer(
        database.write,
        Keyring((SECRET,)),
        Passwords(4),
        lambda line, text: complaints.append(text),
        most_keys=20,
        update_existing=update,
    )
    with path.open("rb") as stream:
        *_, last = importer.run(strict_json.read_lines(stream))
    return last


def test_killed(database: Database, database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "accounts.jsonl"
    killing.write_records(path, RECORDS)
    arguments = (database_url, SECRET, str(path), True)
    for _ in range(5):
        killing.kill_after(random.uniform(0.1, 1.0), killing.import_accounts, *arguments)
        made, addresses, keys = counts(database)
        assert made % RECORDS_AT_ONCE == 0
        assert made == addresses == keys
    killing.finish(killing.import_accounts, *arguments)
    assert counts(database) == [RECORDS] * 3


def test_others_write_meanwhile(stores: Process, alice: Person, tmp_path: Path) -> None:
    path = tmp_path / "accounts.jsonl"
    killing.write_records(path, RECORDS)
    complaints: list[str] = []
    importing = threading.Thread(target=run, args=(stores.database, path, complaints))
    importing.start()
    waits = []
    while importing.is_alive():
        began = time.monotonic()
        with stores.transaction() as store:
            profile.change(store, alice.id, {"name": f"name {began}"})
        waits.append(time.monotonic() - began)
    importing.join()
    assert complaints == []
    assert counts(stores.database)[0] == RECORDS + 1
    assert waits


def test_two_imports_of_the_same_file(database: Database, tmp_path: Path) -> None:
    """Each account is made once; the slower import says that the names are taken."""
    path = tmp_path / "accounts.jsonl"
    killing.write_records(path, 2 * RECORDS_AT_ONCE)
    results: list[Counts] = []
    threads = [threading.Thread(target=lambda: results.append(run(database, path, []))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.created for result in results) == 2 * RECORDS_AT_ONCE
    assert sum(result.failed for result in results) == 2 * RECORDS_AT_ONCE
    assert counts(database) == [2 * RECORDS_AT_ONCE] * 3


def test_somebody_is_faster_with_one_name(database: Database, tmp_path: Path) -> None:
    """A name that is taken between the look and the writing costs one line, not its batch."""
    path = tmp_path / "accounts.jsonl"
    killing.write_records(path, 50)
    complaints: list[str] = []
    results: list[Counts] = []
    importing = threading.Thread(target=lambda: results.append(run(database, path, complaints)))
    with database.write_engine.begin() as connection:
        row = {"username": "U7", "username_key": "u7", "version": 1}
        connection.execute(insert(Account.__table__), row)
        importing.start()
        time.sleep(1)
    importing.join()
    assert results == [Counts(created=49, failed=1)]
    assert complaints == ["The user name is already taken (u7)"]
