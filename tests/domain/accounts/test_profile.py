"""The profile: read with the columns that are wanted, changed as one."""

from datetime import datetime
from typing import Any, NamedTuple

import pytest

from accountsapp.domain.accounts import lifecycle, profile
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.reads import by_id
from accountsapp.domain.errors import AccountNotFound, TooManyAttempts, UsernameTaken
from accountsapp.process import Process
from tests.support.columns import columns_of
from tests.support.outbox import Outbox
from tests.support.people import Person


class Texts(NamedTuple):
    name: str | None
    location: str | None


VALUES: dict[str, Any] = {
    **dict.fromkeys(profile.COLUMNS, "Visby"),
    "language_proficiencies": [{"code": "sv"}],
    "year_of_birth": 1969,
    "account_privacy": "private",
    "privacy_mode": False,
    "subscribed": True,
    "read_dev_agreement": True,
    "notifications": {"reply": True},
    "info": {"a": 1},
}


def test_every_column_is_changed_and_read(stores: Process, alice: Person) -> None:
    everything = NamedTuple("Everything", [(column, Any) for column in sorted(profile.COLUMNS)])  # type: ignore[misc]
    with stores.transaction() as store:
        profile.change(store, alice.id, VALUES)
    with stores.transaction() as store:
        assert profile.read(store, alice.id, everything)._asdict() == VALUES


def test_what_is_no_profile_cannot_be_changed_here(stores: Process, alice: Person) -> None:
    for column in ("is_admin", "username", "password_hash", "pending_email", "id"):
        with stores.transaction() as store, pytest.raises(ValueError, match=column):
            profile.change(store, alice.id, {"name": "x", column: 1})


def test_one_change_is_one_version(stores: Process, alice: Person, outbox: Outbox) -> None:
    with stores.transaction() as store:
        before = columns_of(store, alice.id).version
        row = profile.change(store, alice.id, {"name": "Al"}, username="Alicia", email="new@example.com")
        assert (row.username, row.username_key, row.shown_email) == ("Alicia", "alicia", "new@example.com")
    with stores.transaction() as store:
        columns = columns_of(store, alice.id)
        assert (columns.name, columns.version) == ("Al", before + 1)
    assert sorted(str(mail["To"]) for mail in outbox.take()) == [alice.email, "new@example.com"]


def test_what_is_so_already_is_no_change(stores: Process, alice: Person) -> None:
    with stores.transaction() as store:
        profile.change(store, alice.id, VALUES, username="Alicia")
        before = columns_of(store, alice.id).version
        profile.change(store, alice.id, VALUES, username="Alicia")
        assert columns_of(store, alice.id).version == before


def test_one_change_is_all_or_nothing(stores: Process, alice: Person, bob: Person, outbox: Outbox) -> None:
    with pytest.raises(UsernameTaken), stores.transaction() as store:
        profile.change(store, alice.id, {"name": "Al"}, username="BOB", email="new@example.com")
    with stores.transaction() as store:
        row = by_id(store.connection, alice.id, Texts)
        assert (row.username, row.shown_email, row.profile.name) == ("alice", alice.email, "Alice Liddell")
    assert outbox.take() == []


def test_a_name_may_change_its_case(stores: Process, alice: Person) -> None:
    with stores.transaction() as store:
        assert profile.change(store, alice.id, username="ALICE").username == "ALICE"


def test_who_was_invited_follows_a_new_name(stores: Process, alice: Person, bob: Person) -> None:
    with stores.transaction() as store:
        account = store.session.get(Account, bob.id)
        assert account is not None
        account.invited_by = "alice"
    with stores.transaction() as store:
        profile.change(store, alice.id, username="alicia")
    with stores.transaction() as store:
        assert columns_of(store, bob.id).invited_by == "alicia"


def test_new_addresses_are_counted_for_the_account(make_app: Any, register: Any, bob: Person) -> None:
    process: Process = make_app(**{"accountsapp.rate_limit": "true"}).registry.process

    def ask(number: int) -> None:
        with process.transaction() as store:
            profile.change(store, bob.id, email=f"new{number}@example.com")

    for number in range(10):
        ask(number)
    with pytest.raises(TooManyAttempts):
        ask(10)
    with process.transaction() as store:
        assert by_id(store.connection, bob.id).shown_email == "new9@example.com"


def test_what_was_read_with_the_credential_is_not_read_again(stores: Process, alice: Person) -> None:
    store = stores.for_request("", Texts)
    try:
        found = store.reader.by_api_key(alice.api_key)
        assert found is not None
        row, _key = found
        assert row.profile == Texts("Alice Liddell", None)
        assert profile.read(store, alice.id, Texts) is row.profile
        assert columns_of(store, alice.id).name == "Alice Liddell"
    finally:
        store.close()


def test_what_was_changed_is_read_again(stores: Process, alice: Person) -> None:
    with stores.transaction(columns=Texts) as store:
        assert profile.read(store, alice.id, Texts).location is None
        assert profile.change(store, alice.id, {"location": "Visby"}).profile.location == "Visby"
        assert profile.read(store, alice.id, Texts).location == "Visby"
        assert columns_of(store, alice.id).name == "Alice Liddell"


def test_who_is_gone_says_nothing(stores: Process, alice: Person) -> None:
    with stores.transaction() as store:
        lifecycle.delete(store, alice.id)
    for columns in (None, Texts):
        store = stores.for_request("", columns)
        with pytest.raises(AccountNotFound):
            profile.read(store, alice.id, Texts)
        store.close()


def test_times_are_aware(stores: Process, alice: Person) -> None:
    class Times(NamedTuple):
        created: datetime

    store = stores.for_request("", Times)
    try:
        assert profile.read(store, alice.id, Times).created.utcoffset() is not None
    finally:
        store.close()
