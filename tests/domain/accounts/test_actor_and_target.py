"""Who acts and on whose account: only the actor himself must be active, and the audit names both."""

from collections.abc import Callable

import pytest
import time_machine
from sqlalchemy import select

from accountsapp.domain import audit
from accountsapp.domain.accounts import lifecycle, profile
from accountsapp.domain.audit import Event
from accountsapp.domain.credentials import api_keys
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.proofs import API_KEY, Actor, Proof, Terms
from accountsapp.domain.emails import addresses
from accountsapp.domain.errors import AccountNotFound, AuthorityChanged, StaleCredential
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.named_keys import add_key
from accountsapp.testing.people import Person


def change_profile(store: Store, account_id: int) -> None:
    profile.change(store, account_id, {"location": "Visby"})


def add_address(store: Store, account_id: int) -> None:
    addresses.add(store, account_id, "further@example.com")


def reset_key(store: Store, account_id: int) -> None:
    api_keys.reset(store, account_id)


def act(stores: Process, actor: Person, operation: Callable[[Store, int], None], target: Person) -> None:
    with stores.transaction() as store:
        store.actor = Actor(actor.id)
        operation(store, target.id)


OPERATIONS: list[Callable[[Store, int], None]] = [change_profile, add_address, reset_key]


def deactivate(stores: Process, person: Person) -> None:
    with stores.transaction() as store:
        lifecycle.deactivate(store, person.id)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_editor_may_act_on_a_deactivated_account(
    stores: Process, alice: Person, bob: Person, operation: Callable[[Store, int], None]
) -> None:
    deactivate(stores, alice)
    act(stores, bob, operation, alice)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_owner_of_a_deactivated_account_may_not(
    stores: Process, alice: Person, operation: Callable[[Store, int], None]
) -> None:
    deactivate(stores, alice)
    with pytest.raises(StaleCredential):
        act(stores, alice, operation, alice)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("how", [lifecycle.deactivate, lifecycle.delete])
def test_an_editor_who_was_locked_out_meanwhile_may_not(
    stores: Process,
    alice: Person,
    bob: Person,
    operation: Callable[[Store, int], None],
    how: Callable[[Store, int], None],
) -> None:
    with stores.transaction() as store:
        how(store, bob.id)
    with pytest.raises(StaleCredential):
        act(stores, bob, operation, alice)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_account_that_is_gone(
    stores: Process, alice: Person, bob: Person, operation: Callable[[Store, int], None]
) -> None:
    with stores.transaction() as store:
        lifecycle.delete(store, alice.id)
    with pytest.raises(AccountNotFound):
        act(stores, bob, operation, alice)
    with pytest.raises(StaleCredential):
        act(stores, alice, operation, alice)


def end_key_meanwhile(stores: Process, person: Person) -> None:
    with stores.transaction() as store:
        api_keys.reset(store, person.id)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_key_that_expires_while_its_change_waits(
    stores: Process, alice: Person, operation: Callable[[Store, int], None]
) -> None:
    key = add_key(stores, alice)
    with stores.transaction() as store:
        found = store.reader.by_api_key(key.api_key)
        assert found is not None
        row = found[1]
        store.actor = Actor(alice.id, None, Proof(API_KEY, row.id, Terms(row.scopes, row.expires)))
        assert row.expires is not None
        with time_machine.travel(row.expires, tick=False), pytest.raises(AuthorityChanged):
            operation(store, alice.id)


@pytest.mark.parametrize("end", [Store.commit, Store.roll_back])
def test_what_proved_the_actor_is_looked_at_in_each_transaction(
    stores: Process, alice: Person, end: Callable[[Store], None]
) -> None:
    """Also where the next one writes something else before it locks."""
    with stores.transaction() as store:
        key_id = store.connection.scalar(select(ApiKey.id).where(ApiKey.account_id == alice.id))
        store.actor = Actor(alice.id, None, Proof(API_KEY, key_id))
        store.lock(alice.id)
        api_keys.reset(store, alice.id)
        store.lock(alice.id)
        end(store)
        end_key_meanwhile(stores, alice)
        store.record(Event.INVITES_SET, account_id=alice.id, count=1)
        store.flush()
        with pytest.raises(StaleCredential):
            store.lock(alice.id)


def test_the_audit_names_actor_and_target(stores: Process, alice: Person, bob: Person) -> None:
    deactivate(stores, alice)
    with stores.transaction("192.0.2.1") as store:
        store.actor = Actor(bob.id)
        profile.change(store, alice.id, {"name": "Alice"}, email="new@example.com")
        addresses.add(store, alice.id, "further@example.com")
    with stores.transaction() as store:
        rows = list(audit.listing(store.connection, account_id=alice.id, most=2))
    assert [(row.event, row.account, row.actor, row.address) for row in rows] == [
        (Event.EMAIL_ADDED, "alice", "bob", "192.0.2.1"),
        (Event.EMAIL_ASKED, "alice", "bob", "192.0.2.1"),
    ]


def test_who_deletes_his_own_account_is_not_named(stores: Process, alice: Person) -> None:
    with stores.transaction("192.0.2.1") as store:
        store.actor = Actor(alice.id)
        lifecycle.delete(store, alice.id)
    with stores.transaction() as store:
        row = next(audit.listing(store.connection))
    assert (row.event, row.actor_id, row.address) == (Event.DELETED, None, None)
