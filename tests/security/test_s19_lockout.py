"""S19: a stranger's failures lock nobody out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account
from accountsapp.testing.people import PASSWORD, Person
from tests.support.outbox import Outbox

STRANGER = {"REMOTE_ADDR": "203.0.113.9"}
OWNER = {"REMOTE_ADDR": "198.51.100.7"}


def row(database: Database, person: Person) -> Any:
    with database.read_engine.connect() as connection:
        return connection.execute(select(Account.__table__).where(Account.id == person.id)).one()


def test_s19_wrong_keys(throttled: TestApp, database: Database, alice: Person) -> None:
    before = row(database, alice)
    statuses = [
        throttled.get(
            "/api/v1/alice/account", {"api_key": f"wrong{n}"}, extra_environ=STRANGER, expect_errors=True
        ).status_int
        for n in range(1000)
    ]
    assert set(statuses) == {403, 429}
    assert statuses.index(429) >= 20
    answer = throttled.get("/api/v1/alice/account", {"api_key": alice.api_key}, extra_environ=OWNER)
    assert answer.json["username"] == "alice"
    assert row(database, alice) == before


def test_s19_wrong_passwords_with_a_stolen_key(throttled: TestApp, database: Database, alice: Person) -> None:
    before = row(database, alice)
    given = {"api_key": alice.api_key, "current_password": "wrong battery", "new_password": "a good new one"}
    statuses = [
        throttled.post("/api/v1/alice/password", given, extra_environ=STRANGER, expect_errors=True).status_int
        for _ in range(60)
    ]
    assert set(statuses) == {403, 429}
    assert 5 <= statuses.index(429) <= 20
    assert row(database, alice) == before
    right = {**given, "current_password": PASSWORD}
    for environ, status in ((STRANGER, 429), (OWNER, 200)):
        answer = throttled.post("/api/v1/alice/password", right, extra_environ=environ, expect_errors=True)
        assert answer.status_int == status
    assert (
        throttled.get("/api/v1/alice/account", {"api_key": alice.api_key}, extra_environ=STRANGER).json[
            "username"
        ]
        == "alice"
    )


def test_s19_refusals_say_when_to_come_back(throttled: TestApp, register: Callable[..., Person]) -> None:
    for n in range(200):
        answer = throttled.get(
            "/api/v1/nobody/account", {"api_key": f"w{n}"}, extra_environ=STRANGER, expect_errors=True
        )
    assert answer.status_int == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 61
    assert answer.json.keys() == {"error"}


def ask(throttled: TestApp, email: str, times: int, *, clients: int = 1) -> set[int]:
    """Requests for a code, from that many addresses in turn; their statuses."""
    return {
        throttled.post(
            "/api/v1/suspend",
            {"email": email},
            extra_environ={"REMOTE_ADDR": f"203.0.113.{n % clients}"},
            expect_errors=True,
        ).status_int
        for n in range(times)
    }


@pytest.mark.parametrize("clients", [1, 25])
def test_s19_forgotten_passwords(
    throttled: TestApp, database: Database, alice: Person, outbox: Outbox, clients: int
) -> None:
    """A hundred requests, by one client or by many: three mails at most, and the owner goes on."""
    before = row(database, alice)
    assert ask(throttled, alice.email, 100, clients=clients) == ({200, 429} if clients == 1 else {200})
    assert [str(mail["To"]) for mail in outbox.take()] == [alice.email] * 3
    assert (
        throttled.get("/api/v1/alice/account", {"api_key": alice.api_key}, extra_environ=OWNER).status_int
        == 200
    )
    after = row(database, alice)
    assert (after.state, after.password_hash) == (before.state, before.password_hash)
    assert after.credential_epoch == before.credential_epoch


def test_s19_five_mails_an_hour(throttled: TestApp, alice: Person, bob: Person, outbox: Outbox) -> None:
    """Three in a quarter of an hour, five in an hour; another address has its own count."""
    with time_machine.travel(now()) as clock:
        sent = []
        for minutes in (0, 16, 16, 29):
            clock.shift(timedelta(minutes=minutes))
            assert ask(throttled, alice.email.upper(), 3) == {200}
            sent.append(len(outbox.take()))
        assert sent == [3, 2, 0, 3]
        assert ask(throttled, bob.email, 1) == {200}
        assert len(outbox.take()) == 1
