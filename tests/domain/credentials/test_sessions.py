"""Sessions: opaque, of one account and epoch, ended at once, never older than they may be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

from accountsapp.domain.accounts import lifecycle, profile
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import api_keys, password_change, recovery, sessions, signin
from accountsapp.domain.data.models import Account, SignInSession
from accountsapp.domain.mailing import links
from accountsapp.domain.rules.digests import digest_of
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.columns import columns_of

HERE = "192.0.2.1"


def sign_in(stores: Process, person: Person, address: str = HERE) -> str:
    with stores.transaction(address) as store:
        return signin.sign_in(store, signin.authenticate(store, person.username, PASSWORD))


def owner(stores: Process, value: str) -> str | None:
    """Whose living session it is."""
    with stores.transaction() as store:
        found = sessions.find(store.connection, value)
        return found.account.username if found else None


def count(stores: Process) -> int:
    with stores.transaction() as store:
        return store.session.scalar(select(func.count()).select_from(SignInSession)) or 0


@contextmanager
def later(**distance: float) -> Iterator[None]:
    with time_machine.travel(now() + timedelta(**distance)):
        yield


def test_values_are_opaque_and_new_each_time(stores: Process, alice: Person) -> None:
    values = {sign_in(stores, alice) for _ in range(3)}
    assert len(values) == 3
    assert all(len(value) == 43 and value.replace("-", "").replace("_", "").isalnum() for value in values)
    with stores.transaction() as store:
        stored = store.session.execute(select(SignInSession)).scalars().all()
        assert {row.digest for row in stored} == {digest_of(value) for value in values}
        assert {row.address for row in stored} == {HERE}
        assert columns_of(store, alice.id).last_login is not None
        account = store.session.get(Account, alice.id)
        assert account is not None
        assert account.last_login_ip == HERE


def test_what_is_no_session(stores: Process, alice: Person) -> None:
    value = sign_in(stores, alice)
    assert owner(stores, value) == "alice"
    for other in ("", "x", value[:-1], value + "A", value.swapcase(), "\0", "\ud800", sessions.new_value()):
        assert owner(stores, other) is None


def test_ending_one_and_all(stores: Process, alice: Person, bob: Person) -> None:
    first, second, third = (sign_in(stores, alice) for _ in range(3))
    other = sign_in(stores, bob)
    with stores.transaction() as store:
        assert sessions.end(store.session, first)
        assert not sessions.end(store.session, first)
        assert not sessions.end(store.session, "never was")
    assert [owner(stores, v) for v in (first, second, third)] == [None, "alice", "alice"]
    with stores.transaction() as store:
        sessions.end_all(store.session, alice.id, but=third)
    assert [owner(stores, v) for v in (second, third, other)] == [None, "alice", "bob"]
    with stores.transaction() as store:
        sessions.end_all(store.session, alice.id)
    assert [owner(stores, v) for v in (third, other)] == [None, "bob"]


ENDINGS: dict[str, Callable[[Any, int], object]] = {
    "set password": lambda store, i: password_change.set_by_operator(store, i, "an operator's word"),
    "change password": lambda store, i: password_change.change(
        store, i, current=PASSWORD, new="of my own choice"
    ),
    "deactivate": lifecycle.deactivate,
    "delete": lifecycle.delete,
    "epoch": lambda store, i: store.session.execute(
        update(Account).where(Account.id == i).values(credential_epoch=Account.credential_epoch + 1)
    ),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_what_ends_every_session_of_the_account(
    stores: Process, alice: Person, bob: Person, how: str
) -> None:
    mine, other = [sign_in(stores, alice) for _ in range(3)], sign_in(stores, bob)
    with stores.transaction() as store:
        ENDINGS[how](store, alice.id)
    assert [owner(stores, value) for value in mine] == [None] * 3
    assert owner(stores, other) == "bob"
    if how == "deactivate":
        with stores.transaction() as store:
            lifecycle.activate(store, alice.id)
        assert [owner(stores, value) for value in mine] == [None] * 3


def test_what_leaves_them(stores: Process, alice: Person) -> None:
    value = sign_in(stores, alice)
    with stores.transaction() as store:
        api_keys.reset(store, alice.id)
    with stores.transaction() as store:
        profile.change(store, alice.id, {"name": "Other"}, email="other@example.com")
    assert owner(stores, value) == "alice"


def test_idle_and_absolute_life(stores: Process, alice: Person) -> None:
    value = sign_in(stores, alice)
    with later(days=29.9):
        assert owner(stores, value) == "alice"
    with later(days=30.1):
        assert owner(stores, value) is None
    for month in range(1, 14):
        with later(days=29 * month), stores.transaction() as store:
            found = sessions.find(store.connection, value)
            assert (found is not None) == (29 * month < 365)
            if found is not None:
                assert found.needs_touch
                sessions.touch(store.begin, found.id)


def test_a_use_is_written_down_once_an_hour(stores: Process, alice: Person) -> None:
    value = sign_in(stores, alice)
    for minutes, needed in ((0, False), (59, False), (61, True)):
        with later(minutes=minutes), stores.transaction() as store:
            found = sessions.find(store.connection, value)
            assert found is not None
            assert found.needs_touch is needed


def test_old_ones_are_cleared_and_no_others(stores: Process, alice: Person) -> None:
    sign_in(stores, alice)
    with later(days=29), stores.transaction() as store:
        sessions.clear_old(store.session)
    assert count(stores) == 1
    with later(days=31), stores.transaction() as store:
        sessions.clear_old(store.session)
    assert count(stores) == 0


def test_a_code_used_ends_them(stores: Process, alice: Person) -> None:
    value = sign_in(stores, alice)
    with stores.transaction() as store:
        account = store.session.get(Account, alice.id)
        assert account is not None
        code = links.make(store.session, account, links.Purpose.RESET, alice.email, 60)
    with stores.transaction() as store:
        recovery.reset(store, "alice", code, "some other thing")
    assert owner(stores, value) is None
