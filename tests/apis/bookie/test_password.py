"""Bookie 1.6 to 1.8, call 5: changing the password."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from webtest import TestApp

from accountsapp.domain.credentials import password_change
from accountsapp.domain.data import locking
from accountsapp.domain.passwords import Passwords
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie

PATHS = ("/password", "/account/password")
NEW = "another good one"
TYPO = (
    403,
    {"username": "alice", "error": "There was a typo somewhere. Please check your request"},
)


def change(
    bookie: Bookie, person: Person, current: object, new: object, path: str = "/password", **more: Any
) -> Any:
    body = {"current_password": current, "new_password": new}
    return bookie("POST", f"/alice{path}", query={"api_key": person.api_key}, json=body, **more)


def test_change(bookie: Bookie, alice: Person) -> None:
    current, expected = PASSWORD, {"username": "alice", "api_key": alice.api_key, "message": "done"}
    for number, (path, place) in enumerate(product(PATHS, ("form", "json"))):
        body = {"current_password": current, "new_password": f"{NEW} {number}"}
        answer = bookie("POST", f"/Alice{path}", query={"api_key": alice.api_key}, **{place: body})
        assert (answer.status_int, answer.json) == (200, expected)
        current = body["new_password"]


def test_the_old_password_is_dead_and_the_new_one_works(bookie: Bookie, alice: Person) -> None:
    change(bookie, alice, PASSWORD, NEW)
    assert (change(bookie, alice, PASSWORD, NEW).status_int, change(bookie, alice, NEW, NEW).status_int) == (
        403,
        200,
    )


def test_a_key_of_an_older_system_is_shown(bookie: Bookie, register: Callable[..., Person]) -> None:
    person = register("alice", api_key="12345")
    assert change(bookie, person, PASSWORD, NEW).json["api_key"] == "12345"


def test_a_change_sent_twice(bookie: Bookie, alice: Person) -> None:
    first, second = (change(bookie, alice, PASSWORD, NEW) for _ in range(2))
    assert first.status_int == 200
    assert (second.status_int, second.json) == TYPO


def test_a_change_ends_what_the_old_password_had_opened(
    bookie: Bookie, alice: Person, stores: Process
) -> None:
    def epoch() -> int:
        with stores.transaction() as store:
            return locking.lock(store.session, alice.id).credential_epoch

    before = epoch()
    change(bookie, alice, "wrong", NEW)
    assert epoch() == before
    change(bookie, alice, PASSWORD, NEW)
    assert epoch() > before


WRONG: tuple[Any, ...] = (
    "wrong",
    "",
    PASSWORD.upper(),
    f" {PASSWORD}",
    f"{PASSWORD} ",
    PASSWORD[:-1],
    f"{PASSWORD}\0",
    f"{PASSWORD}\0x",
    "x" * 73,
    "x" * 100_000,
    PASSWORD + "x" * 72,
    "\0",
    "\ud800",
    "😀" * 20,
    None,
    1,
    0,
    True,
    [],
    [PASSWORD],
    {},
    {"current_password": PASSWORD},
)


def test_wrong_current_passwords(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    got = []
    for path in PATHS:
        for current in WRONG:
            answer = change(bookie, alice, current, NEW, path)
            got.append((answer.status_int, answer.json))
        missing = bookie(
            "POST", f"/alice{path}", query={"api_key": alice.api_key}, form={"new_password": NEW}
        )
        got.append((missing.status_int, missing.json))
    assert got == [TYPO] * len(got)
    assert snapshot() == before


def test_an_account_without_a_password(bookie: Bookie, register: Callable[..., Person]) -> None:
    person = register("alice", password=None)
    got = []
    for current in ("", None, "None", "-", PASSWORD):
        answer = change(bookie, person, current, NEW)
        got.append((answer.status_int, answer.json))
    assert got == [TYPO] * len(got)


def test_a_malformed_stored_hash_is_no_fault(bookie: Bookie, alice: Person, stores: Process) -> None:
    got = []
    for stored in ("x", "$2b$04$short", "$2b$99$" + "." * 53, "plain text", "é"):
        with stores.transaction() as store:
            locking.lock(store.session, alice.id).password_hash = stored
        for current in (stored, PASSWORD):
            answer = change(bookie, alice, current, NEW)
            got.append((answer.status_int, answer.json))
    assert got == [TYPO] * 10


UNACCEPTABLE: dict[str, Any] = {
    "missing": None,
    "empty": "",
    "two characters": "ab",
    "seven characters": "aB3$xyz",
    "seven characters of many bytes": "😀" * 7,
    "seven and a combination": "ésdfgh1",
    "73 bytes": "x1" * 36 + "y",
    "73 bytes of 37 characters": "ä" * 36 + "x",
    "100,000": "x1" * 50_000,
    "white space": " " * 8,
    "tabs and spaces": " \t \t \t \t ",
    "Unicode white space": "\u3000\u00a0\u2003 " * 2,
    "NUL": "a good\0 password",
    "NUL at the end": "a good password\0",
    "lone surrogate": "a good \ud800 password",
    "username": "alice.liddell",
    "USERNAME": "ALICE.Liddell",
    "e-mail": "alice@example.com",
    "E-MAIL": "Alice@Example.COM",
    "password": "password",
    "Password": "PassWord",
    "12345678": "12345678",
    "123456789": "123456789",
    "qwertyuiop": "qwertyuiop",
    "QWERTYUIOP": "QWERTYUIOP",
    "password1": "password1",
    "11111111": "11111111",
    "number": 12345678901,
    "true": True,
    "false": False,
    "list": ["a good password"],
    "object": {"new_password": "a good password"},
}
ACCEPTABLE: dict[str, str] = {
    "eight characters": "aB3$xyzw",
    "eight of many bytes": "😀" * 8,
    "72 bytes": "x1" * 36,
    "72 bytes of 36 characters": "äb" * 24,
    "72 bytes of 18 characters": "😀" * 18,
    "white space around": "  a good one  ",
    "inner line break": "two\nlines here",
    "only small letters": "correcthorsebattery",
    "letters not normalised": "e\u0301e\u0301e\u0301e\u0301e\u0301",
    "quotes and markup": "<b>'\"&%00;--",
    "digits": "8305719264",
    "username and more": "alice.liddell1",
    "the current one": PASSWORD,
}


@pytest.fixture
def liddell(register: Callable[..., Person], stores: Process) -> Person:
    """Alice, under a username that is long enough for a password."""
    person = register("alice")
    with stores.transaction() as store:
        account = locking.lock(store.session, person.id)
        account.username = account.username_key = "alice.liddell"
    return person


def test_unacceptable_passwords(bookie: Bookie, liddell: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    for case, new in UNACCEPTABLE.items():
        for current in (PASSWORD, "wrong"):
            for path in PATHS:
                body = {"current_password": current, "new_password": new}
                answer = bookie(
                    "POST", f"/alice.liddell{path}", query={"api_key": liddell.api_key}, json=body
                )
                got = (answer.status_int, set(answer.json), answer.json.get("username"))
                assert (case, *got) == (case, 406, {"username", "error"}, "alice.liddell")
    missing = bookie(
        "POST",
        "/alice.liddell/password",
        query={"api_key": liddell.api_key},
        form={"current_password": PASSWORD},
    )
    assert (missing.status_int, missing.json["username"]) == (406, "alice.liddell")
    assert snapshot() == before


def test_acceptable_passwords(bookie: Bookie, alice: Person) -> None:
    current = PASSWORD
    for case, new in ACCEPTABLE.items():
        assert (case, change(bookie, alice, current, new).status_int) == (case, 200)
        current = new
    assert change(bookie, alice, current, PASSWORD).status_int == 200


def test_the_pending_address_is_no_password(bookie: Bookie, alice: Person) -> None:
    bookie("POST", "/alice/account", query={"api_key": alice.api_key}, form={"email": "new@example.com"})
    got = [change(bookie, alice, PASSWORD, new).status_int for new in ("New@example.com", alice.email)]
    assert got == [406, 406]


def test_the_operators_list_is_refused(make_app: Callable[..., Any], alice: Person, tmp_path: Any) -> None:
    refused = tmp_path / "refused"
    refused.write_text("Our Company 1\nandere Straße\n", encoding="utf-8")
    bookie = Bookie(TestApp(make_app(**{"accountsapp.passwords.refused": str(refused)})))
    passwords = {
        "our company 1": 406,
        "OUR COMPANY 1": 406,
        "andere STRASSE": 406,
        "Our Company 2": 200,
    }
    got = {new: change(bookie, alice, PASSWORD, new).status_int for new in passwords}
    assert got == passwords


def test_all_72_bytes_count(bookie: Bookie, alice: Person) -> None:
    long = "x1" * 35 + "yz"
    assert len(long) == 72
    assert change(bookie, alice, PASSWORD, long).status_int == 200
    others = (long[:-1], long[:-1] + "Z", long + "x", long[:71] + "\0")
    got = [change(bookie, alice, other, NEW).status_int for other in others]
    assert got == [403] * len(others)
    assert change(bookie, alice, long, NEW).status_int == 200


def is_acceptable(password: str) -> bool:
    """The lengths of the contract, counted another way; the generated texts are on no list."""
    size = sum(1 + (c > "\x7f") + (c > "\u07ff") + (c > "\uffff") for c in password)
    return len(password) >= 8 and size <= 72 and "\0" not in password and not password.isspace()


_characters = st.characters(codec="utf-8")


@given(
    password=st.text(_characters, max_size=80)
    | st.text("xä€😀", min_size=5, max_size=75)
    | st.text(" \t\u3000", min_size=7, max_size=12),
    suffix=st.sampled_from(["", "x", "\0", " "]),
)
@example(password="x1" * 36, suffix="x")
@example(password="€" * 24, suffix="\0")
def test_a_password_is_set_and_usable_exactly_when_acceptable(
    bookie: Bookie, alice: Person, password: str, suffix: str
) -> None:
    answer = change(bookie, alice, PASSWORD, password)
    assert answer.status_int == (200 if is_acceptable(password) else 406)
    if answer.status_int == 200:
        for other in {password[:-1], password + suffix, password.swapcase()} - {password}:
            assert change(bookie, alice, other, PASSWORD).status_int == 403
        assert change(bookie, alice, password, PASSWORD).status_int == 200


def test_imported_hashes(bookie: Bookie, alice: Person, stores: Process) -> None:
    for version in ("2a", "2b", "2y"):
        with stores.transaction() as store:
            made = store.passwords.hash("an imported one")
            locking.lock(store.session, alice.id).password_hash = f"${version}{made[3:]}"
        got = [change(bookie, alice, current, NEW).status_int for current in ("another", "an imported one")]
        assert (version, got) == (version, [403, 200])


def test_somebody_was_faster(
    bookie: Bookie, alice: Person, stores: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The current password was good when it was checked, and is another one when the row is locked."""
    real = Passwords.hash

    def interrupted(passwords: Passwords, password: str) -> str:
        monkeypatch.setattr(Passwords, "hash", real)
        with stores.transaction() as other:
            password_change.set_by_operator(other, alice.id, "the faster one")
        return real(passwords, password)

    monkeypatch.setattr(Passwords, "hash", interrupted)
    answer = change(bookie, alice, PASSWORD, NEW)
    assert (answer.status_int, answer.json) == TYPO
    got = [change(bookie, alice, current, NEW).status_int for current in (PASSWORD, NEW, "the faster one")]
    assert got == [403, 403, 200]


