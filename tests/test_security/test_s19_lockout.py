"""S19: a stranger's failures lock nobody out."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from webtest import TestApp

from accountsapp.db import Database
from accountsapp.domain.models import Account
from tests.conftest import PASSWORD, Person

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


def test_s19_forgotten_passwords(throttled: TestApp, database: Database, alice: Person) -> None:
    before = row(database, alice)
    for _ in range(100):
        throttled.post("/api/v1/suspend", {"email": alice.email}, extra_environ=STRANGER, expect_errors=True)
    assert (
        throttled.get("/api/v1/alice/account", {"api_key": alice.api_key}, extra_environ=OWNER).status_int
        == 200
    )
    after = row(database, alice)
    assert (after.state, after.password_hash) == (before.state, before.password_hash)
    assert after.credential_epoch == before.credential_epoch
