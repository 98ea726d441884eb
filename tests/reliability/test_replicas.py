"""PostgreSQL with a standby: what is read from it, and what happens when the primary dies."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from sqlalchemy import event
from webtest import TestApp

from accountsapp import main
from accountsapp.db import replica
from accountsapp.db.database import Database
from accountsapp.testing.people import SECRET
from accountsapp.testing.plugin import close, migrate, settings_of
from tests.conftest import Soak
from tests.support import killing
from tests.support.servers import Server
from tests.support.standby import HOST, Pair, paired

WRITERS = 5
WRITES = 10
"""A second, of each writer."""
LONGEST_OUTAGE = 30.0


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with paired() as pair:
        pair.standby.follow(pair.primary)
        migrate(pair.url)
        yield pair


@pytest.fixture(scope="module")
def keys(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Usernames and API keys of accounts; each is given to one test."""
    records = tmp_path_factory.mktemp("records") / "accounts.jsonl"
    written = killing.write_records(records, 300)
    killing.finish(killing.import_accounts, pair.url, SECRET, str(records), False)
    return iter([(f"u{number}", key) for number, key in enumerate(written)])


@pytest.fixture
def ini(pair: Pair, tmp_path: Path) -> dict[str, str]:
    return {**settings_of(pair.url, tmp_path), "sqlalchemy.read_url": pair.standby_url}


