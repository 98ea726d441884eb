"""Fresh sessions: the password was entered in them lately, whatever they were used for since."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import password_change, sessions, signin
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import AuditEvent
from accountsapp.domain.data.proofs import Actor
from accountsapp.domain.errors import StaleCredential, WrongPassword
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person

WITHIN = timedelta(seconds=600)
OTHER = "another correct horse"


def is_fresh(stores: Process, value: str) -> bool:
    with stores.transaction() as store:
        return sessions.is_fresh(store.connection, value, WITHIN)


def begin_without_password(stores: Process, person: Person) -> str:
    with stores.transaction() as store:
        return sessions.begin(store.session, locking.lock(store.session, person.id), None)


def confirm(stores: Process, person: Person, value: str, password: object = PASSWORD) -> None:
    with stores.transaction() as store:
        row = store.reader.by_id(person.id)
        assert row is not None
        signin.confirm(store, row, password, value)


def test_what_makes_a_session_fresh_and_for_how_long(stores: Process, alice: Person) -> None:
    unproved = begin_without_password(stores, alice)
    assert not is_fresh(stores, unproved)
    assert not is_fresh(stores, "nobody's")
    with stores.transaction() as store:
        value = signin.sign_in(store, signin.authenticate(store, "alice", PASSWORD))
    assert is_fresh(stores, value)
    assert not is_fresh(stores, unproved)
    with time_machine.travel(now() + timedelta(seconds=590), tick=False):
        assert is_fresh(stores, value)
    with time_machine.travel(now() + timedelta(hours=2), tick=False):
        with stores.transaction() as store:
            row = sessions.find(store.connection, value)
        assert row is not None
        sessions.touch(stores.database.begin, row.id)
        assert not is_fresh(stores, value)
        confirm(stores, alice, value)
        assert is_fresh(stores, value)
    with stores.transaction() as store:
        store.actor = Actor(alice.id)
        replaced = password_change.change_in_session(
            store, alice.id, current=PASSWORD, new=OTHER, value=value, form="f"
        )
    assert replaced is not None
    assert is_fresh(stores, replaced)


def test_a_wrong_password_is_a_failed_sign_in(stores: Process, alice: Person) -> None:
    value = begin_without_password(stores, alice)
    for wrong in ("wrong", "", None, 5, ["x"], "x" * 5000):
        with pytest.raises(WrongPassword):
            confirm(stores, alice, value, wrong)
    assert not is_fresh(stores, value)
    with stores.transaction() as store:
        events = store.session.scalars(select(AuditEvent.event)).all()
    assert events.count(Event.SIGN_IN_FAILED) == 6


def test_what_ended_is_not_made_fresh(stores: Process, alice: Person, bob: Person) -> None:
    value, theirs = begin_without_password(stores, alice), begin_without_password(stores, bob)
    with pytest.raises(StaleCredential):
        confirm(stores, alice, theirs)
    with stores.transaction() as store:
        sessions.end(store.session, value)
    with pytest.raises(StaleCredential):
        confirm(stores, alice, value)
    value = begin_without_password(stores, alice)
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    with pytest.raises(StaleCredential):
        confirm(stores, alice, value)
    assert not is_fresh(stores, theirs)
