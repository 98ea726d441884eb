"""An import of activity that is killed, races another one, or is large: its counts stay true."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from accountsapp import strict_json
from accountsapp.db.database import Database
from accountsapp.domain.activity.importing import Importer
from accountsapp.domain.clock import now
from accountsapp.domain.data.activity_models import AnsweredTask, Contribution, Project, Volunteer
from accountsapp.domain.data.models import Account
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.transfer.lines import Counts
from accountsapp.testing.people import SECRET, Person
from tests.cli.conftest import write_ini

MEASURED = """
from pathlib import Path
from accountsapp.cli import main
main(standalone_mode=False)
(peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(peak.split()[1])
"""


def records(contributions: int, *usernames: str) -> list[bytes]:
    """Two projects, and contributions that meet each other."""
    lines: list[dict[str, Any]] = [
        {"kind": "project", "short_name": name, "n_tasks": contributions} for name in ("one", "two")
    ]
    lines += [
        {"kind": "contribution", "username": username, "project": ("one", "two")[n % 2], "task": n}
        for n in range(contributions)
        for username in usernames
    ]
    return [json.dumps(line).encode() for line in lines]


def run(write: Any, lines: list[bytes], complaints: list[str] | None = None) -> Counts:
    told = complaints if complaints is not None else []
    importer = Importer(write, Keyring((SECRET,)), lambda line, text: told.append(text))
    *_, last = importer.run(enumerate(lines, 1))
    return last


def is_consistent(database: Database) -> bool:
    """Whether what is counted is what is there."""
    with database.read_engine.connect() as connection:
        volunteers = dict(
            tuple(row)
            for row in connection.execute(
                select(Volunteer.project_id, func.count()).group_by(Volunteer.project_id)
            )
        )
        answered = dict(
            tuple(row)
            for row in connection.execute(
                select(AnsweredTask.project_id, func.count()).group_by(AnsweredTask.project_id)
            )
        )
        tasks = dict(
            tuple(row)
            for row in connection.execute(
                select(Volunteer.project_id, func.count(Contribution.task.distinct()))
                .join(Contribution, Contribution.volunteer_id == Volunteer.id)
                .group_by(Volunteer.project_id)
            )
        )
        contributions = dict(
            tuple(row)
            for row in connection.execute(
                select(Volunteer.account_id, func.count())
                .join(Contribution, Contribution.volunteer_id == Volunteer.id)
                .group_by(Volunteer.account_id)
            )
        )
        of_projects = {
            row.id: (row.n_volunteers, row.n_answered)
            for row in connection.execute(select(Project.id, Project.n_volunteers, Project.n_answered))
        }
        of_accounts = dict(
            tuple(row) for row in connection.execute(select(Account.id, Account.n_contributions))
        )
    return answered == tasks and (
        of_projects == {key: (volunteers.get(key, 0), answered.get(key, 0)) for key in of_projects}
        and of_accounts == {key: contributions.get(key, 0) for key in of_accounts}
    )


class Killed(Exception):
    pass


def test_an_import_that_dies_is_finished_by_another_one(
    database: Database, alice: Person, bob: Person
) -> None:
    """At each of its transactions, before the commit."""
    lines = records(600, "alice", "bob")
    for deaths in range(5):
        transactions = 0

        def write(work: Callable[[Connection], Any], dies_at: int = deaths) -> Any:
            def dying(connection: Connection) -> Any:
                nonlocal transactions
                result = work(connection)
                transactions += 1
                if transactions > dies_at:
                    raise Killed
                return result

            return database.write(dying)

        if deaths < 4:
            with pytest.raises(Killed):
                run(write, lines)
        assert is_consistent(database)
    assert run(database.write, lines).failed == 0
    assert is_consistent(database)
    with database.read_engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Contribution)) == 1200


def test_two_imports_of_the_same_file(database: Database, alice: Person, bob: Person) -> None:
    lines = records(800, "alice", "bob")
    results: list[Counts] = []
    complaints: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(run(database.write, lines, complaints)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert complaints == []
    assert sum(result.created for result in results) == len(lines)
    assert sum(result.updated for result in results) == len(lines)
    assert is_consistent(database)


def test_somebody_is_faster_with_an_identity(database: Database, alice: Person) -> None:
    """A project that is made between the look and the writing is changed; its batch is written."""
    lines = records(10, "alice")
    results: list[Counts] = []
    looked, made = threading.Event(), threading.Event()
    first = True

    def write(work: Callable[[Connection], Any]) -> Any:
        nonlocal first
        if not first:
            looked.set()
            made.wait(10)
        first = False
        return database.write(work)

    importing = threading.Thread(target=lambda: results.append(run(write, lines)))
    importing.start()
    assert looked.wait(10)
    with database.write_engine.begin() as connection:
        row = {"short_name": "one", "name": "x", "description": "", "info": {}, "n_tasks": 1}
        connection.execute(insert(Project).values(**row, created=now()))
        made.set()
        importing.join(0.5)
    importing.join()
    assert results == [Counts(created=11, updated=1)]
    assert is_consistent(database)


def test_memory_does_not_grow_with_the_file(
    ini: dict[str, str], tmp_path: Path, database: Database, alice: Person
) -> None:
    ini_file = write_ini(tmp_path / "test.ini", ini)

    def peak(contributions: int) -> int:
        """KiB that a process at most had, which imports so many."""
        path = tmp_path / f"{contributions}.jsonl"
        path.write_bytes(b"\n".join(records(contributions, "alice")))
        child = subprocess.run(
            [sys.executable, "-c", MEASURED, "-c", ini_file, "activity", "import", path],
            capture_output=True,
            check=True,
        )
        return int(child.stdout.splitlines()[-1])

    few, many = peak(1_000), peak(12_000)
    assert many - few < 4 * 1024
    assert is_consistent(database)


def test_lines_are_read_as_they_are_in_files(database: Database, alice: Person, tmp_path: Path) -> None:
    path = tmp_path / "crlf.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(records(3, "alice")) + b"\r\n\r\n")
    with path.open("rb") as stream:
        importer = Importer(database.write, Keyring((SECRET,)), lambda *_: None)
        *_, last = importer.run(strict_json.read_lines(stream))
    assert last == Counts(created=5)
