"""Bookie 1.6 to 1.8, calls 1 and 2: reading and updating an account; the name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from accountsapp.domain.data import locking
from accountsapp.domain.data.reads import sealed_api_key
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.bookie import Bookie


def read(bookie: Bookie, person: Person) -> dict[str, Any]:
    return bookie("GET", f"/{person.username}/account", query={"api_key": person.api_key}).json


def test_the_six_keys(bookie: Bookie, register: Callable[..., Person], stores: Process) -> None:
    register(
        "Admin",
        "testing@dummy.com",
        is_admin=True,
        signup=datetime(2011, 4, 7, 17, 50, 18, 999_999, UTC),
        last_login=datetime(2012, 1, 2, 1, 4, 5, tzinfo=timezone(timedelta(hours=2))),
        api_key="12345",
        location="elsewhere",
        invite_ct=7,
        invited_by="bob",
    )
    answer = bookie("GET", "/admin/account", query={"api_key": "12345"})
    assert answer.json == {
        "username": "Admin",
        "name": None,
        "signup": "2011-04-07 17:50:18",
        "activated": True,
        "last_login": "2012-01-01 23:04:05",
        "email": "testing@dummy.com",
    }


def test_unknown_times_are_null(bookie: Bookie, alice: Person, stores: Process) -> None:
    with stores.transaction() as store:
        locking.lock(store.session, alice.id).signup = None
    body = read(bookie, alice)
    assert (body["signup"], body["last_login"]) == (None, None)


def test_no_call_is_a_login(bookie: Bookie, alice: Person) -> None:
    key = alice.api_key
    bookie("GET", "/alice/account", query={"api_key": key})
    bookie("POST", "/alice/account", query={"api_key": key, "name": "Other"})
    bookie(
        "POST",
        "/alice/password",
        query={"api_key": key},
        form={"current_password": alice.password, "new_password": "another good one"},
    )
    key = bookie("POST", "/alice/api_key", query={"api_key": key}).json["api_key"]
    assert bookie("GET", "/alice/account", query={"api_key": key}).json["last_login"] is None


def test_an_update_answers_with_the_account_after_it(bookie: Bookie, alice: Person) -> None:
    before = read(bookie, alice)
    form = {"name": "Alice L.", "email": "new@example.com"}
    answer = bookie("POST", "/alice/account", query={"api_key": alice.api_key}, form=form)
    assert answer.json == before | form
    assert read(bookie, alice) == answer.json


def test_nothing_given_changes_nothing(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before, body = snapshot(), read(bookie, alice)
    nothing: tuple[dict[str, Any], ...] = (
        {},
        {"form": {}},
        {"json": {}},
        {"json": {"name": None, "email": None}},
    )
    for arguments in nothing:
        answer = bookie("POST", "/alice/account", query={"api_key": alice.api_key}, **arguments)
        assert (answer.status_int, answer.json) == (200, body)
    assert snapshot() == before


def test_one_without_the_other(bookie: Bookie, alice: Person) -> None:
    key = {"api_key": alice.api_key}
    name = bookie("POST", "/alice/account", query=key, json={"name": "Other", "email": None}).json
    email = bookie("POST", "/alice/account", query=key, json={"email": "new@example.com", "name": None}).json
    assert (name["name"], name["email"]) == ("Other", alice.email)
    assert (email["name"], email["email"]) == ("Other", "new@example.com")


def test_an_update_sent_twice_answers_the_same(bookie: Bookie, alice: Person) -> None:
    form = {"name": "Other", "email": "new@example.com"}
    first, second = (
        bookie("POST", "/alice/account", query={"api_key": alice.api_key}, form=form) for _ in range(2)
    )
    assert (second.status_int, second.json) == (200, first.json)


def test_an_update_leaves_key_password_and_other_accounts_alone(
    bookie: Bookie, alice: Person, bob: Person, stores: Process
) -> None:
    others = read(bookie, bob)

    def credentials() -> tuple[Any, ...]:
        with stores.transaction() as store:
            row = store.reader.by_id(alice.id)
            assert row is not None
            sealed = sealed_api_key(store.connection, alice.id)
            return row.credential_epoch, sealed, store.reader.password_hash(alice.id)

    before = credentials()
    form = {"name": "Other", "email": "new@example.com"}
    bookie("POST", "/alice/account", query={"api_key": alice.api_key}, form=form)
    assert credentials() == before
    assert read(bookie, bob) == others


NAMES: dict[str, Any] = {
    "Alice": "Alice",
    "  Alice  Liddell \t": "Alice  Liddell",
    "\u00a0\u3000Alice\u2003": "Alice",
    "Alice\n": "Alice",
    "": None,
    "   ": None,
    "\u00a0": None,
    "x" * 255: "x" * 255,
    "  " + "x" * 255 + "  ": "x" * 255,
    "ä" * 255: "ä" * 255,
    "😀" * 255: "😀" * 255,
    "<script>alert('x')</script> & \"q\"": "<script>alert('x')</script> & \"q\"",
    "Robert'); DROP TABLE account;--": "Robert'); DROP TABLE account;--",
    "日本語 עברית": "日本語 עברית",
    "e\u0301": "e\u0301",
    "0": "0",
    "null": "null",
    "%00 + %41": "%00 + %41",
    "zero\u200dwidth": "zero\u200dwidth",
    "\ufeffmark": "\ufeffmark",
}
BAD_NAMES: tuple[Any, ...] = (
    "x" * 256,
    "😀" * 256,
    "a\0b",
    "\0",
    "a\nb",
    "a\r\nb",
    "a\tb",
    "a\x1bb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "\ud800",
    "a\udfffb",
    1,
    0,
    1.5,
    True,
    False,
    [],
    ["x"],
    {},
    {"a": "x"},
)


def test_names(bookie: Bookie, alice: Person) -> None:
    got = {}
    for name in NAMES:
        bookie("POST", "/alice/account", query={"api_key": alice.api_key, "name": "before"})
        answer = bookie("POST", "/alice/account", query={"api_key": alice.api_key}, json={"name": name})
        assert answer.status_int == 200, name
        got[name] = (answer.json["name"], read(bookie, alice)["name"])
    assert got == {name: (stored, stored) for name, stored in NAMES.items()}


def test_bad_names_change_nothing(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    for name in BAD_NAMES:
        body = {"name": name, "email": "new@example.com"}
        answer = bookie("POST", "/alice/account", query={"api_key": alice.api_key}, json=body)
        assert (answer.status_int, set(answer.json)) == (406, {"username", "error"}), name
        assert answer.json["username"] == "alice"
    assert snapshot() == before


@pytest.mark.parametrize("place", ["query", "form"])
def test_bad_names_of_query_and_form(bookie: Bookie, alice: Person, place: str) -> None:
    got = {}
    for name in BAD_NAMES:
        if isinstance(name, str) and name.isprintable() | ("\0" in name):
            arguments: dict[str, Any] = {"query": {"api_key": alice.api_key}}
            arguments[place] = {**arguments.get(place, {}), "name": name}
            got[name] = bookie("POST", "/alice/account", **arguments).status_int
    assert got == dict.fromkeys(got, 406)
    assert len(got) == 4


def test_a_file_is_no_name(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    body = b'--b\r\nContent-Disposition: form-data; name="name"; filename="f"\r\n\r\nx\r\n--b--\r\n'
    answer = bookie(
        "POST",
        "/alice/account",
        query={"api_key": alice.api_key},
        body=body,
        content_type="multipart/form-data; boundary=b",
    )
    assert answer.status_int == 406
    assert snapshot() == before


def test_a_bad_address_leaves_a_good_name_unchanged(
    bookie: Bookie, alice: Person, snapshot: Callable[[], Any]
) -> None:
    before = snapshot()
    body = {"name": "Other", "email": "no address"}
    answer = bookie("POST", "/alice/account", query={"api_key": alice.api_key}, json=body)
    assert (answer.status_int, answer.json["username"]) == (406, "alice")
    assert snapshot() == before
