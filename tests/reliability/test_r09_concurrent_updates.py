"""R09: fifty clients change one account at once, and nothing that was acknowledged is lost."""

import http.client
import json
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.db.errors import is_retryable
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import Account
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently
from tests.support.servers import Server

CLIENTS = 50
TIMES = 10


def in_turn(stores: Process, change: Callable[[Any], None]) -> None:
    """One change in a transaction of its own, tried again where the database says so, as a request is."""
    while True:
        try:
            with stores.transaction() as store:
                change(store.session)
        except PoolTimeout:
            continue
        except DBAPIError as error:
            if not is_retryable(error):
                raise
        else:
            return


def row(database: Database, person: Person) -> Any:
    with database.read_engine.connect() as connection:
        return connection.execute(select(Account.__table__).where(Account.id == person.id)).one()


def change_names(server: Server, person: Person, names: list[str]) -> list[int]:
    """The statuses of one client's changes, over one connection."""
    statuses = []
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        for name in names:
            body = json.dumps({"api_key": person.api_key, "name": name})
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/api/v1/{person.username}/account", body, headers)
            answer = connection.getresponse()
            shown = json.loads(answer.read())
            assert answer.status != 200 or shown["name"] == name
            statuses.append(answer.status)
    return statuses


def test_r09_fifty_clients_of_a_server(
    ini: dict[str, str], tmp_path: Path, database: Database, alice: Person, register: Callable[..., Person]
) -> None:
    """One account: each change raises its version once, so that it counts them (c), and the last one wins
    whole. Then fifty accounts: writers wait for each other where the database has one lock, and none fails.
    """
    server = Server(tmp_path, ini).wait()
    try:
        before = row(database, alice).version
        names = [[f"client {number} turn {turn}" for turn in range(TIMES)] for number in range(CLIENTS)]
        statuses = concurrently([partial(change_names, server, alice, mine) for mine in names])
        assert {status for seen in statuses for status in seen} == {200}
        after = row(database, alice)
        assert after.version - before == CLIENTS * TIMES
        assert after.name in {mine[-1] for mine in names}

        people = [register(f"person{number}", password=None) for number in range(CLIENTS)]
        names = [["first", "second", person.username] for person in people]
        statuses = concurrently(
            [partial(change_names, server, *each) for each in zip(people, names, strict=True)]
        )
        assert {status for seen in statuses for status in seen} == {200}
        assert all(row(database, person).name == person.username for person in people)
    finally:
        server.stop()


def test_r09_more_threads_than_a_pool_has_connections(wsgi: Any, alice: Person) -> None:
    """Each thread keeps a connection to read with; fifty of them are no fault."""

    def client() -> set[int]:
        app = TestApp(wsgi)
        path, query = "/api/v1/alice/account", {"api_key": alice.api_key}
        return {app.get(path, query, expect_errors=True).status_int for _ in range(3)}

    assert concurrently([client] * CLIENTS) == [{200}] * CLIENTS


def test_r09_read_modify_write_loses_nothing(stores: Process, database: Database, alice: Person) -> None:
    """A counter that every client reads and writes back (a), under the lock all operations take."""

    def count(session: Session) -> None:
        locking.lock(session, alice.id).invite_ct += 1

    def client() -> None:
        for _ in range(TIMES):
            in_turn(stores, count)

    concurrently([client] * CLIENTS)
    assert row(database, alice).invite_ct == CLIENTS * TIMES


def test_r09_disjoint_fields(stores: Process, database: Database, alice: Person) -> None:
    """Fifty keys of one document, one by each client (b)."""

    def client(number: int) -> None:
        def fill(session: Session) -> None:
            account = locking.lock(session, alice.id)
            account.info = {**account.info, f"field{number}": number}

        in_turn(stores, fill)

    concurrently([partial(client, number) for number in range(CLIENTS)])
    assert row(database, alice).info == {f"field{number}": number for number in range(CLIENTS)}


def test_r09_different_calls_of_one_account(wsgi: Any, database: Database, alice: Person) -> None:
    """Name, address and key side by side: each stands, none takes another one back."""

    def name() -> int:
        given = {"api_key": alice.api_key, "name": "New Name"}
        return TestApp(wsgi).post("/api/v1/alice/account", given, expect_errors=True).status_int

    def address() -> int:
        given = {"api_key": alice.api_key, "email": "new@example.com"}
        return TestApp(wsgi).post("/api/v1/alice/account", given, expect_errors=True).status_int

    statuses = concurrently([name, address] * 10)
    assert set(statuses) == {200}
    after = row(database, alice)
    assert (after.name, after.pending_email) == ("New Name", "new@example.com")


def test_r09_a_change_that_is_refused_leaves_no_mark(wsgi: Any, database: Database, alice: Person) -> None:
    before = row(database, alice)

    def client() -> int:
        given = {"api_key": alice.api_key, "name": "line\nbreak", "email": "new@example.com"}
        return TestApp(wsgi).post("/api/v1/alice/account", given, expect_errors=True).status_int

    assert set(concurrently([client] * 10)) == {406}
    assert row(database, alice) == before
