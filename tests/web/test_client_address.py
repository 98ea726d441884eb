"""Whose a request is: the peer's, or what a trusted proxy says; limits count an IPv6 customer as one."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import bcrypt
import pytest
from webtest import TestApp

from accountsapp.domain import audit
from accountsapp.domain.passwords import MOST_ADMITTED, Passwords
from accountsapp.domain.rules.client_addresses import network_of, parse
from accountsapp.process import Process
from accountsapp.testing.oauth import basic
from accountsapp.testing.people import PASSWORD, Person
from accountsapp.web.client_address import client_address
from tests.support.servers import Server

PROXY = "127.0.0.1"
FORWARDED = {
    "203.0.113.9": "203.0.113.9",
    "203.0.113.9:4711": "203.0.113.9",
    "2001:db8::1": "2001:db8::1",
    "2001:DB8:0:0::1": "2001:db8::1",
    "[2001:db8::1]": "2001:db8::1",
    "[2001:db8::1]:4711": "2001:db8::1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "::ffff:c000:201": "192.0.2.1",
    "[::ffff:192.0.2.1]": "192.0.2.1",
    "[::ffff:192.0.2.1]:4711": "192.0.2.1",
    "64:ff9b::192.0.2.1": "64:ff9b::c000:201",
    "198.51.100.1, 203.0.113.9": "203.0.113.9",
    "unknown": PROXY,
    "_hidden": PROXY,
    "999.1.1.1": PROXY,
    "203.0.113.9:x": PROXY,
    "localhost": PROXY,
    "[]": PROXY,
}


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path, alice: Person) -> Iterator[Server]:
    options = {"trusted_proxy": PROXY, "trusted_proxy_count": "1", "trusted_proxy_headers": "x-forwarded-for"}
    made = Server(tmp_path, ini, server=options)
    yield made.wait()
    made.stop()


def addresses(stores: Process) -> list[str | None]:
    """The clients of all refusals, oldest first."""
    with stores.transaction() as store:
        rows = audit.listing(store.connection)
        return [row.address for row in rows if row.event == audit.Event.REFUSED][::-1]


def test_what_a_trusted_proxy_says(server: Server, stores: Process, alice: Person) -> None:
    url = f"{server.url}/api/v1/nobody/account?api_key={alice.api_key}"
    for forwarded in FORWARDED:
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(url, headers={"X-Forwarded-For": forwarded}), timeout=60)
        refused.value.close()
        assert refused.value.code == 403
    assert dict(zip(FORWARDED, addresses(stores), strict=True)) == FORWARDED


@pytest.mark.parametrize(("text", "address"), [("fe80::1%eth0", "fe80::1"), ("", None), ("1.2.3", None)])
def test_an_address_alone(text: str, address: str | None) -> None:
    assert parse(text) == address


def test_another_server_does_not_tell_its_peer() -> None:
    assert client_address({"REMOTE_ADDR": "unknown"}) == client_address({}) == ""


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_whose_an_address_is(address: str, network: str) -> None:
    assert network_of(address) == network


ATTEMPTS: dict[str, Callable[[TestApp, Person, dict[str, str]], int]] = {
    "keys": lambda app, _person, environ: (
        app.get(
            "/api/v1/alice/ping", {"api_key": "wrong"}, extra_environ=environ, expect_errors=True
        ).status_int
    ),
    "passwords": lambda app, _person, environ: (
        app.get(
            "/api/v1.1/users/alice/",
            headers=basic("alice", "wrong"),
            extra_environ=environ,
            expect_errors=True,
        ).status_int
    ),
    "own password": lambda app, person, environ: (
        app.post(
            "/api/v1/alice/password",
            {"api_key": person.api_key, "current_password": "wrong", "new_password": "a good new one"},
            extra_environ=environ,
            expect_errors=True,
        ).status_int
    ),
    "recovery": lambda app, _person, environ: (
        app.post("/api/v1/suspend", {"email": "x"}, extra_environ=environ, expect_errors=True).status_int
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_customer_is_counted_as_one(
    throttled: TestApp, alice: Person, stores: Process, attempt: Callable[..., int]
) -> None:
    customer = ({"REMOTE_ADDR": f"2001:db8:7:7:{number:x}::{number:x}"} for number in itertools.count())
    answers = [attempt(throttled, alice, environ) for environ in itertools.islice(customer, 110)]
    assert answers[-1] == 429
    assert attempt(throttled, alice, {"REMOTE_ADDR": "2001:db8:7:8::1"}) != 429
    with stores.transaction() as store:
        seen = {row.address for row in audit.listing(store.connection) if row.address}
    assert all("/" not in address for address in seen)


def test_one_client_who_guesses_leaves_room_for_others(
    make_app: Callable[..., Any], alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wrong ones a client sends, two at a time are looked at, and others are served."""
    wsgi = make_app()
    wsgi.registry.process.passwords = Passwords(4, slots=MOST_ADMITTED)
    real, inside, most, leave = bcrypt.checkpw, Semaphore(0), [0], Event()
    guesses: list[int] = []

    def check(password: bytes, hashed: bytes) -> bool:
        if not password.startswith(b"wrong"):
            return real(password, hashed)
        guesses.append(1)
        most[0] = max(most[0], len(guesses))
        inside.release()
        leave.wait(60)
        guesses.pop()
        return False

    monkeypatch.setattr(bcrypt, "checkpw", check)

    def ask(username: str, password: str, address: str) -> int:
        answer = TestApp(wsgi).get(
            f"/api/v1.1/users/{username}/",
            headers=basic(username, password),
            extra_environ={"REMOTE_ADDR": address},
            expect_errors=True,
        )
        return answer.status_int

    with ThreadPoolExecutor(30) as pool:
        flood = [pool.submit(ask, "alice", f"wrong{n % 20}", f"2001:db8::{n:x}") for n in range(30)]
        try:
            assert all(inside.acquire(timeout=30) for _ in range(2))
            rights = [ask(who.username, PASSWORD, f"192.0.2.{n}") for n, who in enumerate([alice, bob] * 4)]
        finally:
            leave.set()
        answers = Counter(guess.result(60) for guess in flood)
    assert rights == [200] * 8
    assert most == [2]
    assert set(answers) == {401, 503}
