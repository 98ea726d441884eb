"""Signing in with a password: one operation for every door."""

from collections.abc import Callable
from functools import partial
from time import sleep
from typing import Any

import bcrypt
import pytest
from sqlalchemy import select, update

from accountsapp.domain import audit
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials import password_change, sessions, signin
from accountsapp.domain.data.models import Account, EmailAddress
from accountsapp.domain.errors import (
    Busy,
    InactiveAccount,
    StaleCredential,
    TooManyAttempts,
    UnknownAccount,
    WrongPassword,
)
from accountsapp.domain.passwords import MOST_ADMITTED, Passwords
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.columns import columns_of
from tests.support.concurrently import concurrently

HERE = "192.0.2.1"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The passwords that reached bcrypt."""
    seen: list[bytes] = []
    real = bcrypt.checkpw

    def checkpw(password: bytes, hashed: bytes) -> bool:
        seen.append(password)
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    return seen


def authenticate(stores: Process, typed: str, password: object = PASSWORD) -> str:
    with stores.transaction(HERE) as store:
        return signin.authenticate(store, typed, password).username


def by_name(stores: Process, username: str, password: str = PASSWORD) -> str:
    """As a program does."""
    with stores.transaction(HERE) as store:
        return signin.authenticate_remembered(store, username, password).username


def events(stores: Process) -> list[str]:
    with stores.transaction() as store:
        return [row.event for row in audit.listing(store.connection)]


def test_by_name_and_by_address(stores: Process, alice: Person) -> None:
    for identifier in ("alice", "ALICE", " alice ", "alice@example.com", "Alice@Example.COM"):
        assert authenticate(stores, identifier) == "alice"
    with pytest.raises(WrongPassword):
        by_name(stores, "alice@example.com")


def test_an_address_that_is_not_proved_opens_nothing(
    stores: Process, alice: Person, register: Callable[..., Person]
) -> None:
    with stores.transaction() as store:
        store.session.add(EmailAddress(account_id=alice.id, address="2@e.org", address_key="2@e.org"))
    with pytest.raises(WrongPassword):
        authenticate(stores, "2@e.org")
    # A name that is somebody's address, as there were: the address wins, so nobody signs in as its thief.
    thief = register("thief", "thief@example.com", password="the thief's own")
    with stores.transaction() as store:
        account = store.lock(thief.id)
        account.username = account.username_key = "alice@example.com"
    assert authenticate(stores, "alice@example.com") == "alice"
    with pytest.raises(WrongPassword):
        authenticate(stores, "alice@example.com", "the thief's own")
    assert by_name(stores, "alice@example.com", "the thief's own") == "alice@example.com"


def test_every_refusal_costs_one_check(
    stores: Process, alice: Person, register: Callable[..., Person], checks: list[bytes]
) -> None:
    register("nopass", password=None)
    for identifier, password in (
        ("alice", "wrong one"),
        ("nobody", PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("nopass", PASSWORD),
        ("al\0ice", PASSWORD),
        ("a@b\0", PASSWORD),
        ("\ud800", PASSWORD),
        ("a@\udfff", PASSWORD),
        ("", PASSWORD),
        ("alice", ""),
        ("alice", None),
        ("alice", 5),
        ("alice", PASSWORD + "\0"),
        ("alice", "x" * 73),
        ("alice", "\ud800" * 9),
        ("x" * 5000, PASSWORD),
    ):
        checks.clear()
        with pytest.raises(WrongPassword):
            authenticate(stores, identifier, password)
        assert len(checks) == 1, (identifier, password)


def test_an_account_that_is_not_active(stores: Process, alice: Person) -> None:
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    with pytest.raises(WrongPassword):  # only who has the password learns the state
        authenticate(stores, "alice", "wrong one")
    with pytest.raises(InactiveAccount):
        authenticate(stores, "alice")
    assert events(stores)[:2] == ["sign-in failed"] * 2


def test_a_hash_of_lower_cost_is_made_anew_once(stores: Process, alice: Person) -> None:
    def stored() -> str:
        with stores.transaction() as store:
            found = store.reader.password_hash(alice.id)
            assert found is not None
            return found

    stores.passwords = Passwords(5)
    before = stored()
    with pytest.raises(WrongPassword):
        authenticate(stores, "alice", "wrong one")
    assert stored() == before
    assert authenticate(stores, "alice") == "alice"
    after = stored()
    assert (before[:7], after[:7]) == ("$2b$04$", "$2b$05$")
    assert authenticate(stores, "alice") == "alice"
    assert stored() == after


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_imported_hashes(stores: Process, alice: Person, prefix: str) -> None:
    imported = prefix + bcrypt.hashpw(b"imported one", bcrypt.gensalt(4)).decode()[4:]
    with stores.transaction() as store:
        store.session.execute(update(Account).where(Account.id == alice.id).values(password_hash=imported))
    assert authenticate(stores, "alice", "imported one") == "alice"


def test_a_corrupt_hash_is_a_plain_failure(stores: Process, alice: Person) -> None:
    for corrupt in ("", "x", "$2b$04$short", "$2b$99$" + "x" * 53, "pbkdf2_sha256$1$x$y"):
        with stores.transaction() as store:
            store.session.execute(update(Account).where(Account.id == alice.id).values(password_hash=corrupt))
        with pytest.raises(WrongPassword):
            authenticate(stores, "alice")


def test_wrong_ones_are_throttled_by_account_and_address(
    make_app: Callable[..., Any], alice: Person, bob: Person, checks: list[bytes]
) -> None:
    stores = make_app(**{"accountsapp.rate_limit": "true"}).registry.process
    refused = 0
    for number in range(200):
        # The name and the address are one account, and one count.
        identifier = ("alice", "ALICE", "alice@example.com")[number % 3]
        try:
            authenticate(stores, identifier, "wrong one")
        except WrongPassword:
            continue
        except TooManyAttempts as error:
            refused += error.retry_after > 0
    assert len(checks) == 10
    assert refused == 190
    with pytest.raises(TooManyAttempts):
        authenticate(stores, "alice")
    assert len(checks) == 10
    assert authenticate(stores, "bob") == "bob"
    with stores.transaction("198.51.100.7") as store:  # its owner, from elsewhere
        assert signin.authenticate(store, "alice", PASSWORD).username == "alice"


def test_unknown_accounts_are_throttled_alike(make_app: Callable[..., Any], checks: list[bytes]) -> None:
    stores = make_app(**{"accountsapp.rate_limit": "true"}).registry.process
    outcomes = []
    for _ in range(15):
        try:
            authenticate(stores, "nobody")
        except (WrongPassword, TooManyAttempts) as error:
            outcomes.append(type(error))
    assert outcomes == [UnknownAccount] * 10 + [TooManyAttempts] * 5


def test_a_right_one_clears_the_count(make_app: Callable[..., Any], alice: Person) -> None:
    stores = make_app(**{"accountsapp.rate_limit": "true"}).registry.process
    for _ in range(3):
        for _ in range(9):
            with pytest.raises(WrongPassword):
                authenticate(stores, "alice", "wrong one")
        assert authenticate(stores, "alice") == "alice"


def test_one_address_against_many_accounts(
    make_app: Callable[..., Any], alice: Person, checks: list[bytes]
) -> None:
    stores = make_app(**{"accountsapp.rate_limit": "true"}).registry.process
    for number in range(130):
        with pytest.raises((WrongPassword, TooManyAttempts)):
            authenticate(stores, f"nobody{number}")
    assert 50 <= len(checks) <= 101


def test_too_many_at_once(stores: Process, alice: Person) -> None:
    stores.passwords = Passwords(4, admitted=0)
    with pytest.raises(Busy) as busy:
        authenticate(stores, "alice")
    assert busy.value.retry_after > 0


def test_who_could_not_be_looked_at_did_not_guess(make_app: Callable[..., Any], alice: Person) -> None:
    stores = make_app(**{"accountsapp.rate_limit": "true"}).registry.process
    idle, stores.passwords = stores.passwords, Passwords(4, admitted=0)
    for _ in range(30):
        with pytest.raises(Busy):
            authenticate(stores, "alice")
    stores.passwords = idle
    assert authenticate(stores, "alice") == "alice"


def test_white_space_around_a_name_is_a_persons_not_a_programs(
    stores: Process, alice: Person, register: Callable[..., Person]
) -> None:
    register(" of old ")
    for identifier in (" of old ", " OF OLD "):
        assert authenticate(stores, identifier) == " of old "
        assert by_name(stores, identifier) == " of old "
    for identifier in ("of old", " alice"):
        with pytest.raises(WrongPassword):
            by_name(stores, identifier)


def test_simultaneous_requests_with_one_password_cost_one_check(
    make_app: Callable[..., Any], alice: Person, checks: list[bytes]
) -> None:
    stores = make_app(**{"accountsapp.rate_limit": "true"}).registry.process
    real = stores.passwords.verify

    def slow(*given: Any) -> bool:
        answer: bool = real(*given)
        sleep(0.2)
        return answer

    stores.passwords.verify = slow

    assert concurrently([partial(by_name, stores, "alice")] * MOST_ADMITTED) == ["alice"] * MOST_ADMITTED
    assert len(checks) == 1


def test_names_take_turns_whether_or_not_anybody_has_them(
    stores: Process, alice: Person, checks: list[bytes]
) -> None:
    """So that the time of simultaneous guesses tells nothing."""
    stores.passwords = Passwords(4, slots=4)
    real, most = stores.passwords.verify, {"alice": 0, "nobody": 0}
    under_way: list[int] = []
    guessed: list[str] = []

    def slow(*given: Any) -> bool:
        under_way.append(1)
        most[guessed[0]] = max(most[guessed[0]], len(under_way))
        sleep(0.05)
        answer: bool = real(*given)
        under_way.pop()
        return answer

    stores.passwords.verify = slow  # type: ignore[method-assign]

    def guess() -> None:
        with pytest.raises(WrongPassword):
            by_name(stores, guessed[0], "a wrong one")

    for name in most:
        guessed[:] = [name]
        concurrently([guess] * 4)
    assert most == {"alice": 1, "nobody": 1}
    assert len(checks) == 8


def test_a_right_password_is_right_while_its_hash_cannot_be_made_anew(
    stores: Process, alice: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stores.passwords = Passwords(5)

    def refuse(_password: str) -> str:
        raise Busy(retry_after=2)

    monkeypatch.setattr(stores.passwords, "hash", refuse)
    assert authenticate(stores, "alice") == "alice"
    assert "not made anew" in caplog.text


def test_signing_in_needs_the_account_as_it_was_proved(stores: Process, alice: Person) -> None:
    with stores.transaction() as store:
        row = signin.authenticate(store, "alice", PASSWORD)
    with stores.transaction() as store:
        password_change.set_by_operator(store, alice.id, "changed meanwhile")
    with pytest.raises(StaleCredential), stores.transaction() as store:
        signin.sign_in(store, row)
    for end in (lifecycle.deactivate, lifecycle.delete):
        with stores.transaction() as store:
            current = store.reader.by_id(alice.id)
            assert current is not None
        with stores.transaction() as store:
            end(store, alice.id)
        with pytest.raises(StaleCredential), stores.transaction() as store:
            signin.sign_in(store, current)


def test_signing_in_is_a_login(stores: Process, alice: Person) -> None:
    with stores.transaction() as store:
        row = signin.authenticate(store, "alice", PASSWORD)
        assert columns_of(store, row.id).last_login is None
        value = signin.sign_in(store, row)
    with stores.transaction() as store:
        account = store.session.scalar(select(Account).where(Account.id == alice.id))
        assert account is not None
        assert account.last_login is not None
        assert sessions.find(store.connection, value) is not None
    assert events(stores)[0] == "signed in"
