"""A server that went away, or is the primary no more, in the middle of a request: the request is done again
on another connection, and never where it may have been done already.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Connection, event, text
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.process import Process
from accountsapp.testing.credentials import hold
from accountsapp.testing.people import Person
from tests.support.amo import Amo
from tests.support.pictures import encoded

pytestmark = pytest.mark.parametrize("backend", ["postgresql"])

Fault = Callable[[Connection], None]


def end(connection: Connection, database: Database) -> None:
    """The server ends the connection, as one does that stops."""
    pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
    with database.read_engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


class Faults:
    """What happens to the transactions that change an account, each time that one does.

    :ivar begun: how many there were
    :ivar before_change: the faults of each, in turn
    """

    def __init__(self, database: Database) -> None:
        self.begun = 0
        self.before_change: list[Fault] = []
        self.before_commit: list[Fault] = []
        self._engine = database.write_engine
        event.listen(self._engine, "before_cursor_execute", self._execute)
        event.listen(self._engine, "commit", self._commit)

    def _execute(self, connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("UPDATE account"):
            self.begun += 1
            if self.before_change:
                self.before_change.pop(0)(connection)

    def _commit(self, connection: Connection) -> None:
        if self.before_commit:
            self.before_commit.pop(0)(connection)

    def stop(self) -> None:
        event.remove(self._engine, "before_cursor_execute", self._execute)
        event.remove(self._engine, "commit", self._commit)


@pytest.fixture
def faults(database: Database) -> Iterator[Faults]:
    faults = Faults(database)
    yield faults
    faults.stop()


def rename(app: TestApp, person: Person, name: str) -> Any:
    path = f"/api/v1/{person.username}/account?api_key={person.api_key}"
    return app.post_json(path, {"name": name}, expect_errors=True)


def name_of(app: TestApp, person: Person) -> str:
    shown = app.get(f"/api/v1/{person.username}/account?api_key={person.api_key}")
    return str(shown.json["name"])


def test_a_connection_that_is_lost_before_the_commit(
    app: TestApp, alice: Person, database: Database, faults: Faults
) -> None:
    faults.before_change = [lambda connection: end(connection, database)] * 2
    answer = rename(app, alice, "Third Time")
    assert (answer.status_int, answer.json["name"]) == (200, "Third Time")
    assert faults.begun == 3
    assert name_of(app, alice) == "Third Time"


def test_a_server_that_stays_away(app: TestApp, alice: Person, database: Database, faults: Faults) -> None:
    faults.before_change = [lambda connection: end(connection, database)] * 9
    answer = rename(app, alice, "Never")
    assert answer.status_int == 503
    assert answer.headers["Retry-After"]
    assert faults.begun == 3
    faults.before_change = []
    assert name_of(app, alice) == "Alice Liddell"


def test_the_answer_to_a_commit_that_is_lost(
    app: TestApp, alice: Person, database: Database, faults: Faults
) -> None:
    """Whether it was done nobody knows, so it is not done again; the client is told to look."""
    faults.before_commit = [lambda connection: end(connection, database)]
    answer = rename(app, alice, "Perhaps")
    assert answer.status_int == 503
    assert answer.headers["Retry-After"]
    assert faults.begun == 1
    assert name_of(app, alice) == "Alice Liddell"
    assert rename(app, alice, "Again").status_int == 200


def test_a_primary_that_became_a_standby(
    app: TestApp, alice: Person, database: Database, faults: Faults
) -> None:
    """As a proxy shows it, behind which another server stands all at once (25006)."""
    old: list[Any] = []

    def demote(connection: Connection) -> None:
        old.append(connection.connection.dbapi_connection)
        connection.connection.cursor().execute("SET TRANSACTION READ ONLY")

    name_of(app, alice)
    idle = database.read_connections.take()
    database.read_connections.give_back(idle)
    of_old = idle.connection.dbapi_connection
    faults.before_change = [demote]
    assert rename(app, alice, "On the new one").status_int == 200
    assert faults.begun == 2
    assert old[0].closed
    assert of_old is not None
    assert of_old.closed
    assert name_of(app, alice) == "On the new one"
    assert app.get("/readyz").json["status"] == "ok"


def cut_idle_connections(database: Database) -> None:
    """As a server does that is started again."""
    connections = [database.read_connections.take() for _ in range(3)]
    for connection in connections:
        connection.execute(text("SELECT 1"))
    for connection in connections:
        database.read_connections.give_back(connection)
    with database.write_engine.connect() as other:
        other.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def test_reads_over_connections_that_were_cut_while_idle(
    app: TestApp, alice: Person, database: Database
) -> None:
    for _ in range(2):
        assert name_of(app, alice) == "Alice Liddell"
        cut_idle_connections(database)


def test_large_uploads_over_connections_that_were_cut_while_idle(
    app: TestApp, alice: Person, database: Database, stores: Process
) -> None:
    """Their bodies are read again from where the server keeps them."""
    amo, holder = Amo(app), hold(stores, alice)
    picture = encoded(Image.frombytes("RGB", (700, 700), os.urandom(700 * 700 * 3)))
    assert len(picture) > 2**20
    urls = set()
    for _ in range(2):
        cut_idle_connections(database)
        answer = amo.account(holder, "PATCH", files=[("picture_upload", "a.png", picture)])
        assert answer.status_int == 200
        urls.add(answer.json["picture_url"])
    assert len(urls) == 2


def test_a_deadlock_is_no_lost_server(
    app: TestApp, alice: Person, faults: Faults, database: Database
) -> None:
    """What was there before goes on: others in the way are waited for on the same connection."""
    seen: list[Any] = []

    def contend(connection: Connection) -> None:
        seen.append(connection.connection.dbapi_connection)
        connection.connection.cursor().execute(
            "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01' USING MESSAGE = 'deadlock detected'; END $$"
        )

    faults.before_change = [contend]
    assert rename(app, alice, "After all").status_int == 200
    assert not seen[0].closed
