"""Connections for reading: few, kept, replaced when they are lost."""

from pathlib import Path

import pytest
from sqlalchemy import event, text
from webtest import TestApp

from accountsapp.db.connections import KeptConnections
from accountsapp.db.database import Database
from accountsapp.process import Process
from accountsapp.testing.people import Person


@pytest.fixture
def opened(database: Database) -> list[object]:
    """The connections opened since."""
    made: list[object] = []
    event.listen(database.read_engine, "connect", lambda connection, _record: made.append(connection))
    return made


def test_the_last_one_given_back_is_taken_first(database: Database, opened: list[object]) -> None:
    connections = database.read_connections
    first, second = connections.take(), connections.take()
    assert first is not second
    connections.give_back(first)
    connections.give_back(second)
    assert connections.take() is second
    assert connections.take() is first
    for connection in (first, second):
        connections.give_back(connection)
    database.dispose()
    assert connections.take() not in (first, second)


def test_requests_one_after_the_other_use_one(
    app: TestApp, alice: Person, database: Database, opened: list[object]
) -> None:
    """Whatever their end is."""
    connection = database.read_connections.take()
    database.read_connections.give_back(connection)
    for _ in range(5):
        app.get("/api/v1/alice/account", {"api_key": alice.api_key})
        app.get("/api/v1/bob/account", {"api_key": alice.api_key}, status=403)
        app.get("/api/v1/alice/account", {"api_key": "acct_unknown"}, status=403)
        app.post("/api/v1/alice/account", {"api_key": alice.api_key, "email": "no address"}, status=406)
        app.post("/api/v1/alice/account", {"api_key": alice.api_key, "name": "Alice"})
        app.get("/api/v1/alice/nowhere", {"api_key": alice.api_key}, status=404)
        assert database.read_connections.take() is connection
        database.read_connections.give_back(connection)
    assert len(opened) <= 1


def test_one_that_was_lost_is_not_kept(database: Database) -> None:
    connections = database.read_connections
    lost = connections.take()
    lost.invalidate()
    connections.give_back(lost)
    found = connections.take()
    assert found is not lost
    assert found.execute(text("SELECT 1")).scalar() == 1
    connections.give_back(found)


def test_after_a_restart_of_the_database_one_request_suffers(
    app: TestApp, alice: Person, database: Database
) -> None:
    url, query = "/api/v1/alice/account", {"api_key": alice.api_key}
    connections = [database.read_connections.take() for _ in range(4)]
    for connection in connections:
        connection.connection.dbapi_connection.close()  # type: ignore[union-attr]
        database.read_connections.give_back(connection)
    assert app.get(url, query, expect_errors=True).status_int in (200, 503)
    for _ in range(5):
        app.get(url, query, status=200)


def test_those_idle_for_long_are_looked_at_first(
    app: TestApp, alice: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have cut them off in between."""
    connections = [database.read_connections.take() for _ in range(4)]
    for connection in connections:
        database.read_connections.give_back(connection)
    monkeypatch.setattr(KeptConnections, "LONGEST_IDLE", -1.0)
    assert database.read_connections.take() not in connections
    assert [connection.closed for connection in connections] == [True] * 4


def test_one_is_given_back_whatever_the_session_says(stores: Process, database: Database) -> None:
    def fail() -> None:
        raise RuntimeError

    store = stores.for_request("")
    connection = store.connection
    store.session.close = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        store.close()
    assert database.read_connections.take() is connection


def test_no_page_of_a_file_is_mapped_and_every_commit_is_on_the_disk(tmp_path: Path) -> None:
    """A disk that fails under a mapped page ends the process."""
    database = Database(f"sqlite:///{tmp_path}/accounts.sqlite")
    for engine in (database.read_engine, database.write_engine):
        with engine.connect() as connection:
            assert connection.execute(text("PRAGMA mmap_size")).scalar() == 0
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    database.dispose()
