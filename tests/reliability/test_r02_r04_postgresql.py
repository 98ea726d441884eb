"""R02, R04: PostgreSQL is stopped at once and started again, or has too few connections."""

import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import NamedTuple

import psutil
import pytest
from sqlalchemy.engine import make_url

from accountsapp.testing.people import SECRET, Person
from accountsapp.testing.plugin import migrate
from tests.conftest import Soak
from tests.support import killing
from tests.support.concurrently import concurrently
from tests.support.roles import Role
from tests.support.servers import Server
from tests.support.standby import Node, paired
from tests.support.timed import Answer, ask

PER_SECOND, CLIENTS = 50, 10
LONGEST_REFUSAL, LONGEST_RECOVERY = 2.0, 5.0
"""Seconds."""


@pytest.fixture
def backend() -> str:
    return "postgresql"


class Phases(NamedTuple):
    """Moments: the database was away, was to come again, and the server was ready."""

    stopped: float
    starting: float
    recovered: float


class Client:
    """One account: it is read, and changed to a new name each second time.

    :ivar name: the last one that was acknowledged
    """

    def __init__(self, server: Server, username: str, key: str) -> None:
        self.path = f"/api/v1/{username}/account?api_key={key}"
        self.answers: list[Answer] = []
        self.name, self.sent = 0, 0
        self._server = server

    def run(self, ended: Event, pause: float) -> None:
        while not ended.wait(pause):
            self.answers.append(ask(self._server, "GET", self.path))
            self.sent += 1
            answer = ask(self._server, "POST", f"{self.path}&name={self.sent}")
            self.answers.append(answer)
            if answer.status == 200:
                self.name = self.sent


@pytest.fixture
def node() -> Iterator[Node]:
    """A server of one's own, which is stopped."""
    with paired() as pair:
        migrate(pair.url)
        yield pair.primary


def test_r02_stopped_under_load(
    node: Node, ini: dict[str, str], tmp_path: Path, soak: Soak, database_url: str
) -> None:
    ini["sqlalchemy.url"] = f"postgresql+psycopg://postgres@127.0.0.1:{node.port}/postgres"
    keys = killing.write_records(tmp_path / "accounts.jsonl", CLIENTS)
    records = str(tmp_path / "accounts.jsonl")
    killing.finish(killing.import_accounts, ini["sqlalchemy.url"], SECRET, records, False)
    server = Server(tmp_path, ini).wait()
    ended = Event()
    clients = [Client(server, f"u{number}", key) for number, key in enumerate(keys)]

    def stop_and_start() -> tuple[Phases, list[Answer]]:
        time.sleep(1)
        began, seen = time.monotonic(), []
        node.stop_at_once()
        stopped = time.monotonic()
        while time.monotonic() < began + soak(2.0, 15.0):
            seen += [ask(server, "GET", "/healthz"), ask(server, "GET", "/readyz")]
            time.sleep(0.1)
        starting = time.monotonic()
        node.start()
        started = time.monotonic()
        while ask(server, "GET", "/readyz").status != 200:
            assert time.monotonic() < started + LONGEST_RECOVERY
            time.sleep(0.05)
        recovered = time.monotonic()
        time.sleep(1)
        ended.set()
        return Phases(stopped, starting, recovered), seen

    try:
        work = [partial(client.run, ended, 2 * CLIENTS / PER_SECOND) for client in clients]
        (phases, seen), *_ = concurrently([stop_and_start, *work])  # type: ignore[misc]
        after = [ask(server, "GET", "/readyz"), *(ask(server, "GET", client.path) for client in clients)]
        sockets = psutil.Process(server.pid).net_connections()
        pooled = sum(bool(socket.raddr) and socket.raddr.port == node.port for socket in sockets)
    finally:
        server.stop()
    assert {answer.status for answer in seen[::2]} == {200}
    assert {answer.status for answer in seen[1::2]} == {503}
    answers = [answer for client in clients for answer in client.answers]
    assert {answer.status for answer in answers} == {200, 503}
    meanwhile = [answer for answer in answers if phases.stopped < answer.asked < phases.starting]
    assert {answer.status for answer in meanwhile} == {503}
    assert all(answer.retry_after for answer in answers if answer.status == 503)
    assert max(answer.seconds for answer in meanwhile) <= LONGEST_REFUSAL
    assert {answer.status for answer in answers if answer.asked > phases.recovered + 0.5} == {200}
    assert [answer.status for answer in after] == [200] * (1 + CLIENTS)
    assert pooled <= 2 * (CLIENTS + 2), "connections were not given back"
    found = dict(node.rows("SELECT username, name FROM account"))
    for number, client in enumerate(clients):
        assert client.name <= int(found[f"u{number}"]) <= client.sent
    assert "Traceback" not in server.log.read_text()


def test_r04_five_connections_for_fifty_clients(
    alice: Person, ini: dict[str, str], tmp_path: Path, database_url: str
) -> None:
    role = Role(make_url(database_url))
    role.change("ALTER ROLE {role} CONNECTION LIMIT 5")
    try:
        url = role.url.render_as_string(hide_password=False)
        server = Server(tmp_path, {**ini, "sqlalchemy.url": url}).wait()
        client = Client(server, alice.username, alice.api_key)
        try:
            requests = [("GET", client.path), ("POST", f"{client.path}&name=A")] * 25
            answers = concurrently([partial(ask, server, *request) for request in requests])
            after = [ask(server, *request) for request in requests[:4]]
        finally:
            server.stop()
    finally:
        role.remove()
    assert Counter(answer.status for answer in answers).keys() <= {200, 503}
    assert all(answer.retry_after for answer in answers if answer.status == 503)
    assert max(answer.seconds for answer in answers) < 10
    assert [answer.status for answer in after][2:] == [200, 200], "idle connections let nobody in"
    assert "Traceback" not in server.log.read_text()
