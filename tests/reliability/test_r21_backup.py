"""R21: a copy of a SQLite database under load, and the restore, by the words of ``docs/backup.rst``.

PostgreSQL's is in ``test_r11_two_servers.py``.
"""

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.testing.people import Person
from tests.cli.conftest import write_ini
from tests.reliability.test_pages_of_operators import blocks
from tests.support.front_end import FrontEnd

COMMAND = f"{sys.executable} -c 'from accountsapp.cli import main; main()'"


@pytest.fixture
def folder(database_url: str) -> Path:
    """What ``/var/lib/accountsapp`` is on the page."""
    return Path(database_url.removeprefix("sqlite:///")).parent


@pytest.fixture
def shell(tmp_path: Path, ini: dict[str, str], folder: Path) -> Callable[[str], None]:
    """Runs a block of the page with the places of the test."""
    config = write_ini(tmp_path / "backup.ini", ini)
    (tmp_path / "backups").mkdir()

    def run(block: str) -> None:
        for documented, ours in {
            "accountsapp -c production.ini": f"{COMMAND} -c {config}",
            "/var/lib/accountsapp": str(folder),
            "/var/backups/accountsapp": str(tmp_path / "backups"),
        }.items():
            block = block.replace(documented, ours)
        subprocess.run(["sh", "-e", "-c", block], check=True, timeout=120)

    return run


class Writers:
    """Two people who give themselves new names, one after the other, all the time."""

    def __init__(self, wsgi: Any, people: list[Person]) -> None:
        self.wsgi = wsgi
        self.people = people
        self.turns = 0
        self.ended = threading.Event()
        self.failures: list[str] = []
        self.thread = threading.Thread(target=self.write)

    def write(self) -> None:
        client = TestApp(self.wsgi)
        while not self.ended.is_set():
            for person in self.people:
                fields = {"api_key": person.api_key, "name": f"turn {self.turns + 1}"}
                answer = client.post_json(f"/api/v1/{person.username}/account", fields, expect_errors=True)
                if answer.status_int != 200:
                    self.failures.append(answer.status)
            self.turns += 1

    def wait(self, turns: int) -> None:
        goal = self.turns + turns
        while self.turns < goal and self.thread.is_alive():
            self.ended.wait(0.01)

    def __enter__(self) -> "Writers":
        self.thread.start()
        self.wait(2)
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self.thread.join()


@pytest.mark.parametrize("backend", ["sqlite"])
def test_r21_backup_under_load_and_restore(
    shell: Callable[[str], None],
    make_app: Callable[..., Any],
    wsgi: Any,
    alice: Person,
    bob: Person,
    folder: Path,
) -> None:
    steps = [
        block for block in blocks("backup.rst") if "accounts.sqlite" in block and "litestream" not in block
    ]
    backup, restore = steps
    assert "db backup" in backup
    assert "before-restore" in restore
    signed_in = FrontEnd(wsgi)
    signed_in.sign_in(alice)
    picture = folder / "files" / "uploads" / "user_1" / "picture.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    with Writers(wsgi, [alice, bob]) as writers:
        began = writers.turns
        shell(backup)
        ended = writers.turns
        writers.wait(3)
    assert writers.failures == []
    TestApp(wsgi).post("/api/v1/alice/api_key", {"api_key": alice.api_key})
    wsgi.registry.database.dispose()
    picture.write_bytes(b"another picture")
    shell(restore)
    restored = make_app()
    client = TestApp(restored)
    turns = []
    for person in (alice, bob):
        shown = client.get(f"/api/v1/{person.username}/account", {"api_key": person.api_key}).json
        turns.append(int(re.sub(r"^turn ", "", shown["name"])))
    assert began <= turns[1] <= turns[0] <= turns[1] + 1, "of one moment"
    assert turns[0] <= ended + 1
    assert client.get("/api/v1/alice/api_key", {"api_key": alice.api_key}).json["api_key"] == alice.api_key
    again = FrontEnd(restored)
    again.app.cookiejar = signed_in.app.cookiejar
    again.get(f"/account/{alice.username}/update")
    assert picture.read_bytes() == b"a picture"
    assert client.get("/readyz").json["status"] == "ok"
    assert (folder / "accounts.sqlite").stat().st_mode & 0o777 == 0o600
