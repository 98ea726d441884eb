"""R21: a SQLite database that Litestream copies, a machine that dies under writes, the restore elsewhere."""

import http.client
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.testing.people import Person
from deploy.cluster import ROOT
from tests.conftest import Soak
from tests.support.servers import Server

LARGEST_LOSS = 1.0
"""Seconds before the end of the machine, of which the writes may be lost."""
LONGEST = 60.0
PROGRAM = Path(sys.executable).with_name("litestream")

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


class Writer:
    """Somebody who gives himself a new name again and again, on a connection that is kept.

    :ivar acknowledged: when each was
    """

    def __init__(self, server: Server, person: Person) -> None:
        self.acknowledged: list[float] = []
        self._port = server.port
        self._path = f"/api/v1/{person.username}/account?api_key={person.api_key}"
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)) as connection:
            while True:
                try:
                    connection.request("POST", f"{self._path}&name={len(self.acknowledged) + 1}")
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, http.client.HTTPException):
                    return
                if answer.status != 200:
                    return
                self.acknowledged.append(time.monotonic())

    def wait_for(self, copies: Path) -> None:
        """Until the first copy is there."""
        give_up = time.monotonic() + LONGEST
        while not any(copies.rglob("*.ltx")):
            assert time.monotonic() < give_up
            time.sleep(0.02)

    def wait(self, writes: int, seconds: float) -> None:
        """For as many, and for so long at least."""
        goal, until = len(self.acknowledged) + writes, time.monotonic() + seconds
        give_up = until + LONGEST
        while len(self.acknowledged) < goal or time.monotonic() < until:
            assert time.monotonic() < give_up
            time.sleep(0.02)

    def join(self) -> None:
        self._thread.join()


class Litestream:
    """
    :param database: the file that is copied
    :param copies: the folder for them
    """

    def __init__(self, folder: Path, database: Path, copies: Path) -> None:
        self._configuration = folder / "litestream.yml"
        text = (ROOT / "deploy" / "litestream.yml").read_text()
        for documented, ours in {
            "/var/lib/accountsapp/accounts.sqlite": database,
            "/var/backups/accountsapp/accounts": copies,
        }.items():
            assert documented in text
            text = text.replace(documented, str(ours))
        self._configuration.write_text(text)
        self._database = database
        self._log = folder / "litestream.log"

    @contextmanager
    def replicating(self) -> Iterator["subprocess.Popen[bytes]"]:
        command = [PROGRAM, "replicate", "-config", self._configuration]
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def restore(self, path: Path) -> None:
        subprocess.run(
            [PROGRAM, "restore", "-config", self._configuration, "-o", path, self._database],
            check=True,
            capture_output=True,
            timeout=LONGEST,
        )


def test_r21_a_machine_that_dies_loses_one_second(
    ini: dict[str, str],
    alice: Person,
    wsgi: Any,
    make_app: Callable[..., Any],
    tmp_path: Path,
    soak: Soak[int],
) -> None:
    source = Path(ini["sqlalchemy.url"].removeprefix("sqlite:///"))
    wsgi.registry.database.dispose()
    for number in range(soak(1, 10)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        database, copies = folder / "accounts.sqlite", folder / "copies"
        shutil.copy(source, database)
        litestream = Litestream(folder, database, copies)
        server = Server(folder, {**ini, "sqlalchemy.url": f"sqlite:///{database}"}).wait()
        try:
            with litestream.replicating() as replicating:
                writer = Writer(server, alice)
                writer.wait_for(copies)
                writer.wait(writes=30, seconds=1.5)
                died = time.monotonic()
                server.signal(signal.SIGKILL)
                replicating.kill()
            writer.join()
        finally:
            server.stop()
        restored = folder / "elsewhere.sqlite"
        litestream.restore(restored)
        app = TestApp(make_app(**{"sqlalchemy.url": f"sqlite:///{restored}"}))
        shown = app.get(f"/api/v1/alice/account?api_key={alice.api_key}").json["name"]
        lost = writer.acknowledged[int(shown) :]
        assert len(writer.acknowledged) > 30
        assert all(died - moment <= LARGEST_LOSS for moment in lost), [died - moment for moment in lost]
        assert app.get("/readyz").json["status"] == "ok"
