"""R01: a server that is killed (-9) again and again while clients write keeps all that it acknowledged, and
nothing by halves.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from threading import Event

from sqlalchemy import select

from accountsapp.db.database import Database
from accountsapp.domain.data.models import Account
from accountsapp.testing.people import Person
from tests.conftest import Soak
from tests.support.concurrently import concurrently
from tests.support.invariants import breaches
from tests.support.mailserver import free_port
from tests.support.servers import Server
from tests.support.wire import Dropped, Wire

CLIENTS = 8
LONGEST_START = 5.0
"""Seconds of the processor until the first good answer."""


class Writer:
    """One client: it changes its account, and has an administrator add another one, in turns.

    What was acknowledged is on the disk of the client before the next request is sent.

    :ivar acknowledged: numbers of requests
    :ivar unknown: of those whose answer did not come
    """

    def __init__(self, port: int, person: Person, admin: Person, journal: Path, ended: Event) -> None:
        self.person = person
        self.acknowledged: set[int] = set()
        self.unknown: set[int] = set()
        self._port = port
        self._admin = admin
        self._journal = journal
        self._ended = ended

    def write(self) -> None:
        """Until it is over."""
        number = 0
        with self._journal.open("w") as journal, Wire(self._port) as wire:
            while not self._ended.is_set():
                number += 1
                try:
                    status = wire.ask(self._request(number), "POST").status
                except (Dropped, OSError):
                    self.unknown.add(number)
                    time.sleep(0.02)
                    continue
                assert status == 200, status
                journal.write(f"{number}\n")
                journal.flush()
                os.fsync(journal.fileno())
                self.acknowledged.add(number)

    def _request(self, number: int) -> bytes:
        if number % 2:
            path = f"/api/v1/{self.person.username}/account"
            fields = {"name": f"{number}", "email": f"{self.person.username}.{number}@example.org"}
            key = self.person.api_key
        else:
            path, key = "/api/v1/a/users/add", self._admin.api_key
            fields = {"username": self.name_of(number), "email": f"{self.name_of(number)}@example.net"}
        body = json.dumps({"api_key": key, **fields}).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def name_of(self, number: int) -> str:
        """Of the account that is added by the request of that number."""
        return f"{self.person.username}-{number}"


def test_r01_nothing_acknowledged_is_lost(
    ini: dict[str, str],
    tmp_path: Path,
    database: Database,
    register: Callable[..., Person],
    admin: Person,
    soak: Soak,
) -> None:
    kills, writes = soak(3, 20), soak(150, 2000)
    ended, chance, port = Event(), Random(1), free_port()
    writers = [
        Writer(port, register(f"writer{n}", password=None), admin, tmp_path / f"journal-{n}", ended)
        for n in range(CLIENTS)
    ]
    starts: list[float] = []

    def start() -> Server:
        server = Server(tmp_path, ini, port=port).wait()
        starts.append(server.cpu_seconds())
        return server

    def count() -> int:
        return sum(len(writer.acknowledged) for writer in writers)

    def kill() -> None:
        server = first
        try:
            for number in range(1, kills + 1):
                while count() < writes * number / (kills + 1):
                    time.sleep(0.005)
                time.sleep(chance.uniform(0, 0.05))
                server.signal(signal.SIGKILL)
                server.join(10)
                server = start()
            while count() < writes:
                time.sleep(0.005)
        finally:
            ended.set()
            server.stop()

    first = start()
    concurrently([kill, *(writer.write for writer in writers)])

    assert sum(len(writer.unknown) for writer in writers) > 0, "no kill hit a request"
    assert max(starts) <= LONGEST_START
    assert list(breaches(database)) == []
    with database.read_engine.connect() as connection:
        accounts = connection.execute(select(Account.username, Account.name, Account.pending_email))
        stored = {username: (name, pending) for username, name, pending in accounts}
    for writer in writers:
        changes = {number for number in writer.acknowledged | writer.unknown if number % 2}
        last = max(number for number in writer.acknowledged if number % 2)
        name, pending = stored[writer.person.username]
        assert int(name) in {number for number in changes if number >= last}
        assert pending == f"{writer.person.username}.{name}@example.org", "half of a change"
        added = {writer.name_of(number) for number in writer.acknowledged if number % 2 == 0}
        assert added <= stored.keys()
