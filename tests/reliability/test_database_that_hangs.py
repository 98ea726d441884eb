"""A PostgreSQL that stands still holds no request for long, nor the server's health, and is forgiven."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from accountsapp.db.database import Database
from accountsapp.domain.accounts import registration
from accountsapp.domain.credentials import api_keys
from accountsapp.domain.data.reads import by_id
from accountsapp.domain.throttle import Throttle
from accountsapp.process import Process
from accountsapp.settings import load
from accountsapp.testing.people import PASSWORD
from accountsapp.testing.plugin import migrate, settings_of
from accountsapp.testing.postgres import Postgres, started
from tests.support.concurrently import concurrently
from tests.support.jobs import eventually
from tests.support.servers import Server
from tests.support.timed import Answer, ask

CLIENTS = 16
LONGEST = 10.0
"""Seconds that an answer takes at most."""
RECOVERY = 5.0
"""Seconds after which all answers are good ones again."""
CALM = 1.0
"""Seconds of nothing else that show it."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with started() as server:
        yield server


@pytest.fixture
def ini(postgres: Postgres, tmp_path: Path) -> dict[str, str]:
    url = postgres.url.render_as_string(hide_password=False)
    migrate(url)
    as_deployed = {"accountsapp.rate_limit": "true", "accountsapp.jobs": "embedded"}
    return {**settings_of(url, tmp_path), **as_deployed}


@pytest.fixture
def key(ini: dict[str, str]) -> str:
    """The API key of an account, ``alice``."""
    database = Database(ini["sqlalchemy.url"])
    stores = Process(load(ini, environ={}), database, Throttle(enabled=False))
    with stores.transaction() as store:
        account = registration.register(store, "alice", "a@example.com", password=PASSWORD, verified=True)
        row = by_id(store.session.connection(), account.id)
        found = api_keys.reveal(store, row)
    database.dispose()
    assert found is not None
    return found


@contextmanager
def standing_still(postgres: Postgres) -> Iterator[None]:
    postgres.pause()
    try:
        yield
    finally:
        postgres.resume()


def test_it_stands_still_under_load(
    postgres: Postgres, ini: dict[str, str], key: str, tmp_path: Path
) -> None:
    server = Server(tmp_path, ini).wait()
    over = Event()
    read = ("GET", f"/api/v1/alice/account?api_key={key}")
    write = ("POST", f"/api/v1/alice/account?api_key={key}&name=A")

    answers_of: list[list[Answer]] = [[] for _ in range(CLIENTS)]

    def client(number: int) -> list[Answer]:
        while not over.is_set():
            answers_of[number].append(ask(server, *(write if number % 4 == 0 else read)))
            time.sleep(0.02)
        return answers_of[number]

    def is_calm() -> bool:
        since = time.monotonic() - CALM
        latest = [answer for answers in answers_of for answer in answers if answer.ended > since]
        return {answer.status for answer in latest} == {200}

    def watch() -> list[Answer]:
        seen = []
        try:
            eventually(lambda: all(answers_of))
            with standing_still(postgres):
                end = time.monotonic() + LONGEST + 2
                while time.monotonic() < end:
                    seen += [ask(server, "GET", "/healthz"), ask(server, "GET", "/readyz")]
                    time.sleep(0.2)
            resumed = time.monotonic()
            time.sleep(CALM)
            while not is_calm():
                assert time.monotonic() < resumed + RECOVERY + CALM
                time.sleep(0.05)
        finally:
            over.set()
        return seen

    try:
        watched, *clients = concurrently([watch, *(partial(client, number) for number in range(CLIENTS))])
        after = [ask(server, *request) for request in (read, write, ("GET", "/readyz"))]
    finally:
        server.stop()
    log = server.log.read_text()

    health, ready = watched[::2], watched[1::2]
    assert {answer.status for answer in health} == {200}
    assert max(answer.seconds for answer in health) < 3, sorted(answer.seconds for answer in health)[-5:]
    assert {answer.status for answer in ready} == {503}

    answers = [answer for seen in clients for answer in seen]
    assert max(answer.seconds for answer in answers) < LONGEST
    assert {answer.status for answer in answers} == {200, 503}
    assert all(answer.retry_after for answer in answers if answer.status == 503)
    assert [answer.status for answer in after] == [200] * 3

    assert log.count("the database is not available") == 1
    assert log.count("the database is available again") == 1
    # The worker may have been at rest meanwhile.
    waited = log.count("the database does not answer, waiting for it")
    assert waited == log.count("the database answers again") <= 1
    assert log.count("Traceback") == 0