def test_of_simultaneous_changes_exactly_one_succeeds(wsgi: Any, alice: Person) -> None:
    clients = 4
    start = Barrier(clients)

    def one(number: int) -> int:
        bookie = Bookie(TestApp(wsgi))
        start.wait()
        return change(bookie, alice, PASSWORD, f"{NEW} {number}").status_int

    with ThreadPoolExecutor(clients) as pool:
        statuses = list(pool.map(one, range(clients)))
    assert sorted(statuses) == [200] + [403] * (clients - 1)
    winner = statuses.index(200)
    bookie = Bookie(TestApp(wsgi))
    got = [
        change(bookie, alice, f"{NEW} {number}", f"{NEW} {number}").status_int for number in range(clients)
    ]
    assert got == [200 if number == winner else 403 for number in range(clients)]


def test_too_many_wrong_passwords_are_429(throttled: TestApp, alice: Person, bob: Person) -> None:
    def ask(person: Person, current: str, address: str) -> Any:
        return throttled.post_json(
            f"/api/v1/{person.username}/password?api_key={person.api_key}",
            {"current_password": current, "new_password": NEW},
            extra_environ={"REMOTE_ADDR": address},
            expect_errors=True,
        )

    here, elsewhere = "192.0.2.1", "192.0.2.2"
    tries = [ask(alice, "wrong", here).status_int for _ in range(21)]
    assert tries[:5] == [403] * 5
    assert tries[-1] == 429
    right = ask(alice, PASSWORD, here)
    assert (right.status_int, set(right.json)) == (429, {"error"})
    assert 1 <= int(right.headers["Retry-After"]) <= 300
    weak = throttled.post_json(
        f"/api/v1/alice/password?api_key={alice.api_key}",
        {"current_password": PASSWORD, "new_password": "weak"},
        extra_environ={"REMOTE_ADDR": here},
        expect_errors=True,
    )
    assert weak.status_int == 429  # before the values are looked at (1.3)
    read = throttled.get(
        "/api/v1/alice/account", {"api_key": alice.api_key}, extra_environ={"REMOTE_ADDR": here}
    )
    assert read.status_int == 200
    assert ask(bob, PASSWORD, here).status_int == 200
    assert ask(alice, PASSWORD, elsewhere).status_int == 200


def test_right_passwords_fill_no_count(throttled: TestApp, alice: Person) -> None:
    bookie = Bookie(throttled)
    got = [change(bookie, alice, PASSWORD, PASSWORD).status_int for _ in range(25)]
    assert got == [200] * 25


def test_passwords_are_nowhere_in_clear(
    bookie: Bookie, alice: Person, database_dump: Callable[[], bytes]
) -> None:
    change(bookie, alice, PASSWORD, "canary canary canary")
    change(bookie, alice, "wrong canary wrong", "canary refused canary")
    dump = database_dump()
    assert b"alice@example.com" in dump
    for secret in (PASSWORD, "canary canary canary", "wrong canary wrong", "canary refused canary"):
        assert secret.encode() not in dump
