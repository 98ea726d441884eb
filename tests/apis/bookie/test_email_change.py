"""Bookie 1.7 and 1.9, the e-mail address: what is one, and that a new one is shown at once but pending."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from accountsapp.domain.clock import now
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import EmailAddress
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie


def ask(bookie: Bookie, person: Person, email: object) -> Any:
    return bookie(
        "POST", f"/{person.username}/account", query={"api_key": person.api_key}, json={"email": email}
    )


def shown(bookie: Bookie, person: Person) -> str:
    return bookie("GET", f"/{person.username}/account", query={"api_key": person.api_key}).json["email"]


@pytest.fixture
def stored(stores: Process) -> Callable[[Person], tuple[Any, ...]]:
    """The primary and the pending address of an account, as the database has them."""

    def look(person: Person) -> tuple[Any, ...]:
        with stores.transaction() as store:
            row = store.reader.by_id(person.id)
            assert row is not None
            return row.email, row.pending_email

    return look


GOOD = {
    "new@example.com": "new@example.com",
    "  New.Name@Example.COM \n": "new.name@example.com",
    "user@localhost": "user@localhost",
    "a@b": "a@b",
    "a+tag@example.com": "a+tag@example.com",
    "ÄÖÜ@exämple.com": "äöü@exämple.com",
    "o'hara@example.com": "o'hara@example.com",
    "x" * 64 + "@" + "e" * 63 + "." + "f" * 63 + "." + "g" * 57 + ".com": (
        "x" * 64 + "@" + "e" * 63 + "." + "f" * 63 + "." + "g" * 57 + ".com"
    ),
    "ü" * 32 + "@example.com": "ü" * 32 + "@example.com",
    "a@host.test": "a@host.test",
    "a@host.invalid": "a@host.invalid",
    "a@printer.local": "a@printer.local",
    "anna@BÜCHER.example": "anna@bücher.example",
    "anna@straße.example": "anna@straße.example",
    "\u3000new2@example.com\u00a0": "new2@example.com",
}
BAD: tuple[Any, ...] = (
    "",
    "   ",
    "x",
    "@",
    "a@",
    "@b",
    "a@b@c",
    "a@@b",
    "a b@example.com",
    "a@exam ple.com",
    "a@example.com b",
    "a\u00a0b@example.com",
    "a\u3000b@example.com",
    "a@example.com\nBcc: x",
    "a\r\nBcc: b@example.com",
    "a\0@example.com",
    "a\x7f@example.com",
    "a\x85@example.com",
    "a\u2028@example.com",
    "\ud800@example.com",
    "x" * 243 + "@example.com",
    "x" * 65 + "@example.com",
    "ü" * 33 + "@example.com",
    "x" * 64 + "@" + "e" * 63 + "." + "f" * 63 + "." + "g" * 58 + ".com",
    '"><script>@example.com',
    "<eve@example.com>",
    "Eve <eve@example.com>",
    '"eve"@example.com',
    "eve(comment)@example.com",
    "eve@example.com,bob@example.com",
    "eve@example.com;",
    "eve@[127.0.0.1]",
    "eve@[IPv6:::1]",
    "eve@example.com.",
    "eve@example.com\u3002",
    ".eve@example.com",
    "eve.@example.com",
    "e..ve@example.com",
    "eve@-example.com",
    "eve@exam_ple.com",
    "eve@\u2603.example",
    "e\u200bve@example.com",
    "eve@exam\u00adple.com",
    "e\u202eve@example.com",
    "İ" * 130 + "@example.com",
    1,
    0,
    True,
    False,
    [],
    ["a@b"],
    {},
    {"a": "a@b"},
)


def test_addresses(bookie: Bookie, alice: Person) -> None:
    got = {}
    for email in GOOD:
        answer = ask(bookie, alice, email)
        got[email] = (answer.status_int, answer.json["email"], shown(bookie, alice))
    assert got == {email: (200, kept, kept) for email, kept in GOOD.items()}


def test_bad_addresses_change_nothing(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    for email in BAD:
        body = {"email": email, "name": "Other"}
        answer = bookie("POST", "/alice/account", query={"api_key": alice.api_key}, json=body)
        assert (answer.status_int, set(answer.json)) == (406, {"username", "error"}), email
    for email in ("", "x", "a@b@c", "a\r\nBcc: b@example.com", "a\0@b"):
        for place in ("query", "form"):
            arguments: dict[str, Any] = {"query": {"api_key": alice.api_key}}
            arguments[place] = {**arguments.get(place, {}), "email": email}
            assert bookie("POST", "/alice/account", **arguments).status_int == 406
    assert snapshot() == before


def test_a_new_address_is_shown_and_pending(
    bookie: Bookie, alice: Person, stored: Callable[..., Any], stores: Process
) -> None:
    answer = ask(bookie, alice, "New@Example.com")
    assert (answer.status_int, answer.json["email"]) == (200, "new@example.com")
    assert shown(bookie, alice) == "new@example.com"
    assert stored(alice) == (alice.email, "new@example.com")
    with stores.transaction() as store:
        account = locking.lock(store.session, alice.id)
        assert [email.address for email in account.emails] == [alice.email]
        remaining = account.pending_email_expires - now()
    assert timedelta(0) < remaining <= timedelta(seconds=stores.settings.links_expire)


def test_the_address_shown_now_changes_nothing(
    bookie: Bookie, alice: Person, snapshot: Callable[[], Any]
) -> None:
    before = snapshot()
    for same in (alice.email, "ALICE@example.COM", " alice@example.com "):
        assert ask(bookie, alice, same).json["email"] == alice.email
    assert snapshot() == before

    ask(bookie, alice, "new@example.com")
    pending = snapshot()
    for same in ("new@example.com", "NEW@Example.com"):
        assert ask(bookie, alice, same).json["email"] == "new@example.com"
    assert snapshot() == pending


def test_the_old_address_drops_the_pending_one(
    bookie: Bookie, alice: Person, stored: Callable[..., Any]
) -> None:
    ask(bookie, alice, "new@example.com")
    answer = ask(bookie, alice, "Alice@Example.com")
    assert (answer.status_int, answer.json["email"]) == (200, alice.email)
    assert shown(bookie, alice) == alice.email
    assert stored(alice) == (alice.email, None)


def test_a_newer_one_takes_the_place_of_the_pending_one(
    bookie: Bookie, alice: Person, stored: Callable[..., Any]
) -> None:
    ask(bookie, alice, "new@example.com")
    ask(bookie, alice, "newer@example.com")
    assert shown(bookie, alice) == "newer@example.com"
    assert stored(alice) == (alice.email, "newer@example.com")


def test_a_pending_address_is_shown_until_it_expires(bookie: Bookie, alice: Person, stores: Process) -> None:
    ask(bookie, alice, "new@example.com")
    got = []
    for expires in (now() + timedelta(minutes=1), now() - timedelta(seconds=1)):
        with stores.transaction() as store:
            locking.lock(store.session, alice.id).pending_email_expires = expires
        unchanged = bookie("POST", "/alice/account", query={"api_key": alice.api_key}).json["email"]
        got.append((shown(bookie, alice), unchanged))
    assert got == [("new@example.com",) * 2, (alice.email,) * 2]
    assert ask(bookie, alice, "new@example.com").json["email"] == "new@example.com"


def test_a_password_change_drops_the_pending_one(
    bookie: Bookie, alice: Person, stored: Callable[..., Any]
) -> None:
    ask(bookie, alice, "new@example.com")
    form = {"current_password": PASSWORD, "new_password": "another good one"}
    bookie("POST", "/alice/password", query={"api_key": alice.api_key}, form=form)
    assert shown(bookie, alice) == alice.email
    assert stored(alice) == (alice.email, None)


def test_a_key_reset_keeps_the_pending_one(bookie: Bookie, alice: Person) -> None:
    ask(bookie, alice, "new@example.com")
    key = bookie("POST", "/alice/api_key", query={"api_key": alice.api_key}).json["api_key"]
    assert bookie("GET", "/alice/account", query={"api_key": key}).json["email"] == "new@example.com"


def test_an_address_of_another_account_is_answered_like_any_other(
    bookie: Bookie, alice: Person, bob: Person, stores: Process, stored: Callable[..., Any]
) -> None:
    with stores.transaction() as store:
        further = EmailAddress(address="b2@example.com", address_key="b2@example.com", verified=True)
        account = locking.lock(store.session, bob.id)
        account.emails.append(further)
    got = {}
    for email in ("free@example.com", "bob@example.com", "BOB@Example.com", "b2@example.com"):
        answer = ask(bookie, alice, email)
        headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
        got[email] = (answer.status_int, answer.json["email"], sorted(headers))
    names = got["free@example.com"][2]
    assert got == {email: (200, email.lower(), names) for email in got}
    assert stored(bob) == (bob.email, None)
    assert shown(bookie, bob) == bob.email


def test_several_accounts_may_ask_for_one_address(bookie: Bookie, alice: Person, bob: Person) -> None:
    got = [ask(bookie, person, "free@example.com").json["email"] for person in (alice, bob)]
    assert got == ["free@example.com"] * 2
    assert [shown(bookie, person) for person in (alice, bob)] == got


def test_only_the_owner_sees_it(bookie: Bookie, alice: Person, bob: Person, admin: Person) -> None:
    ask(bookie, alice, "canary@example.com")
    for person in (bob, admin):
        for call in ("account", "api_key"):
            for name in (person.username, "alice"):
                answer = bookie("GET", f"/{name}/{call}", query={"api_key": person.api_key})
                assert b"canary" not in answer.body


def test_over_ten_changes_an_hour_are_429(throttled: TestApp, alice: Person, bob: Person) -> None:
    bookie = Bookie(throttled)
    got = []
    for number in range(10):
        got.append(ask(bookie, alice, f"new{number}@example.com").status_int)
        got.append(ask(bookie, alice, f"NEW{number}@example.com").status_int)
    assert got == [200] * 20
    answer = ask(bookie, alice, "new10@example.com")
    assert (answer.status_int, set(answer.json)) == (429, {"error"})
    assert int(answer.headers["Retry-After"]) >= 1
    assert shown(bookie, alice) == "new9@example.com"
    name = bookie("POST", "/alice/account", query={"api_key": alice.api_key}, form={"name": "Other"})
    assert (name.status_int, name.json["name"]) == (200, "Other")
    assert ask(bookie, bob, "bobs@example.com").status_int == 200


@given(email=st.text(max_size=30) | st.emails() | st.from_regex(r"[a-c@ ]{1,4}@?[a-c.\u00df\n]{0,4}"))
def test_no_address_is_a_fault_and_what_is_taken_is_shown(bookie: Bookie, alice: Person, email: str) -> None:
    before = shown(bookie, alice)
    answer = ask(bookie, alice, email)
    if answer.status_int == 200:
        assert answer.json["email"] == email.strip().lower() or before == answer.json["email"]
    else:
        assert answer.status_int == 406
        assert shown(bookie, alice) == before
