"""A long command that is told to stop: soon, with whole batches, and a line about how far it came."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, update

from accountsapp.cli import stopping
from accountsapp.db.database import Database
from accountsapp.domain import rotation
from accountsapp.domain.data.models import Account
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.transfer import importing, lines, moving
from accountsapp.testing.people import SECRET
from tests.cli.conftest import Ran, Run, write_ini
from tests.cli.test_command import COMMAND, one_line
from tests.reliability.test_r22_rotation import NEW, by_old_secret
from tests.support.killing import write_records

BATCH = 20
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "RECORDS_AT_ONCE", BATCH)
    monkeypatch.setattr(moving, "RECORDS_AT_ONCE", BATCH)
    monkeypatch.setattr(rotation, "KEYS_AT_ONCE", BATCH)


@pytest.fixture(autouse=True)
def as_started() -> Iterator[None]:
    """Nobody has said what the signals do, whoever started the tests and whatever ran before them."""
    assert threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in STATUS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(params=STATUS, ids=["SIGINT", "SIGTERM"])
def number(request: pytest.FixtureRequest) -> signal.Signals:
    """Of the signal."""
    chosen: signal.Signals = request.param
    return chosen


@pytest.fixture
def signal_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, signal.Signals], None]:
    """Has the signal come within a transaction, right after a method was called for the second time."""

    def signal_in(owner: Any, name: str, number: signal.Signals) -> None:
        method, calls = getattr(owner, name), []

        def signalled(*arguments: Any, **options: Any) -> Any:
            result = method(*arguments, **options)
            calls.append(name)
            if len(calls) == 2:
                signal.raise_signal(number)
            return result

        monkeypatch.setattr(owner, name, signalled)

    return signal_in


def accounts(database: Database) -> int:
    with database.read_engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Account)) or 0


def how_far(ran: Ran) -> str:
    """What it says after "interrupted"."""
    assert one_line(ran.err), ran
    assert ran.err.startswith("accountsapp: interrupted: ")
    return ran.err.removeprefix("accountsapp: interrupted: ").rstrip("\n")


def test_an_import(run: Run, raw: Database, tmp_path: Path, number: signal.Signals, signal_in: Any) -> None:
    """What is being committed is committed, and counted."""
    file = tmp_path / "accounts.jsonl"
    write_records(file, 5 * BATCH)
    signal_in(importing.BatchWriter, "write", number)
    ran = run("accounts", "import", "--update", str(file), exit_code=STATUS[number])
    assert how_far(ran) == f"{2 * BATCH} created, 0 updated, 0 failed; run it again to go on"
    assert accounts(raw) == 2 * BATCH
    again = run("accounts", "import", "--update", str(file))
    assert again.json == {"created": 3 * BATCH, "updated": 2 * BATCH, "failed": 0}
    assert accounts(raw) == 5 * BATCH


def test_moving(run: Run, raw: Database, tmp_path: Path, number: signal.Signals, signal_in: Any) -> None:
    file = tmp_path / "accounts.csv"
    rows = "".join(f"m{index},m{index}@example.org\n" for index in range(5 * BATCH))
    file.write_text(f"username,email\n{rows}")
    signal_in(moving.Mover, "_take", number)
    rehearsal = run("accounts", "import", "--from", "csv", "--dry-run", str(file), exit_code=STATUS[number])
    assert how_far(rehearsal).endswith("failed; nothing was written")
    assert accounts(raw) == 0
    signal_in(moving.Mover, "_take", number)
    ran = run("accounts", "import", "--from", "csv", str(file), exit_code=STATUS[number])
    assert how_far(ran).startswith(f"{2 * BATCH} created, 0 updated, 0 unchanged, 0 kept, 0 failed; run it ")
    assert accounts(raw) == 2 * BATCH
    assert run("accounts", "import", "--from", "csv", str(file)).json["unchanged"] == 2 * BATCH
    assert accounts(raw) == 5 * BATCH


def test_rotation(
    run: Run,
    raw: Database,
    ini: dict[str, str],
    tmp_path: Path,
    number: signal.Signals,
    signal_in: Any,
) -> None:
    file = tmp_path / "accounts.jsonl"
    write_records(file, 5 * BATCH)
    run("accounts", "import", str(file))
    both = write_ini(tmp_path / "both.ini", ini | {"accountsapp.secret": f"{NEW} {SECRET}"})
    signal_in(rotation, "_apply", number)
    ran = run("secrets", "rotate", ini=both, exit_code=STATUS[number])
    assert how_far(ran) == f"{2 * BATCH} API keys, 0 JWT keys sealed anew; run it again to go on"
    assert by_old_secret(raw, Keyring((NEW, SECRET))) == 3 * BATCH
    assert run("secrets", "rotate", ini=both).json["api_keys"] == 3 * BATCH


def test_an_upgrade(run: Run, ini: dict[str, str], empty_database_url: str, tmp_path: Path) -> None:
    """In the midst of the migrations: none of them, then all."""
    number, statements = signal.SIGTERM, 0

    def stop_midway(*_arguments: object) -> None:
        nonlocal statements
        statements += 1
        if statements == 60:
            signal.raise_signal(number)

    empty = write_ini(tmp_path / "empty.ini", ini | {"sqlalchemy.url": empty_database_url})
    event.listen(Engine, "before_cursor_execute", stop_midway)
    try:
        ran = run("db", "upgrade", ini=empty, exit_code=STATUS[number])
    finally:
        event.remove(Engine, "before_cursor_execute", stop_midway)
    assert how_far(ran) == "the database is at revision none; run it again to go on"
    assert run("db", "current", ini=empty).out == "none\n"
    assert run("db", "upgrade", ini=empty).out == run("db", "current", ini=empty).out != "none\n"


def test_an_export_that_nobody_reads(
    run: Run, ini_file: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """It stands at a full pipe; a process that nobody has told what to do at SIGTERM, as in a container."""
    file = tmp_path / "accounts.jsonl"
    with file.open("w") as records:
        for index in range(2 * BATCH):
            record = {"username": f"u{index}", "email": f"u{index}@e.com", "biography": "x" * 3000}
            records.write(json.dumps(record) + "\n")
    run("accounts", "import", str(file))
    process = subprocess.Popen(
        [*COMMAND, "-c", str(ini_file), "accounts", "export"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, number, signal.SIG_DFL),
    )
    assert process.stdout is not None
    process.stdout.read(1000)
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == STATUS[number]
    assert one_line(said)
    assert "interrupted: what was written is not all; run it again from the start" in said


def test_an_import_that_stands_at_a_lock(
    run: Run, raw: Database, tmp_path: Path, signal_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else holds what it writes to, and goes on to: the part is given up."""
    monkeypatch.setattr(stopping, "LONGEST_HOLD", 0.2)
    file = tmp_path / "accounts.jsonl"
    write_records(file, BATCH)
    run("accounts", "import", str(file))
    with raw.write_engine.connect() as other, other.begin():
        other.execute(update(Account).values(version=Account.version + 1))
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        ran = run("accounts", "import", "--update", str(file), exit_code=STATUS[signal.SIGTERM])
        assert time.monotonic() - began < 10
    assert how_far(ran) == "0 created, 0 updated, 0 failed; run it again to go on"
    assert run("accounts", "import", "--update", str(file)).json["updated"] == BATCH


def test_who_is_told_to_ignore_it_does(run: Run, tmp_path: Path, signal_in: Any) -> None:
    """As with nohup, or in the background of a shell."""
    file = tmp_path / "accounts.jsonl"
    write_records(file, 3 * BATCH)
    signal_in(importing.BatchWriter, "write", signal.SIGTERM)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert run("accounts", "import", str(file)).json["created"] == 3 * BATCH
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
