"""The password rule and the bcrypt module."""

import logging
from typing import Any

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountsapp.domain.bcrypt_hashes import is_bcrypt_hash
from accountsapp.domain.errors import WeakPassword
from accountsapp.domain.passwords import Passwords, commonest_passwords, read_refused


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(rounds=4)


GOOD = "correct horse battery"


@pytest.mark.parametrize(
    ("password", "says"),
    [
        (None, "provide"),
        ("", "provide"),
        (12345678, "provide"),
        ("x" * 7, "at least 8"),
        ("x1" * 37, "at most 72"),
        ("pass\0word one", "not allowed"),
        ("pass\udfffword one", "not allowed"),
        (" " * 10, "white space"),
        ("PASSWORD1", "too common"),
        ("ALICE.liddell", "user name"),
    ],
)
def test_refusals_say_why(passwords: Passwords, password: object, says: str) -> None:
    with pytest.raises(WeakPassword, match=says) as refused:
        passwords.check(password, names=("alice.liddell", None))
    assert refused.value.field == "password"


def test_the_three_thousand_commonest_are_refused(passwords: Passwords) -> None:
    long_enough = sorted(password for password in commonest_passwords() if len(password) >= 8)[:3000]
    assert len(long_enough) == 3000
    accepted = []
    for password in long_enough:
        try:
            accepted.append(passwords.check(password.upper()))
        except WeakPassword:
            continue
    assert accepted == []


def test_the_contracts_list_is_refused() -> None:
    listed = {"password", "12345678", "123456789", "qwertyuiop", "password1", "11111111"}
    assert listed <= commonest_passwords()


def test_the_operators_list(tmp_path: Any) -> None:
    path = tmp_path / "refused"
    path.write_bytes("First One\r\n\n  \nstraße und weg\n\xff".encode())
    assert read_refused(path) == {"first one", "strasse und weg", "ÿ"}
    assert read_refused(None) == frozenset()


@given(password=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=8, max_size=18))
def test_what_was_hashed_verifies_and_nothing_else(password: str) -> None:
    passwords = Passwords(rounds=4)
    made = passwords.hash(password)
    assert is_bcrypt_hash(made)
    others = {password + "x", password[:-1], password + "\0", "x" + password} - {password}
    assert passwords.verify(password, made)
    assert [other for other in others if passwords.verify(other, made)] == []


def test_72_bytes_are_all_read_and_73_are_wrong(passwords: Passwords) -> None:
    long = "ä" * 36
    made = passwords.hash(long)
    got = {text: passwords.verify(text, made) for text in (long, "ä" * 35 + "ö", long + "x", "ä" * 35)}
    assert got == {long: True, "ä" * 35 + "ö": False, long + "x": False, "ä" * 35: False}


@pytest.mark.parametrize(
    "candidate", [None, 1, True, b"x", [], "", "-", "\0", "\ud800", "x" * 73, "x" * 10_000]
)
def test_what_cannot_be_a_password_is_wrong(passwords: Passwords, candidate: object) -> None:
    assert not passwords.verify(candidate, passwords.hash(GOOD))
    assert not passwords.verify(candidate, None)
    # bcrypt is given "-" in place of an implausible candidate: even where that is the password.
    assert passwords.verify(candidate, passwords.hash("-")) is (candidate == "-")


@pytest.mark.parametrize("stored", [None, "$2b$04$cut", "x", ""])
def test_bcrypt_runs_where_there_is_no_good_hash(
    passwords: Passwords, stored: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the answer takes as long as for an account with a password."""
    real, computed = bcrypt.checkpw, []

    def note(password: bytes, hashed: bytes) -> bool:
        answer = real(password, hashed)
        computed.append(hashed[:7])
        return answer

    monkeypatch.setattr(bcrypt, "checkpw", note)
    assert not passwords.verify(GOOD, stored)
    assert computed == [b"$2b$04$"]


def test_a_failure_costs_the_same_whatever_the_hash_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    real, computed = bcrypt.checkpw, []

    def note(password: bytes, hashed: bytes) -> bool:
        answer = real(password, hashed)
        computed.append(2 ** int(hashed[4:6]))
        return answer

    monkeypatch.setattr(bcrypt, "checkpw", note)
    passwords = Passwords(rounds=7)
    for stored in (None, "malformed", *(Passwords(rounds=cost).hash(GOOD) for cost in (4, 6, 7))):
        computed.clear()
        assert not passwords.verify("another one", stored)
        assert sum(computed) == 2**7


def test_a_malformed_hash_is_logged_without_it(
    passwords: Passwords, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert not passwords.verify(GOOD, "$2b$04$canary")
    assert "malformed" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("version", "cost", "expected"), [("2b", 4, False), ("2a", 4, False), ("2y", 4, False)]
)
def test_imported_versions_verify(passwords: Passwords, version: str, cost: int, expected: bool) -> None:
    made = f"${version}${cost:02}" + passwords.hash(GOOD)[6:]
    assert passwords.verify(GOOD, made)
    assert passwords.needs_rehash(made) is expected


def test_cheaper_hashes_are_made_again() -> None:
    made = Passwords(rounds=4).hash(GOOD)
    assert [Passwords(rounds=rounds).needs_rehash(made) for rounds in (4, 5)] == [False, True]
    assert Passwords(rounds=4).needs_rehash("malformed")


def test_what_is_a_bcrypt_hash(passwords: Passwords) -> None:
    good = passwords.hash(GOOD)
    others = (
        "",
        good[:-1],
        good + "x",
        "$1" + good[2:],
        "$2x" + good[3:],
        good.replace("$04$", "$03$"),
        good.replace("$04$", "$32$"),
        good.replace("$04$", "$4x$"),
        good.replace("$04$", "$²4$"),
        good[:-1] + "!",
        good[:-1] + "\n",
        "plain text",
    )
    assert is_bcrypt_hash(good)
    assert [other for other in others if is_bcrypt_hash(other)] == []
