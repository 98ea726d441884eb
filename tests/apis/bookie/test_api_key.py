"""Bookie 1.6 to 1.8, calls 3 and 4: reading and resetting the API key."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials import api_keys
from accountsapp.domain.rules.api_keys import PREFIX
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.bookie import Bookie

RESETS = ("/api_key", "/reset_api_key")


def reset(bookie: Bookie, api_key: str, path: str = "/api_key") -> Any:
    return bookie("POST", f"/alice{path}", query={"api_key": api_key})


def test_read(bookie: Bookie, register: Callable[..., Person]) -> None:
    register("Someuser", api_key="12345")
    answer = bookie("GET", "/someuser/api_key", query={"api_key": "12345"})
    assert (answer.status_int, answer.json) == (200, {"username": "Someuser", "api_key": "12345"})


def test_reset(bookie: Bookie, alice: Person) -> None:
    current = alice.api_key
    for path, place in product(RESETS, ("query", "form", "json")):
        arguments: dict[str, Any] = {place: {"api_key": current}}
        answer = bookie("POST", f"/alice{path}", **arguments)
        new = answer.json["api_key"]
        expected = {"api_key": new, "message": "API key was successfully changed"}
        assert (answer.status_int, answer.json) == (200, expected)
        assert new != current
        assert re.fullmatch(r"[A-Za-z0-9_-]{32,64}", new)
        read = bookie("GET", "/alice/api_key", query={"api_key": new})
        assert read.json == {"username": "alice", "api_key": new}
        current = new


@pytest.mark.parametrize("path", RESETS)
def test_the_old_key_is_dead_everywhere(
    bookie: Bookie, alice: Person, make_app: Callable[..., Any], path: str
) -> None:
    other_server = Bookie(TestApp(make_app()))
    assert other_server("GET", "/alice/account", query={"api_key": alice.api_key}).status_int == 200
    new = reset(bookie, alice.api_key, path).json["api_key"]
    calls = (
        ("GET", "/alice/account"),
        ("POST", "/alice/account"),
        ("GET", "/alice/api_key"),
        ("POST", "/alice/api_key"),
        ("POST", "/alice/reset_api_key"),
        ("POST", "/alice/password"),
    )
    got = [
        server(method, call, query={"api_key": alice.api_key}).status_int
        for server in (bookie, other_server)
        for method, call in calls
    ]
    assert got == [403] * len(got)
    works = [
        server("GET", "/alice/account", query={"api_key": new}).status_int
        for server in (bookie, other_server)
    ]
    assert works == [200, 200]


def test_a_reset_sent_twice(bookie: Bookie, alice: Person) -> None:
    new = reset(bookie, alice.api_key).json["api_key"]
    assert reset(bookie, alice.api_key).status_int == 403
    assert bookie("GET", "/alice/api_key", query={"api_key": new}).json["api_key"] == new


def test_a_reset_changes_the_key_alone(
    bookie: Bookie, alice: Person, bob: Person, snapshot: Callable[[], Any]
) -> None:
    before = snapshot()
    reset(bookie, alice.api_key)
    after = snapshot()
    assert after["account"] == before["account"]
    assert after["email_address"] == before["email_address"]
    changed = [row for row in before["api_key"] if row not in after["api_key"]]
    assert [row[0] for row in changed] == [alice.id]


def test_an_old_key_is_replaced_by_a_new_one(bookie: Bookie, register: Callable[..., Person]) -> None:
    register("alice", api_key="0123456789ab")
    new = reset(bookie, "0123456789ab").json["api_key"]
    assert new.startswith(PREFIX)
    assert reset(bookie, "0123456789ab").status_int == 403


def test_keys_are_never_the_same(bookie: Bookie, alice: Person) -> None:
    seen = [alice.api_key]
    for _ in range(20):
        seen.append(reset(bookie, seen[-1]).json["api_key"])
    assert len(set(seen)) == 21


def test_somebody_was_faster(
    bookie: Bookie, alice: Person, stores: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key was good when it was checked, and is another one when the row is locked."""
    real, others = api_keys.reset, []

    def interrupted(store: Store, account_id: int, **given: Any) -> str:
        with stores.transaction() as other:
            others.append(real(other, account_id, **given))
        return real(store, account_id, **given)

    monkeypatch.setattr(api_keys, "reset", interrupted)
    answer = reset(bookie, alice.api_key)
    assert (answer.status_int, answer.json) == (403, {"error": "Not authorized for request."})
    assert bookie("GET", "/alice/api_key", query={"api_key": others[0]}).json["api_key"] == others[0]


