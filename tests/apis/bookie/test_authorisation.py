"""Bookie 1.3 and 1.4: who may, in which order things are checked, and that refusals tell nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import delete, event
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.data import locking
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import AccountState
from accountsapp.domain.rules.api_keys import PREFIX, make_api_key
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import FIVE_CALLS, Bookie

REFUSED = (403, b'{"error": "Not authorized for request."}')
DEACTIVATED = (403, {"error": "Deactivated account."})


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The SQL that is sent to the database meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engines = (database.read_engine, database.write_engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def deactivated(register: Callable[..., Person], stores: Process) -> Person:
    person = register("carol")
    with stores.transaction() as store:
        lifecycle.deactivate(store, person.id)
    return person


def set_state(stores: Process, person: Person, state: AccountState) -> None:
    with stores.transaction() as store:
        locking.lock(store.session, person.id).state = state


def test_all_refusals_are_the_same_bytes(
    bookie: Bookie,
    alice: Person,
    bob: Person,
    admin: Person,
    deactivated: Person,
    snapshot: Callable[[], Any],
) -> None:
    before = snapshot()
    credentials: dict[str, dict[str, str]] = {
        "no key": {},
        "empty key": {"api_key": ""},
        "wrong key": {"api_key": "wrong"},
        "wrong key of our form": {"api_key": make_api_key()},
        "old key": {"api_key": "0123456789ab"},
        "key of another account": {"api_key": bob.api_key},
        "administrator's key": {"api_key": admin.api_key},
        "deactivated account's key": {"api_key": deactivated.api_key},
    }
    paths = {"alice", "nobody", "admin", "carol"}
    own = {("administrator's key", "admin"), ("deactivated account's key", "carol")}
    got = {}
    headers = set()
    for method, call in FIVE_CALLS:
        for case, query in credentials.items():
            for name in paths:
                if (case, name) in own:
                    continue
                answer = bookie(method, f"/{name}{call}", query=query, form={"name": "Other"})
                got[case, method, call, name] = (answer.status_int, answer.body)
                headers.add(tuple((k, v) for k, v in answer.headers.items() if k != "X-Request-Id"))
    assert got == dict.fromkeys(got, REFUSED)
    assert len(headers) == 1
    assert snapshot() == before


@pytest.mark.one_server
def test_a_refusal_costs_the_same_for_known_and_unknown_accounts(
    bookie: Bookie, alice: Person, bob: Person, database: Database
) -> None:
    credentials: tuple[dict[str, str], ...] = (
        {},
        {"api_key": "0123456789ab"},
        {"api_key": make_api_key()},
        {"api_key": bob.api_key},
    )
    for credential in credentials:
        for method, call in FIVE_CALLS:
            work = []
            for name in ("alice", "nobody"):
                with statements(database) as seen:
                    bookie(method, f"/{name}{call}", query=credential)
                work.append(seen)
            assert work[0] == work[1], (credential, method, call)


@pytest.mark.parametrize("state", [AccountState.DEACTIVATED, AccountState.PENDING])
def test_the_good_key_of_an_account_that_is_not_active(
    bookie: Bookie, alice: Person, stores: Process, snapshot: Callable[[], Any], state: AccountState
) -> None:
    set_state(stores, alice, state)
    before = snapshot()
    form = {"name": "Other", "current_password": PASSWORD, "new_password": "another good one"}
    query = {"api_key": alice.api_key}
    got = [
        (answer.status_int, answer.json)
        for method, call in FIVE_CALLS
        for answer in [bookie(method, f"/alice{call}", query=query, form=form)]
    ]
    assert got == [DEACTIVATED] * len(FIVE_CALLS)
    assert snapshot() == before
    elsewhere = bookie("GET", "/bob/account", query=query)
    assert (elsewhere.status_int, elsewhere.body) == REFUSED
    wrong = bookie("GET", "/alice/account", query={"api_key": "wrong"})
    assert (wrong.status_int, wrong.body) == REFUSED

    set_state(stores, alice, AccountState.ACTIVE)
    assert bookie("GET", "/alice/account", query=query).status_int == 200


def test_an_account_without_a_key(bookie: Bookie, alice: Person, stores: Process) -> None:
    with stores.transaction() as store:
        store.session.execute(delete(ApiKey).where(ApiKey.account_id == alice.id))
    queries: tuple[Any, ...] = ({}, {"api_key": ""}, {"api_key": alice.api_key}, {"api_key": "None"})
    got = [
        (answer.status_int, answer.body)
        for query in queries
        for method, call in FIVE_CALLS
        for answer in [bookie(method, f"/alice{call}", query=query)]
    ]
    for value in ("", None, 0, False, [], {}):
        answer = bookie("POST", "/alice/account", json={"api_key": value})
        got.append((answer.status_int, answer.body))
    assert got == [REFUSED] * len(got)


def test_a_deleted_account(bookie: Bookie, alice: Person, stores: Process) -> None:
    with stores.transaction() as store:
        lifecycle.delete(store, alice.id)
    got = [
        (answer.status_int, answer.body)
        for method, call in FIVE_CALLS
        for answer in [bookie(method, f"/alice{call}", query={"api_key": alice.api_key})]
    ]
    assert got == [REFUSED] * len(got)


OLD_KEYS = ("0123456789ab", "a+b/c==", "ключ", "k", "with space", "0" * 41, "😀", "a&b=c;d%#?", "'", "acct_x")


def test_keys_of_older_systems_work(bookie: Bookie, register: Callable[..., Person]) -> None:
    got = {}
    for number, api_key in enumerate(OLD_KEYS):
        register(f"old{number}", api_key=api_key)
        got[api_key] = (
            bookie("GET", f"/old{number}/api_key", query={"api_key": api_key}).json.get("api_key"),
            bookie("POST", f"/old{number}/account", form={"api_key": api_key}).status_int,
            bookie("POST", f"/old{number}/account", json={"api_key": api_key}).status_int,
        )
    assert got == {api_key: (api_key, 200, 200) for api_key in OLD_KEYS}


def test_an_imported_key_may_end_like_a_checksum(bookie: Bookie, register: Callable[..., Person]) -> None:
    api_key = "other" + make_api_key().removeprefix(PREFIX)
    register("old", api_key=api_key)
    assert bookie("GET", "/old/account", query={"api_key": api_key}).status_int == 200


BAD_JSON = {"body": b"{", "content_type": "application/json"}
LARGE = {"body": b"x" * (1024 * 1024 + 1), "content_type": "application/json"}
OTHER_TYPE = {"body": b"x", "content_type": "text/plain"}
WEAK = {"form": {"current_password": "wrong", "new_password": "short", "name": "x\0"}}

ORDER: tuple[tuple[str, str, str, dict[str, Any], set[int]], ...] = (
    # Each has everything wrong that comes later, too.
    ("path", "PUT", "/alice/unknown", {"query": "callback=!&api_key=wrong", **BAD_JSON}, {404}),
    ("method", "PUT", "/alice/account", {"query": "callback=f&api_key=wrong", **BAD_JSON}, {405}),
    ("method or callback", "PUT", "/alice/account", {"query": "callback=!", **BAD_JSON}, {405, 400}),
    ("OPTIONS", "OPTIONS", "/alice/account", {"query": "api_key=wrong", **BAD_JSON}, {204}),
    ("callback", "POST", "/alice/account", {"query": "callback=!&api_key=wrong", **LARGE}, {400}),
    ("callback before values", "POST", "/alice/account", {"query": "callback=!", **WEAK}, {400}),
    ("size", "POST", "/alice/account", {"query": "api_key=wrong", **LARGE}, {413}),
    ("type", "POST", "/alice/account", {"query": "api_key=wrong", **OTHER_TYPE}, {415}),
    ("body or key", "POST", "/alice/account", {"query": "api_key=wrong", **BAD_JSON}, {400, 403}),
    ("key before values", "POST", "/alice/account", {"query": "api_key=wrong", **WEAK}, {403}),
    ("key before passwords", "POST", "/alice/password", {"query": "api_key=wrong", **WEAK}, {403}),
    ("username before values", "POST", "/alice/password", {"query": "KEY&username=bob", **WEAK}, {403}),
    ("values before password", "POST", "/alice/password", {"query": "KEY", **WEAK}, {406}),
    ("values", "POST", "/alice/account", {"query": "KEY", **WEAK}, {406}),
)


def test_the_first_check_that_fails_answers(
    bookie: Bookie, alice: Person, snapshot: Callable[[], Any]
) -> None:
    before = snapshot()
    got = {}
    for case, method, path, arguments, allowed in ORDER:
        query = arguments["query"].replace("KEY", f"api_key={alice.api_key}")
        status = bookie(method, path, **{**arguments, "query": query}).status_int
        got[case] = status if status not in allowed else "as allowed"
    assert got == dict.fromkeys((case for case, *_ in ORDER), "as allowed")
    assert snapshot() == before


def test_a_deactivated_account_is_refused_before_its_values_are_looked_at(
    bookie: Bookie, deactivated: Person
) -> None:
    answer = bookie("POST", "/carol/account", query={"api_key": deactivated.api_key}, form={"email": "x"})
    assert (answer.status_int, answer.json) == DEACTIVATED


def test_too_many_wrong_keys_are_429_before_the_key_is_looked_at(
    throttled: TestApp, alice: Person, bob: Person
) -> None:
    here, elsewhere = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2"}

    def ask(name: str, api_key: str, environ: dict[str, str]) -> Any:
        return throttled.get(
            f"/api/v1/{name}/account", {"api_key": api_key}, extra_environ=environ, expect_errors=True
        )

    tries = [ask("alice", f"wrong{number}", here).status_int for number in range(61)]
    assert tries[:20] == [403] * 20
    assert tries[60] == 429
    assert set(tries) == {403, 429}
    refused = ask("alice", alice.api_key, here)
    assert refused.status_int == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert set(refused.json) == {"error"}
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert ask("bob", bob.api_key, here).status_int == 429
    assert ask("alice", alice.api_key, elsewhere).status_int == 200
    assert ask("nobody", "wrong", elsewhere).status_int == 403


def test_a_forwarded_address_of_a_stranger_does_not_count(throttled: TestApp, alice: Person) -> None:
    for number in range(60):
        throttled.get(
            "/api/v1/alice/account",
            {"api_key": "wrong"},
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
            expect_errors=True,
        )
    answer = throttled.get(
        "/api/v1/alice/account",
        {"api_key": "wrong"},
        headers={"X-Forwarded-For": "198.51.100.99"},
        expect_errors=True,
    )
    assert answer.status_int == 429


def test_without_the_setting_nothing_is_counted(bookie: Bookie, alice: Person) -> None:
    got = [bookie("GET", "/alice/account", query={"api_key": "wrong"}).status_int for _ in range(100)]
    assert got == [403] * 100
    assert bookie("GET", "/alice/account", query={"api_key": alice.api_key}).status_int == 200
