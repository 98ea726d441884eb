"""Connections for reading: few, kept, replaced when they are lost."""

import pytest
from sqlalchemy import event, text
from webtest import TestApp

from accountsapp.db import Database
from tests.conftest import Person


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


def test_requests_one_after_the_other_use_one(app: TestApp, alice: Person, opened: list[object]) -> None:
    """Whatever their end is."""
    for _ in range(5):
        app.get("/api/v1/alice/account", {"api_key": alice.api_key})
        app.get("/api/v1/bob/account", {"api_key": alice.api_key}, status=403)
        app.get("/api/v1/alice/account", {"api_key": "acct_unknown"}, status=403)
        app.post("/api/v1/alice/account", {"api_key": alice.api_key, "email": "no address"}, status=406)
        app.post("/api/v1/alice/account", {"api_key": alice.api_key, "name": "Alice"})
        app.get("/api/v1/alice/nowhere", {"api_key": alice.api_key}, status=404)
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


def test_one_that_fails_is_replaced(app: TestApp, alice: Person, database: Database) -> None:
    """As after a restart of the database: at most one request suffers."""
    url, query = "/api/v1/alice/account", {"api_key": alice.api_key}
    app.get(url, query)
    connection = database.read_connections.take()
    connection.connection.dbapi_connection.close()  # type: ignore[union-attr]
    database.read_connections.give_back(connection)
    assert app.get(url, query, expect_errors=True).status_int in (200, 503)
    app.get(url, query, status=200)
