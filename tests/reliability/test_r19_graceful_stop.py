"""R19: a server that is told to stop under load answers what it has begun and loses nothing."""

import http.client
import json
import signal
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from accountsapp.db.database import Database
from accountsapp.domain.data.models import Account
from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently
from tests.support.servers import Server

CLIENTS = 8
LONGEST_STOP = 10.0


class Log(NamedTuple):
    """What one client saw: its last acknowledged turn, and how its connection ended."""

    acknowledged: int
    sent: int
    torn: bool


def test_r19_graceful_stop(
    ini: dict[str, str], tmp_path: Path, database: Database, register: Callable[..., Person]
) -> None:
    people = [register(f"person{number}", password=None) for number in range(CLIENTS)]
    server = Server(tmp_path, ini, is_forked=False).wait()
    acknowledged = [0] * CLIENTS
    took: list[float] = []

    def client(number: int) -> Log:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
            return talk(connection, number)

    def talk(connection: http.client.HTTPConnection, number: int) -> Log:
        person, sent = people[number], 0
        while sent < 5000:
            sent += 1
            body = json.dumps({"api_key": person.api_key, "name": f"turn {sent}"})
            headers = {"Content-Type": "application/json"}
            try:
                connection.request("POST", f"/api/v1/{person.username}/account", body, headers)
                answer = connection.getresponse()
                read = json.loads(answer.read())
            except http.client.IncompleteRead:
                return Log(acknowledged[number], sent, torn=True)
            except (OSError, http.client.HTTPException):
                return Log(acknowledged[number], sent, torn=False)
            assert (answer.status, read["name"]) == (200, f"turn {sent}")
            acknowledged[number] = sent
        raise AssertionError("the server did not stop")

    def stop() -> Log:
        give_up = time.monotonic() + 60
        while min(acknowledged) < 5 and time.monotonic() < give_up:
            time.sleep(0.01)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        server.join(30)
        took.append(time.monotonic() - began)
        return Log(0, 0, torn=False)

    try:
        logs = concurrently([*(partial(client, number) for number in range(CLIENTS)), stop])[:-1]
    finally:
        server.stop()
    assert took[0] <= LONGEST_STOP
    assert not any(log.torn for log in logs)
    assert min(log.acknowledged for log in logs) >= 5
    with database.read_engine.connect() as connection:
        names = dict(connection.execute(select(Account.id, Account.name)).all())
    for person, log in zip(people, logs, strict=True):
        stored = int(names[person.id].removeprefix("turn "))
        assert log.acknowledged <= stored <= log.sent, "an acknowledged write is lost"
    assert "Traceback" not in server.log.read_text()


def test_r19_a_request_under_way_is_answered(
    ini: dict[str, str], tmp_path: Path, alice: Person, database: Database
) -> None:
    """It hashes a password at a high cost when the signal comes: seconds, not to be cut off."""
    server = Server(tmp_path, {**ini, "accountsapp.bcrypt_rounds": "12"}, is_forked=False).wait()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        body = json.dumps({"current_password": alice.password, "new_password": "another good battery"})
        path = f"/api/v1/alice/password?api_key={alice.api_key}"

        def change() -> int:
            with closing(connection):
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                return connection.getresponse().status

        def stop() -> int:
            give_up = time.monotonic() + 30
            while server.cpu_seconds() < started + 0.1 and time.monotonic() < give_up:
                time.sleep(0.01)
            server.signal(signal.SIGTERM)
            return server.join(30)

        started = server.cpu_seconds()
        status, _ = concurrently([change, stop])
        assert status == 200
    finally:
        server.stop()
