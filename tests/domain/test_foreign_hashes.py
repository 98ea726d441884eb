"""Hashes of other systems: which are taken, which passwords fit, what they may cost."""

import re
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth import hashers

from accountsapp.domain import foreign_hashes
from accountsapp.domain.foreign_hashes import UnusableHash
from accountsapp.domain.passwords import Passwords
from tests.support.old_hashes import HASHES, LONG_HASHES, LONG_PASSWORD, PASSWORD

WRONG = (PASSWORD + "x", PASSWORD[:-1], PASSWORD.upper(), "", "x" * 73, "x" * 5000, "a\0b", None, 7, "\ud800")


@pytest.mark.parametrize("kind", HASHES)
def test_the_password_fits_and_no_other(kind: str) -> None:
    passwords = Passwords(rounds=4)
    assert passwords.verify(PASSWORD, HASHES[kind])
    assert [other for other in WRONG if passwords.verify(other, HASHES[kind])] == []
    assert passwords.needs_rehash(HASHES[kind])


def test_what_is_too_long_for_bcrypt() -> None:
    passwords = Passwords(rounds=4)
    for stored in LONG_HASHES.values():
        assert passwords.verify(LONG_PASSWORD, stored)
        assert not passwords.verify(LONG_PASSWORD[:-1], stored)
    assert [passwords.can_hash(text) for text in (PASSWORD, "x" * 72, "x" * 73, LONG_PASSWORD)] == [
        True,
        True,
        False,
        False,
    ]


def test_what_django_makes() -> None:
    if not settings.configured:
        settings.configure()
    password = "pâsswörd 😀"
    for stored in (
        hashers.PBKDF2PasswordHasher().encode(password, "a salt", 1000),
        hashers.PBKDF2SHA1PasswordHasher().encode(password, "a salt", 1000),
        hashers.ScryptPasswordHasher().encode(password, "a salt"),
        hashers.MD5PasswordHasher().encode(password, "a salt"),
    ):
        assert foreign_hashes.matches(password.encode(), stored)
        assert not foreign_hashes.matches(b"password", stored)


def _replaced(kind: str, old: str, new: str) -> str:
    assert old in HASHES[kind]
    return HASHES[kind].replace(old, new, 1)


UNUSABLE: list[tuple[str, str]] = [
    ("", "must be a hash"),
    ("clear text", "must be a hash"),
    ("plain$$secret", "must be a hash"),
    ("!", "must be a hash"),
    ("88e4ddd2402d92d50e1879d6ecd9ffd4", "must be a hash"),
    (HASHES["phpass"] + "\n", "must be a hash"),
    (_replaced("werkzeug pbkdf2 sha1", "1000", "2000001"), "rounds"),
    (_replaced("werkzeug pbkdf2 sha1", "1000", "0"), "rounds"),
    (_replaced("werkzeug pbkdf2 sha1", "1000", "9" * 10), "rounds"),
    (_replaced("werkzeug pbkdf2 sha1", "1000", "9" * 5000), "must be a hash"),
    (_replaced("werkzeug pbkdf2 sha1", "1000", "²"), "must be a hash"),
    (_replaced("werkzeug pbkdf2 sha1", "sha1", "sha256"), "length"),
    (_replaced("werkzeug pbkdf2 sha1", "sha1", "whirlpool"), "must be a hash"),
    (_replaced("werkzeug pbkdf2 sha1", "r8Ill", "x" * 300), "must be a hash"),
    (_replaced("django pbkdf2 sha256", "1000", "2000001"), "rounds"),
    (_replaced("django pbkdf2 sha256", "exXd", "=xXd"), "digest"),
    (_replaced("django pbkdf2 sha256", "sha256", "sha1"), "length"),
    (_replaced("werkzeug scrypt", "1024:", "1048576:"), "costs more"),
    (_replaced("werkzeug scrypt", "1024:8:1", "65536:8:16"), "costs more"),
    (_replaced("werkzeug scrypt", ":8:1", ":1:17"), "costs more"),
    (_replaced("werkzeug scrypt", "1024:", "1000:"), "parameters"),
    (_replaced("werkzeug scrypt", ":8:1", ":0:1"), "parameters"),
    (_replaced("django scrypt", "$1024$", "$1048576$"), "costs more"),
    (_replaced("werkzeug sha1", "cece", "ce"), "length"),
    (_replaced("django bcrypt sha256", "$04$", "$16$"), "cost above"),
    (_replaced("django bcrypt sha256", "$04$", "$03$"), "no bcrypt hash"),
    (_replaced("django bcrypt sha256", "DXe", "DXf"), "no bcrypt hash"),
    (_replaced("django argon2", "m=1024", "m=131073"), "costs more"),
    (_replaced("django argon2", "m=1024,t=1", "m=65536,t=9"), "costs more"),
    (_replaced("django argon2", "p=2", "p=17"), "costs more"),
    (_replaced("django argon2", "t=1", "t=0"), "parameters"),
    (_replaced("argon2", "m=1024", "m=15"), "parameters"),
    (_replaced("phpass", "$P$5", "$P$F"), "cost above"),
    (_replaced("phpass", "$P$5", "$P$."), "cost above"),
    (HASHES["phpass"][:-1] + "z", "no password can fit"),
]


@pytest.mark.parametrize(("stored", "why"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_what_is_not_taken_costs_nothing(stored: str, why: str) -> None:
    begin = time.process_time()
    with pytest.raises(UnusableHash, match=why):
        foreign_hashes.check(stored)
    assert time.process_time() - begin < 0.05
    assert not Passwords(rounds=4).verify(PASSWORD, stored)


def test_the_dearest_that_are_taken_end() -> None:
    """Each limit by itself: seconds of a processor, not minutes."""
    dearest = (
        _replaced("werkzeug pbkdf2 sha1", "1000", str(foreign_hashes.MOST_PBKDF2_ROUNDS)),
        _replaced("werkzeug scrypt", "1024:8:1", "65536:8:4"),
        _replaced("argon2", "m=1024,t=1", "m=131072,t=4"),
        _replaced("phpass", "$P$5", "$P$E"),
    )
    for stored in dearest:
        begin = time.process_time()
        assert not foreign_hashes.matches(b"another one", stored)
        assert time.process_time() - begin < 10


def test_without_the_library_only_what_needs_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_hashes, "_has_library", lambda: False)
    needing = {"django bcrypt sha256", "django argon2", "argon2", "phpass", "phpass of phpBB"}
    for kind in HASHES.keys() - needing:
        foreign_hashes.check(HASHES[kind])
    for kind in needing:
        with pytest.raises(UnusableHash, match=re.escape("accountsapp[migrate]")):
            foreign_hashes.check(HASHES[kind])


def _cost(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def test_a_failure_takes_as_long_as_one_without_an_account() -> None:
    passwords = Passwords(rounds=8)
    passwords.verify("another one", HASHES["werkzeug sha1"])  # measures what one hash takes
    for kind in ("werkzeug sha1", "werkzeug pbkdf2 sha512", "django bcrypt sha256", "phpass"):
        costs = [
            (
                _cost(lambda: passwords.verify("another one", None)),
                _cost(lambda kind=kind: passwords.verify("another one", HASHES[kind])),  # type: ignore[misc]
            )
            for _ in range(9)
        ]
        unknown, wrong = (sorted(column)[4] for column in zip(*costs, strict=True))
        assert 0.6 < wrong / unknown < 1.6, kind
