"""``accountsapp accounts import --update``: only what a record names is changed."""

from typing import Any

from sqlalchemy import select
from webtest import TestApp

from accountsapp.domain.data.models import Account, AccountState
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.cli.conftest import Run
from tests.cli.test_import import FULL, HASH, Load, bob, complaints, exported

WITHOUT_CHANGE = {"username": FULL["username"]}


def stored(stores: Process) -> Account:
    with stores.transaction() as store:
        account = store.session.scalars(select(Account)).one()
        store.session.expunge_all()
        return account


def test_nothing_that_is_not_named_changes(run: Run, load: Load, stores: Process) -> None:
    load(FULL)
    before = stored(stores)
    assert load(WITHOUT_CHANGE, update=True).json == {"created": 0, "updated": 1, "failed": 0}
    assert exported(run) == [FULL]
    assert stored(stores).credential_epoch == before.credential_epoch
    assert stored(stores).version == before.version + 1


def test_every_key_can_be_changed(run: Run, load: Load) -> None:
    load({"username": FULL["username"], "email": "before@example.com"})
    load(FULL, update=True)
    assert exported(run) == [FULL]


def test_each_key_alone(run: Run, load: Load) -> None:
    load(FULL)
    expected = dict(FULL)
    for key, value in {
        "name": None,
        "year_of_birth": None,
        "info": {"a": True},
        "notifications": {},
        "permissions": [],
        "is_admin": False,
        "last_login": None,
        "invite_ct": 0,
        "language_proficiencies": [],
        "api_key": "new-key",
        "activated": False,
    }.items():
        load({"username": "ÄLVA ö", key: value}, update=True)
        expected[key] = value
        assert exported(run) == [expected]


def test_update_makes_what_is_not_there(run: Run, load: Load) -> None:
    ran = load(bob(), {"username": "carol"}, update=True, exit_code=1)
    assert ran.json == {"created": 1, "updated": 0, "failed": 1}
    assert complaints(ran) == ["line 2: email: is required (carol)"]


def test_a_name_twice_in_one_file(run: Run, load: Load) -> None:
    ran = load(
        bob(name="first"),
        {"username": "BOB", "name": "second", "email": "new@example.com"},
        {"username": "carol", "email": "bob@example.com"},
        {"username": "bob", "location": "there", "api_key": "k2"},
        {"username": "dave", "email": "d@e.com", "api_key": "k2"},
        {"username": "bob", "api_key": "k3"},
        {"username": "dave", "email": "d@e.com", "api_key": "k2"},
        update=True,
        exit_code=1,
    )
    assert ran.json == {"created": 3, "updated": 3, "failed": 1}
    assert complaints(ran)[0].startswith("line 5: ")
    first = exported(run)[0]
    assert (first["username"], first["name"], first["location"], first["api_key"]) == (
        "bob",
        "second",
        "there",
        "k3",
    )
    assert [address["email"] for address in first["emails"]] == ["new@example.com"]


def test_email_takes_the_place_of_the_primary_one(run: Run, load: Load) -> None:
    load(FULL)
    load({"username": FULL["username"], "email": "third@example.com"}, update=True)
    assert exported(run)[0]["emails"] == [
        {"email": "third@example.com", "verified": True, "primary": True},
        {"email": "other@example.com", "verified": False, "primary": False},
    ]


def test_emails_takes_the_place_of_all(run: Run, load: Load) -> None:
    load(FULL)
    addresses = [
        {"email": "other@example.com", "verified": True, "primary": True},
        {"email": "alva@example.com", "verified": False, "primary": False},
    ]
    load({"username": FULL["username"], "emails": addresses}, update=True)
    assert exported(run)[0]["emails"] == addresses


def test_what_is_taken(run: Run, load: Load, alice: Person) -> None:
    load(bob())
    before = exported(run)
    ran = load(
        {"username": "bob", "email": "alice@example.com", "name": "x"},
        {"username": "bob", "api_key": alice.api_key, "name": "y"},
        {"username": "alice", "email": "ALICE@example.com", "api_key": alice.api_key},
        update=True,
        exit_code=1,
    )
    assert ran.json == {"created": 0, "updated": 1, "failed": 2}
    assert exported(run) == before


def test_password_ends_sessions(load: Load, stores: Process, alice: Person) -> None:
    for change, ends in [
        ({"password": "another good one"}, True),
        ({"password_hash": HASH}, True),
        ({"password_hash": HASH}, False),
        ({"name": "x"}, False),
    ]:
        epoch = stored(stores).credential_epoch
        load({"username": "alice", **change}, update=True)
        assert stored(stores).credential_epoch == epoch + ends
    assert stores.passwords.verify(PASSWORD, stored(stores).password_hash)


def test_state(load: Load, stores: Process, alice: Person) -> None:
    """Who is switched off is locked, and stays so; only a new record can be pending."""
    load({"username": "alice", "activated": False}, update=True)
    assert stored(stores).state == AccountState.DEACTIVATED
    assert stored(stores).credential_epoch == 1
    load({"username": "alice", "activated": False}, update=True)
    assert stored(stores).credential_epoch == 1
    load({"username": "alice", "activated": True}, update=True)
    assert stored(stores).state == AccountState.ACTIVE


def test_a_pending_account_stays_pending(load: Load, stores: Process) -> None:
    record: dict[str, Any] = bob(activated=False)
    load(record)
    load(record, update=True)
    assert stored(stores).state == AccountState.PENDING


def test_a_new_key_is_the_only_one(app: TestApp, load: Load, alice: Person) -> None:
    load({"username": "alice", "api_key": "0123456789ab"}, update=True)
    app.get("/api/v1/alice/account", {"api_key": "0123456789ab"})
    app.get("/api/v1/alice/account", {"api_key": alice.api_key}, status=403)


def test_a_pending_address_is_dropped_with_the_address(
    app: TestApp, load: Load, alice: Person, stores: Process
) -> None:
    app.post("/api/v1/alice/account", {"api_key": alice.api_key, "email": "next@example.com"})
    load({"username": "alice", "email": "alice@example.com"}, update=True)
    assert stored(stores).pending_email == "next@example.com"
    load({"username": "alice", "email": "set@example.com"}, update=True)
    assert stored(stores).pending_email is None
