"""Bookie with named keys and with keys in the header: what a key opens, shows, replaces and ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from webtest import TestApp, TestResponse

from accountsapp.domain import audit
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import By
from accountsapp.domain.rules.key_scopes import SCOPES
from accountsapp.process import Process
from accountsapp.testing.named_keys import add_key, keys_of, set_key
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie
from tests.support.outbox import Outbox, text_of

REFUSED = (403, b'{"error": "Not authorized for request."}')
EXPOSED = "Retry-After, X-Request-Id"
CALLS: dict[tuple[str, str], str] = {
    ("GET", "/account"): "account:read",
    ("GET", "/ping"): "account:read",
    ("POST", "/account"): "account:write",
    ("POST", "/invite"): "account:write",
    ("GET", "/api_key"): "key:read",
    ("POST", "/password"): "password:write",
    ("POST", "/account/password"): "password:write",
    ("POST", "/api_key"): "key:write",
    ("POST", "/reset_api_key"): "key:write",
}
"""Each call on an account, and the scope that it needs."""


def by_header(api_key: str) -> dict[str, Any]:
    return {"headers": {"X-Api-Key": api_key}}


def outcome(answer: TestResponse) -> tuple[int, bytes]:
    return answer.status_int, answer.body


def refused(stores: Process, person: Person) -> list[dict[str, Any]]:
    with stores.transaction() as store:
        rows = [*audit.listing(store.connection, account_id=person.id, events=[audit.Event.REFUSED])]
    return [row.detail for row in reversed(rows)]


def test_each_call_needs_its_scope(bookie: Bookie, stores: Process, alice: Person) -> None:
    form = {"current_password": "wrong", "new_password": PASSWORD, "email": ""}
    for scope in SCOPES:
        api_key = add_key(stores, alice, scope, scopes=[scope]).api_key
        for (method, call), needed in CALLS.items():
            if needed == scope and needed == "key:write":
                continue  # that one replaces the key
            answer = bookie(method, f"/alice{call}", form=form, query={"api_key": api_key})
            accepted, exposed = (
                answer.headers.get(name) for name in ("X-Accepted-Scope", "Access-Control-Expose-Headers")
            )
            if needed != scope:
                assert (answer.status_int, accepted) == (403, needed)
                assert exposed == f"{EXPOSED}, X-Accepted-Scope"
                plain = bookie(method, f"/alice{call}", form=form, query={"api_key": "wrong"})
                assert answer.body == plain.body
                assert "X-Accepted-Scope" not in plain.headers
            else:
                assert (accepted, exposed) == (None, EXPOSED)
                assert answer.status_int in (200, 406) or b"typo" in answer.body
    denied = refused(stores, alice)
    assert {row["permission"] for row in denied} == set(CALLS.values())
    assert {row["reason"] for row in denied} == {"scope missing"}
    full = add_key(stores, alice, "full").api_key
    for method, call in CALLS:
        answer = bookie(method, f"/alice{call}", form=form, query={"api_key": full})
        assert answer.status_int in (200, 406) or b"typo" in answer.body
        full = answer.json.get("api_key", full)
    assert "X-Accepted-Scope" not in answer.headers


def test_what_is_shown_is_the_key_that_was_presented(bookie: Bookie, stores: Process, alice: Person) -> None:
    first, other = add_key(stores, alice).api_key, add_key(stores, alice, "other").api_key
    passwords = {"current_password": PASSWORD, "new_password": PASSWORD + "2"}
    assert bookie("GET", "/alice/api_key", **by_header(first)).json == {
        "username": "alice",
        "api_key": first,
    }
    assert bookie("POST", "/alice/password", form=passwords, **by_header(other)).json == {
        "username": "alice",
        "api_key": other,
        "message": "done",
    }
    default = bookie("GET", "/alice/api_key", query={"api_key": alice.api_key})
    assert default.json["api_key"] == alice.api_key
    assert outcome(bookie("GET", "/bob/api_key", **by_header(first))) == REFUSED


@pytest.mark.parametrize("call", ["/api_key", "/reset_api_key"])
def test_its_holder_replaces_it(
    bookie: Bookie, stores: Process, alice: Person, outbox: Outbox, call: str
) -> None:
    key, first = add_key(stores, alice, scopes=["key:write", "account:read"], lifetime=timedelta(days=9))
    other = add_key(stores, alice, "other")
    set_key(stores, key.id, last_used=now(), last_used_in="query")
    outbox.take()
    answer = bookie("POST", f"/alice{call}", form={"api_key": first, "username": "ALICE"})
    assert answer.json == {"api_key": answer.json["api_key"], "message": "API key was successfully changed"}
    second = answer.json["api_key"]
    assert outcome(bookie("GET", "/alice/account", **by_header(first))) == REFUSED
    assert outcome(bookie("POST", f"/alice{call}", **by_header(first))) == REFUSED
    for api_key in (second, alice.api_key, other.api_key):
        assert bookie("GET", "/alice/account", **by_header(api_key)).status_int == 200
    new = next(row for row in keys_of(stores, alice) if row.name == key.name)
    assert (new.scopes, new.expires, new.state) == (key.scopes, key.expires, key.state)
    assert new.id != key.id
    (mail,) = outbox.take()
    assert "“laptop”" in text_of(mail)
    assert second not in mail.as_string()


def test_its_holder_ends_it(bookie: Bookie, stores: Process, alice: Person, outbox: Outbox) -> None:
    presented: dict[str, Callable[[str], dict[str, Any]]] = {
        "query": lambda key: {"query": {"api_key": key}},
        "form": lambda key: {"form": {"api_key": key}},
        "json": lambda key: {"json": {"api_key": key}},
        "header": by_header,
    }
    for name, present in presented.items():
        api_key = add_key(stores, alice, name, scopes=["email:read"]).api_key
        outbox.take()
        answer = bookie("DELETE", "/alice/api_key", **present(api_key))
        assert answer.status_int == 200
        assert answer.json == {"username": "alice", "message": "API key was revoked"}
        for _ in range(2):
            assert outcome(bookie("DELETE", "/alice/api_key", **present(api_key))) == REFUSED
        (mail,) = outbox.take()
        assert f"“{name}”" in text_of(mail)
    assert keys_of(stores, alice) == []
    api_key = add_key(stores, alice).api_key
    script = bookie("DELETE", "/alice/api_key", query={"api_key": api_key, "callback": "f"})
    assert script.text == '/**/f({"username": "alice", "message": "API key was revoked"});'
    for path in ("/alice/account", "/alice/reset_api_key", "/alice/password"):
        assert bookie("DELETE", path, **by_header(api_key)).status_int == 405


def test_the_default_key_is_not_ended(bookie: Bookie, stores: Process, alice: Person, bob: Person) -> None:
    answer = bookie("DELETE", "/alice/api_key", query={"api_key": alice.api_key})
    assert answer.status_int == 403
    assert "can only be reset" in answer.json["error"]
    assert bookie("GET", "/alice/account", query={"api_key": alice.api_key}).status_int == 200
    for key in ("", "wrong", bob.api_key):
        assert outcome(bookie("DELETE", "/alice/api_key", query={"api_key": key})) == REFUSED


def test_dead_keys_are_refused_alike(bookie: Bookie, stores: Process, alice: Person, bob: Person) -> None:
    revoked, expired, foreign = (add_key(stores, alice, name) for name in ("a", "b", "c"))
    rotated = add_key(stores, alice, "d")
    with stores.transaction() as store:
        named_keys.revoke(store, alice.id, revoked.key.id, By.PAGE)
        named_keys.rotate(store, alice.id, rotated.key.id, timedelta(), By.PAGE)
    set_key(stores, expired.key.id, expires=now())
    dead = (revoked.api_key, expired.api_key, rotated.api_key, "wrong", "acct_" + "0" * 36)
    answers = {
        (answer.status_int, answer.body, answer.headers.get("X-Accepted-Scope"))
        for key in dead
        for answer in (
            bookie("GET", "/alice/account", **by_header(key)),
            bookie("POST", "/alice/api_key", form={"api_key": key}),
            bookie("DELETE", "/alice/api_key", query={"api_key": key}),
        )
    }
    assert answers == {(*REFUSED, None)}
    assert outcome(bookie("GET", "/bob/account", **by_header(foreign.api_key))) == REFUSED
    assert outcome(bookie("GET", "/nobody/account", **by_header(foreign.api_key))) == REFUSED


def test_a_retiring_key_works_until_its_end(bookie: Bookie, stores: Process, alice: Person) -> None:
    key, api_key = add_key(stores, alice)
    with stores.transaction() as store:
        new = named_keys.rotate(store, alice.id, key.id, timedelta(hours=1), By.PAGE)
    for each in (api_key, new.api_key):
        assert bookie("GET", "/alice/account", **by_header(each)).status_int == 200
    replaced = bookie("POST", "/alice/api_key", **by_header(api_key)).json["api_key"]
    assert {row.state for row in keys_of(stores, alice)} == {"active", "retiring"}
    set_key(stores, next(row.id for row in keys_of(stores, alice) if row.state == "retiring"), expires=now())
    assert outcome(bookie("GET", "/alice/account", **by_header(replaced))) == REFUSED


def test_the_header(app: TestApp, bookie: Bookie, register: Callable[..., Person], stores: Process) -> None:
    person = register("old", api_key="kläüßel,+/=")
    sent = person.api_key.encode().decode("latin-1")
    path = "/old/account"

    def status(header: str | None, **more: Any) -> int:
        headers = {"X-Api-Key": header} if header is not None else {}
        return bookie("GET", path, headers=headers, **more).status_int

    good = {"query": {"api_key": person.api_key}}
    assert status(sent) == status(sent, **good) == status(None, **good) == 200
    bad = (
        sent.upper(),
        f"{sent},{sent}",
        f"{sent}, {sent}",
        f",{sent}",
        f"{sent},",
        "",
        "\xff",
        "x" * 100_000,
        "kl\xe4\xfc\xdfel,+/=",
    )
    for value in bad:
        assert status(value) == 403, value[:20]
        assert status(value, **good) == 403, value[:20]
    form = {"form": {"api_key": person.api_key}}
    assert bookie("POST", path, headers={"X-Api-Key": sent}, **form).status_int == 200
    assert bookie("POST", path, headers={"X-Api-Key": "other"}, **form).status_int == 403
    assert bookie("POST", path, headers={"X-Api-Key": sent}, json={"api_key": 1}).status_int == 403


@pytest.mark.one_server
def test_where_it_stood_last(bookie: Bookie, stores: Process, alice: Person) -> None:
    def used_in(**sent: Any) -> str | None:
        key, api_key = add_key(stores, alice, scopes=["account:read"])
        sent = {name: value(api_key) for name, value in sent.items()}
        bookie("POST", "/alice/account", **sent)  # the scope is missing
        stores_of_app.key_uses.write()
        (row,) = keys_of(stores, alice)
        with stores.transaction() as store:
            named_keys.revoke(store, alice.id, key.id, By.PAGE)
        assert row.last_used is None or abs(row.last_used - now()) < timedelta(seconds=20)
        return row.last_used_in

    stores_of_app = bookie.app.app.registry.process
    header: dict[str, Any] = {"headers": lambda key: {"X-Api-Key": key}}
    query: dict[str, Any] = {"query": lambda key: {"api_key": key}}
    form: dict[str, Any] = {"form": lambda key: {"api_key": key}}
    wrong: dict[str, Any] = {"form": lambda key: {"api_key": "wrong"}}
    assert used_in(**header, **query, **form) == used_in(**header) == "header"
    assert used_in(**query, **form) == used_in(**query) == "query"
    assert used_in(**form) == "body"
    assert used_in(**query, **wrong) is None


@pytest.mark.one_server
def test_it_is_noted_once_in_four_minutes(bookie: Bookie, stores: Process, alice: Person) -> None:
    key, api_key = add_key(stores, alice)
    uses = bookie.app.app.registry.process.key_uses

    def used_at() -> Any:
        bookie("GET", "/alice/account", **by_header(api_key))
        uses.write()
        return keys_of(stores, alice)[0].last_used

    first = used_at()
    assert first == used_at()
    recent, old = (now() - timedelta(minutes=minutes) for minutes in (3.9, 4.1))
    set_key(stores, key.id, last_used=recent)
    assert used_at() == recent
    set_key(stores, key.id, last_used=old)
    assert used_at() > first
    # Two servers that both saw an old one: the second does not write again.
    set_key(stores, key.id, last_used=old, last_used_in="query")
    bookie("GET", "/alice/account", **by_header(api_key))
    set_key(stores, key.id, last_used=recent)
    uses.write()
    assert keys_of(stores, alice)[0].last_used == recent
    bookie("GET", "/alice/account", query={"api_key": alice.api_key})
    assert not uses._pending


def test_deactivated_accounts(bookie: Bookie, stores: Process, alice: Person) -> None:
    api_key = add_key(stores, alice, scopes=["account:read"]).api_key
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    for method, call in (*CALLS, ("DELETE", "/api_key")):
        answer = bookie(method, f"/alice{call}", query={"api_key": api_key})
        assert answer.status_int == 403
        assert answer.json["error"] == "Deactivated account."
        assert "X-Accepted-Scope" not in answer.headers
        other = bookie(method, f"/alice{call}", query={"api_key": api_key, "username": "bob"})
        assert other.json["error"] == "Not authorized for request."
    with stores.transaction() as store:
        lifecycle.activate(store, alice.id)
    assert bookie("GET", "/alice/account", query={"api_key": api_key}).status_int == 200


def test_administrators(bookie: Bookie, stores: Process, alice: Person, admin: Person) -> None:
    narrow = add_key(stores, admin, "narrow", scopes=["account:read"]).api_key
    wide = add_key(stores, admin, "wide", scopes=["administer"]).api_key
    mine = add_key(stores, alice, scopes=["administer"]).api_key
    answer = bookie("GET", "/a/users/list", **by_header(narrow))
    assert (*outcome(answer), answer.headers["X-Accepted-Scope"]) == (*REFUSED, "administer")
    assert bookie("GET", "/a/users/list", **by_header(wide)).status_int == 200
    answer = bookie("GET", "/a/users/list", **by_header(mine))
    assert (*outcome(answer), answer.headers.get("X-Accepted-Scope")) == (*REFUSED, None)
    assert outcome(bookie("GET", "/alice/account", **by_header(wide))) == REFUSED


def test_the_rate_of_a_key(make_app: Callable[..., Any], stores: Process, alice: Person, bob: Person) -> None:
    bookie = Bookie(TestApp(make_app(**{"accountsapp.keys.rate_limit": "3/hour"})))
    key, api_key = add_key(stores, alice, scopes=["account:read", "key:write"])
    places: list[dict[str, Any]] = [
        {"query": {"api_key": api_key}},
        {"form": {"api_key": api_key}},  # without the scope: counts
        by_header(api_key),
    ]
    statuses = [bookie("POST", "/alice/api_key", query={"api_key": "x"}).status_int]
    statuses += [bookie("POST", "/alice/account", **place).status_int for place in places]
    assert statuses == [403, 403, 403, 403]
    over = bookie("POST", "/alice/api_key", **by_header(api_key))
    assert over.status_int == 429
    assert int(over.headers["Retry-After"]) > 0
    assert set(over.json) == {"error"}
    assert keys_of(stores, alice)[0].id == key.id
    assert "X-Accepted-Scope" not in bookie("POST", "/alice/account", **by_header(api_key)).headers
    assert (
        outcome(bookie("GET", "/bob/account", **by_header(api_key))) == REFUSED
    )  # not its account: before it
    own: dict[str, Any] = {"query": {"api_key": alice.api_key}}
    assert [bookie("GET", "/alice/account", **own).status_int for _ in range(4)] == [200, 200, 200, 429]
    assert bookie("GET", "/bob/account", query={"api_key": bob.api_key}).status_int == 200
    assert bookie("DELETE", "/alice/api_key", **by_header(api_key)).status_int == 200
    fresh = add_key(stores, alice, "fresh").api_key
    for _ in range(3):
        fresh = bookie("POST", "/alice/api_key", **by_header(fresh)).json["api_key"]
    assert bookie("GET", "/alice/account", **by_header(fresh)).status_int == 200