class Statements:
    """How many were said to the primary and to the replica since they were last asked for."""

    def __init__(self, database: Database) -> None:
        self.counts = {"primary": 0, "replica": 0}
        assert database.replica_engine is not None
        event.listen(database.read_engine, "before_cursor_execute", self._counting("primary"))
        event.listen(database.replica_engine, "before_cursor_execute", self._counting("replica"))

    def _counting(self, server: str) -> Callable[..., None]:
        def count(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            if "pg_" not in statement:
                self.counts[server] += 1

        return count

    def where(self) -> set[str]:
        asked = {server for server, count in self.counts.items() if count}
        self.counts = dict.fromkeys(self.counts, 0)
        return asked


def test_a_replica_is_read_while_it_is_as_new_as_the_primary(
    pair: Pair, ini: dict[str, str], keys: Iterator[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "TRUST", 0.5)
    monkeypatch.setattr(replica, "PAUSE", 0.2)
    wsgi = main({"here": "."}, **ini)
    try:
        app, statements = TestApp(wsgi), Statements(wsgi.registry.database)
        username, key = next(keys)
        account = f"/api/v1/{username}/account?api_key="

        def status(key: str) -> int:
            return app.get(account + key, expect_errors=True).status_int

        def until(server: str) -> None:
            give_up = time.monotonic() + 20
            while statements.where() != {server}:
                assert time.monotonic() < give_up
                assert status(key) == 200

        until("replica")
        # Who writes asks the primary, and sees at once what he wrote.
        for number in range(5):
            statements.where()
            app.post_json(account + key, {"name": f"name {number}"})
            assert "replica" not in statements.where()
            assert app.get(account + key).json["name"] == f"name {number}"
        old, key = key, app.post(f"/api/v1/{username}/api_key?api_key={key}").json["api_key"]
        assert (status(old), status(key)) == (403, 200)
        # It stands still, and nobody waits for it any more.
        pair.primary.run("ALTER SYSTEM SET synchronous_standby_names = ''")
        pair.primary.run("SELECT pg_reload_conf()")
        pair.standby.run("SELECT pg_wal_replay_pause()")
        old, key = key, app.post(f"/api/v1/{username}/api_key?api_key={key}").json["api_key"]
        until_refused = time.monotonic() + replica.TRUST
        while time.monotonic() < until_refused:
            status(old)
        statements.where()
        assert (status(old), status(key)) == (403, 200)
        assert statements.where() == {"primary"}
        # It has all again, but is read only when the primary waits for it, too.
        pair.standby.run("SELECT pg_wal_replay_resume()")
        until("primary")
        pair.wait_for_standby()
        until("replica")
        assert (status(old), status(key)) == (403, 200)
        # It is gone, and comes back.
        pair.standby.kill()
        for _ in range(20):
            assert (status(old), status(key)) == (403, 200)
        until("primary")
        pair.standby.start()
        pair.wait_for_standby()
        until("replica")
    finally:
        close(wsgi)


class Client:
    """Speaks to one server."""

    def __init__(self, server: Server) -> None:
        self._port = server.port

    def ask(self, method: str, path: str, key: str, **fields: str) -> tuple[int, dict[str, Any]]:
        """Status and content; 503 where there is no answer."""
        with closing(http.client.HTTPConnection(HOST, self._port, timeout=30)) as connection:
            try:
                body = json.dumps(fields) if fields else None
                headers = {"Content-Type": "application/json"} if fields else {}
                connection.request(method, f"/api/v1/{path}?api_key={key}", body, headers)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException) as error:
                return 503, {"error": repr(error)}


class Traffic:
    """People who change their names all the time and look whether it was done, others whose keys are reset,
    and one who tries the keys that were.

    :ivar outages: seconds without one acknowledged write, where there were any for a second or more
    :ivar wrong: what must not be
    """

    def __init__(self, server: Server, keys: Iterator[tuple[str, str]]) -> None:
        self.client = Client(server)
        self.writes = self.refused_uses = self.resets = 0
        self.last_write = time.monotonic()
        self.longest_outage = 0.0
        self.wrong: list[object] = []
        self._keys = keys
        self._revoked: list[tuple[str, str]] = []
        self._ended = threading.Event()
        self._lock = threading.Lock()
        work = [*[self._write] * WRITERS, self._reset, self._use, self._use]
        self._threads = [threading.Thread(target=self._run, args=(function,)) for function in work]

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 whatever it is, the test fails of it
            self.wrong.append(error)

    def _write(self) -> None:
        with self._lock:
            username, key = next(self._keys)
        acknowledged = tried = 0
        while not self._ended.wait(1 / WRITES):
            tried += 1
            status, content = self.client.ask("POST", f"{username}/account", key, name=f"turn {tried}")
            if status == 200:
                acknowledged = tried
                with self._lock:
                    moment = time.monotonic()
                    self.longest_outage = max(self.longest_outage, moment - self.last_write)
                    self.last_write = moment
                    self.writes += 1
            elif status != 503:
                self.wrong.append((status, content))
            status, content = self.client.ask("GET", f"{username}/account", key)
            if status == 200:
                seen = int(content["name"].removeprefix("turn ") or 0)
                if not acknowledged <= seen <= tried:
                    self.wrong.append(f"{username}: {seen} after {acknowledged} was acknowledged")
            elif status != 503:
                self.wrong.append((status, content))

    def _reset(self) -> None:
        while not self._ended.wait(0.1):
            with self._lock:
                username, key = next(self._keys, ("", ""))
            if username and self.client.ask("POST", f"{username}/api_key", key)[0] == 200:
                self._revoked.append((username, key))
                self.resets += 1

    def _use(self) -> None:
        number = 0
        while not self._ended.is_set():
            if not self._revoked:
                self._ended.wait(0.05)
                continue
            number += 1
            # Mostly the one that was revoked just now.
            username, key = self._revoked[-1 if number % 3 else number % len(self._revoked)]
            status, content = self.client.ask("GET", f"{username}/account", key)
            if status == 403:
                with self._lock:
                    self.refused_uses += 1
            elif status != 503:
                self.wrong.append((status, content, "with a revoked key"))

    def wait(self, writes: int) -> None:
        """For so many more that are acknowledged."""
        goal, give_up = self.writes + writes, time.monotonic() + 60
        while self.writes < goal and not self.wrong:
            assert time.monotonic() < give_up, "the service does not come back"
            time.sleep(0.02)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def serving(ini: dict[str, str], folder: Path) -> Iterator[Server]:
    server = Server(folder, ini)
    try:
        yield server.wait()
    finally:
        server.stop()


def test_r03_a_primary_that_is_killed_loses_nothing(
    pair: Pair, ini: dict[str, str], keys: Iterator[tuple[str, str]], tmp_path: Path, soak: Soak[int]
) -> None:
    """Under 50 writes a second, with nobody to restart a server of ours."""
    with serving(ini, tmp_path) as server, Traffic(server, keys) as traffic:
        for _ in range(soak(1, 5)):
            traffic.wait(30)
            pair.fail_over()
            traffic.wait(30)
            pair.standby.follow(pair.primary)
        traffic.wait(30)
        give_up = time.monotonic() + 300
        while traffic.refused_uses < soak(300, 10_000) and time.monotonic() < give_up:
            time.sleep(0.05)
    assert traffic.wrong == []
    assert traffic.longest_outage < LONGEST_OUTAGE
    assert traffic.refused_uses >= soak(300, 10_000)
    assert traffic.resets >= 5
    assert "Traceback" not in server.log.read_text()
