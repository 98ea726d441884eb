"""Bookie 1.8: waiting for a lock never shows, until it takes too long; then 503, and nothing is half done."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from webtest import TestApp

from accountsapp.db import errors
from accountsapp.domain import audit
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.audit import listing
from accountsapp.domain.credentials import signin
from accountsapp.domain.data.proofs import Actor
from accountsapp.domain.errors import WrongPassword
from accountsapp.process import Process
from accountsapp.testing.applications import Applications
from accountsapp.testing.people import Person
from accountsapp.web import front
from tests.support.concurrently import concurrently
from tests.support.outbox import Outbox

Hold = Callable[[Person], AbstractContextManager[Callable[[], None]]]


@pytest.fixture
def busy_timeout() -> float:
    """Seconds of one try."""
    return 0.2


@pytest.fixture(autouse=True)
def impatient(
    monkeypatch: pytest.MonkeyPatch, applications: Applications, busy_timeout: float
) -> Iterator[None]:
    """Short tries, for the databases of this test alone: each keeps those that it was made with."""
    monkeypatch.setattr("accountsapp.db.database.BUSY_TIMEOUT", busy_timeout)
    applications.forget_databases()
    yield
    applications.forget_databases()


@pytest.fixture
def hold(database_url: str, backend: str) -> Hold:
    """Somebody else's transaction that has the account's row, on SQLite the whole database; gives its end."""

    @contextmanager
    def holding(person: Person) -> Iterator[Callable[[], None]]:
        engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if backend == "sqlite" else "BEGIN")
            if backend == "postgresql":
                lock = text("SELECT id FROM account WHERE id = :id FOR NO KEY UPDATE")
                connection.execute(lock, {"id": person.id})
            yield lambda: connection.exec_driver_sql("COMMIT")
        engine.dispose()

    return holding


def rename(app: TestApp, person: Person, **more: str) -> Any:
    body = {"api_key": person.api_key, "name": "Another Name", **more}
    return app.post(f"/api/v1/{person.username}/account", body, expect_errors=True)


def test_too_long_is_503_and_changes_nothing(app: TestApp, alice: Person, hold: Hold) -> None:
    with hold(alice) as let_go:
        answer = rename(app, alice, email="new@example.com")
        let_go()
    assert answer.status_int == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert list(answer.json) == ["error"]
    account = app.get(f"/api/v1/alice/account?api_key={alice.api_key}").json
    assert (account["name"], account["email"]) == ("Alice Liddell", alice.email)
    assert rename(app, alice).json["name"] == "Another Name"


@pytest.mark.parametrize("busy_timeout", [0.4])
def test_all_tries_together_end_in_time(
    app: TestApp, alice: Person, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "LONGEST_WAIT", 0.6)
    with hold(alice) as let_go:
        began = monotonic()
        assert rename(app, alice).status_int == 503
        assert monotonic() - began < 1
        let_go()
    assert rename(app, alice).status_int == 200


@pytest.mark.parametrize("busy_timeout", [0.4])
def test_not_too_long_does_not_show(app: TestApp, alice: Person, hold: Hold) -> None:
    """Let go of after the first try has given up: the request is tried again."""
    with hold(alice) as let_go:
        timer = threading.Timer(0.5, let_go)
        timer.start()
        answer = rename(app, alice)
        timer.join()
    assert (answer.status_int, answer.json["name"]) == (200, "Another Name")


def test_reads_and_refusals_do_not_wait(
    app: TestApp, alice: Person, bob: Person, stores: Process, hold: Hold
) -> None:
    with hold(alice) as let_go:
        assert app.get(f"/api/v1/alice/account?api_key={alice.api_key}").status_int == 200
        for path in ("alice", "bob", "nobody"):
            answer = app.get(f"/api/v1/{path}/account?api_key=wrong", status=403)
            assert answer.json == {"error": "Not authorized for request."}
        foreign = app.get(f"/api/v1/alice/account?api_key={bob.api_key}", status=403)
        assert foreign.body == answer.body
        let_go()
    with stores.transaction() as store:
        newest = next(listing(store.connection))
    # On PostgreSQL the row is locked against changes, not against being referred to.
    assert newest.event == ("registered" if stores.database.is_sqlite else "refused")


def test_a_request_that_was_tried_again_counts_once(
    make_app: Callable[..., Any], alice: Person, hold: Hold
) -> None:
    throttled = TestApp(make_app(**{"accountsapp.rate_limit": "true"}))
    with hold(alice) as let_go:
        asked = [partial(rename, throttled, alice, email=f"{number}@example.com") for number in range(4)]
        assert [answer.status_int for answer in concurrently(asked)] == [503] * 4
        let_go()
    statuses = [rename(throttled, alice, email=f"{number}@example.com").status_int for number in range(11)]
    assert statuses == [200] * 10 + [429]


def test_who_asked_for_a_code_in_vain_may_ask_again(
    make_app: Callable[..., Any], stores: Process, alice: Person, hold: Hold, backend: str
) -> None:
    throttled = TestApp(make_app(**{"accountsapp.rate_limit": "true"}))

    def ask() -> int:
        return throttled.post("/api/v1/suspend", {"email": alice.email}, expect_errors=True).status_int

    with hold(alice) as let_go:
        # Who asks is looked up by the worker, so on PostgreSQL there is nothing to wait for.
        expected = 503 if backend == "sqlite" else 200
        assert [ask() for _ in range(2)] == [expected] * 2
        let_go()
    assert ask() == 200
    outbox = Outbox(stores)
    assert len(outbox.take()) == (1 if backend == "sqlite" else 3)


def test_a_deletion_does_not_wait_for_ever(stores: Process, alice: Person, hold: Hold) -> None:
    with hold(alice) as let_go:
        with pytest.raises(DBAPIError) as refused, stores.transaction() as store:
            lifecycle.delete(store, alice.id)
        let_go()
    assert errors.is_retryable(refused.value)


def test_s45_a_sign_in_that_fails_during_the_deletion_leaves_no_address(
    stores: Process, alice: Person, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is recorded of an account after its addresses were forgotten waits until it is gone."""
    real, told = audit.forget_addresses, []

    def forget(session: Any, account_id: int) -> None:
        real(session, account_id)
        told.extend(concurrently([fail]) if not told else [])

    def fail() -> str:
        with pytest.raises(WrongPassword), stores.transaction("203.0.113.77") as store:
            signin.authenticate(store, "alice", "not the right one")
        return "failed"

    monkeypatch.setattr(audit, "forget_addresses", forget)
    with stores.transaction("198.51.100.1") as store:
        store.actor = Actor(admin.id)
        lifecycle.delete(store, alice.id)
    assert told == ["failed"]
    with stores.transaction() as store:
        assert [row.event for row in audit.listing(store.connection) if row.address == "203.0.113.77"] == []