@pytest.mark.parametrize("change", [lifecycle.deactivate, lifecycle.delete])
def test_the_account_was_ended_meanwhile(
    bookie: Bookie,
    alice: Person,
    stores: Process,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Store, int], None],
) -> None:
    real = api_keys.reset

    def interrupted(store: Store, account_id: int, **given: Any) -> str:
        with stores.transaction() as other:
            change(other, account_id)
        return real(store, account_id, **given)

    monkeypatch.setattr(api_keys, "reset", interrupted)
    assert reset(bookie, alice.api_key).status_int == 403


def test_of_simultaneous_resets_exactly_one_succeeds(wsgi: Any, alice: Person) -> None:
    clients = 6
    start = Barrier(clients)

    def one(_: int) -> Any:
        bookie = Bookie(TestApp(wsgi))
        start.wait()
        return reset(bookie, alice.api_key)

    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(one, range(clients)))
    assert sorted(answer.status_int for answer in answers) == [200] + [403] * (clients - 1)
    (key,) = (answer.json["api_key"] for answer in answers if answer.status_int == 200)
    read = Bookie(TestApp(wsgi))("GET", "/alice/api_key", query={"api_key": key})
    assert (read.status_int, read.json["api_key"]) == (200, key)


def test_use_during_a_reset_is_wholly_good_or_refused(wsgi: Any, alice: Person) -> None:
    clients = 4
    start = Barrier(clients + 1)

    def use(_: int) -> list[Any]:
        bookie = Bookie(TestApp(wsgi))
        start.wait()
        return [bookie("GET", "/alice/api_key", query={"api_key": alice.api_key}) for _ in range(10)]

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(use, number) for number in range(clients)]
        start.wait()
        new = reset(Bookie(TestApp(wsgi)), alice.api_key).json["api_key"]
        after = Bookie(TestApp(wsgi))("GET", "/alice/api_key", query={"api_key": alice.api_key})
        answers = [answer for future in running for answer in future.result()]
    assert after.status_int == 403
    refusal = (403, {"error": "Not authorized for request."})
    good = [(200, {"username": "alice", "api_key": key}) for key in (alice.api_key, new)]
    assert [answer for answer in answers if (answer.status_int, answer.json) not in (refusal, *good)] == []


def test_keys_are_nowhere_in_clear(
    bookie: Bookie, register: Callable[..., Person], database_dump: Callable[[], bytes]
) -> None:
    register("old", api_key="0badc0ffee42")
    register("alice", api_key="canarycanary")
    new = reset(bookie, "canarycanary").json["api_key"]
    dump = database_dump()
    assert b"alice@example.com" in dump
    for key in ("0badc0ffee42", "canarycanary", new):
        for form in secret_forms(key):
            assert form not in dump


def secret_forms(key: str) -> list[bytes]:
    """What would give the key away: itself, and every unkeyed digest of it."""
    from base64 import b64encode
    from hashlib import md5, sha1, sha256, sha512

    forms = [key.encode(), key.encode().hex().encode(), b64encode(key.encode()).rstrip(b"=")]
    for algorithm in (md5, sha1, sha256, sha512):
        digest = algorithm(key.encode()).digest()
        forms += [digest, digest.hex().encode(), digest.hex().upper().encode(), b64encode(digest)]
    return forms
