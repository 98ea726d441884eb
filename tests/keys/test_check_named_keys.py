"""``/auth/check`` (keys 10) with named keys: what each scope tells and opens, and when a key is dead."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.clock import now
from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import By, NewKey
from accountsapp.domain.rules.key_scopes import PRESETS, SCOPES
from accountsapp.process import Process
from accountsapp.testing.everywhere import dump
from accountsapp.testing.named_keys import add_key, keys_of, set_key
from accountsapp.testing.oauth import basic, bearer
from accountsapp.testing.people import Person
from tests.support.check import Proxy, key, seen, told_by, url

WAYS = (key, url, bearer)

Add = Callable[..., NewKey]


@pytest.fixture
def add(stores: Process) -> Add:
    """Makes a named key: ``add(alice, "account:read")``; without scopes one for all."""

    def make(person: Person, *scopes: str, name: str | None = None) -> NewKey:
        return add_key(stores, person, name or f"key for {scopes}", scopes=scopes or None, most=100)

    return make


def may(scopes: Sequence[str], is_admin: bool) -> list[str]:
    """Of the scopes of a key, what an account may."""
    return [scope for scope in SCOPES if scope in scopes and (is_admin or scope != "administer")]


def test_each_scope(proxy: Proxy, add: Add, alice: Person, admin: Person, register: Any) -> None:
    sets = {*((scope,) for scope in SCOPES), *PRESETS.values(), ("account:write", "email:read")}
    new = register("new", verified=False, name="New")
    for person, scopes in ((person, scopes) for person in (alice, admin, new) for scopes in sets):
        made = add(person, *(scopes or ()), name=f"{scopes}")
        held = may(scopes or SCOPES, person is admin)
        told = proxy.told("", key(made.api_key))
        assert told["User"] == person.username
        assert told["Credential"] == f"key:{made.key.id}"
        assert told["Scopes"].split() == held
        assert ("Name" in told) == ("account:read" in held and person is not admin)
        assert ("Email" in told) == (bool({"account:read", "email:read"} & {*held}) and person is not new)
        for scope in SCOPES:
            answer = proxy.ask(f"scope={scope}", key(made.api_key))
            is_held = scope in held
            assert answer.status_int == (200 if is_held else 403), (scopes, scope)
            assert answer.headers.get("X-Accepted-Scope") == (None if is_held else scope)
        administers = proxy.ask("admin=1", key(made.api_key))
        assert administers.status_int == (200 if "administer" in held else 403)
        lacks = person is admin and "administer" not in held
        assert administers.headers.get("X-Accepted-Scope") == ("administer" if lacks else None)


def test_each_way_of_showing_it(proxy: Proxy, add: Add, alice: Person) -> None:
    made, other = add(alice, "email:read", name="one"), add(alice, "email:read", name="two")
    told = [proxy.told("", show(made.api_key)) for show in WAYS]
    assert told == [
        {
            "User": "alice",
            "User-Id": str(alice.id),
            "Scopes": "email:read",
            "Credential": f"key:{made.key.id}",
            "Email": "alice@example.com",
        }
    ] * len(WAYS)
    both = {**key(made.api_key), **url(other.api_key)}
    assert seen(proxy.ask("", both)) == seen(proxy.ask())


def test_a_dead_key_is_dead_on_every_server(
    make_app: Any, add: Add, alice: Person, stores: Process, database: Any
) -> None:
    """At the next check, with the bytes of any other bad credential."""
    servers = [Proxy(make_app()), Proxy(make_app())]

    def opens(api_key: str) -> bool:
        answers = [server.ask("", show(api_key)) for show in WAYS for server in servers]
        if all(answer.status_int == 200 for answer in answers):
            return True
        assert [seen(answer) for answer in answers] == [seen(servers[0].ask())] * len(answers)
        return False

    def ids(made: NewKey) -> tuple[int, str]:
        return alice.id, made.key.id

    revoked, expired, replaced, ended, rotated = (add(alice, name=f"{n}") for n in range(5))
    assert all(opens(made.api_key) for made in (revoked, expired, replaced, ended, rotated))
    with stores.transaction() as store:
        named_keys.revoke(store, *ids(revoked), By.PAGE)
    set_key(stores, expired.key.id, expires=now())
    assert not opens(revoked.api_key)
    assert not opens(expired.api_key)
    with stores.transaction() as store:
        new = named_keys.replace(store, alice.id, replaced.api_key)
        named_keys.end(store, alice.id, ended.api_key)
        rotation = named_keys.rotate(store, *ids(rotated), timedelta(hours=1), By.PAGE)
    assert (opens(replaced.api_key), opens(new.api_key), opens(ended.api_key)) == (False, True, False)
    # Both halves of a rotation are good, each under its own id, until the old one ends.
    assert (opens(rotation.api_key), opens(rotated.api_key)) == (True, True)
    told = [servers[0].told("", key(half))["Credential"] for half in (rotated.api_key, rotation.api_key)]
    assert told == [f"key:{rotated.key.id}", f"key:{rotation.key.id}"]
    with stores.transaction() as store:
        named_keys.revoke(store, *ids(rotated), By.PAGE)
    assert (opens(rotated.api_key), opens(rotation.api_key)) == (False, True)
    assert opens(alice.api_key)


def test_the_rate_of_a_key(make_app: Any, add: Add, alice: Person, stores: Process) -> None:
    """One count for all its places and for Bookie, of its own for each key."""
    app = make_app(**{"accountsapp.keys.rate_limit": "8/hour"})
    proxy, bookie = Proxy(app), TestApp(app)
    made, other = add(alice, "account:read", name="one"), add(alice, "account:read", name="two")
    for show in WAYS:
        assert proxy.ask("", show(made.api_key)).status_int == 200
        assert proxy.ask("scope=key:read", show(made.api_key)).status_int == 403
    bookie.get("/api/v1/alice/account", headers=key(made.api_key), status=200)
    # What is refused before the key is looked at is not counted.
    assert proxy.ask("x=1", key(made.api_key)).status_int == 400
    assert proxy.ask("", {**key(made.api_key), **url("wrong")}).status_int == 401
    assert proxy.ask("", key(made.api_key)).status_int == 200
    for query in ("", "scope=key:read", "admin=1"):
        refused = [proxy.ask(query, show(made.api_key)) for show in WAYS]
        assert [answer.status_int for answer in refused] == [429] * len(WAYS)
        for answer in refused:
            assert int(answer.headers["Retry-After"]) > 0
            assert (list(answer.json), told_by(answer)) == (["error"], {})
    bookie.get("/api/v1/alice/account", headers=key(made.api_key), status=429)
    for headers in (key(other.api_key), key(alice.api_key), basic("alice")):
        assert proxy.ask("", headers).status_int == 200
    for _ in range(10):
        assert proxy.ask("", basic("alice")).status_int == 200
        last = proxy.ask("", key(alice.api_key))
    assert last.status_int == 429


def test_the_last_use_is_noted_by_place(
    wsgi: Any, proxy: Proxy, add: Add, alice: Person, stores: Process
) -> None:
    """Of every check that proved the key, also one that was refused; and never in the request."""
    shown = {
        "bearer": ("", bearer),
        "query": ("", url),
        "header": ("scope=administer", lambda api_key: {**key(api_key), **url(api_key)}),
    }
    made = {place: add(alice, "account:read", name=place) for place in shown}
    dead = add(alice, "account:read", name="never used")
    before = dump(TestApp(wsgi), audited=True)
    for place, (query, show) in shown.items():
        proxy.ask(query, show(made[place].api_key))
    proxy.ask("x=1", key(dead.api_key))
    assert dump(TestApp(wsgi), audited=True) == before
    stores.key_uses.write()
    listed = {row.name: row for row in keys_of(stores, alice)}
    assert {name: row.last_used_in for name, row in listed.items()} == {
        **{place: place for place in shown},
        "never used": None,
    }
    assert [row.last_used is None for row in listed.values()] == [False] * 3 + [True]
    after = dump(TestApp(wsgi), audited=True)
    assert {table for table in after if after[table] != before[table]} == {"api_key"}
