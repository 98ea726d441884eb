"""Mailed codes: bound to purpose, account, address and epoch; looked at for nothing, used once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from accountsapp.domain.clock import now
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import Link
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.process import Process
from accountsapp.testing.people import Person

RESET, CHANGE, VERIFY = Purpose.RESET, Purpose.CHANGE_EMAIL, Purpose.VERIFY_EMAIL
Make = Callable[..., str]


@pytest.fixture
def make(stores: Process) -> Make:
    def made(
        person: Person, purpose: Purpose = RESET, address: str = "x@example.com", seconds: float = 60
    ) -> str:
        with stores.transaction() as store:
            return links.make(store.session, lock(store.session, person.id), purpose, address, seconds)

    return made


def finds(stores: Process, code: str, purpose: Purpose = RESET) -> str | None:
    """Whose living code it is."""
    with stores.transaction() as store:
        found = links.find(store.connection, purpose, code)
        return found.account.username if found else None


def rows(stores: Process) -> int:
    with stores.transaction() as store:
        return store.session.scalar(select(func.count()).select_from(Link)) or 0


def test_codes_are_random_and_only_their_hash_is_kept(stores: Process, alice: Person, make: Make) -> None:
    codes = {make(alice, VERIFY, f"{n}@example.com") for n in range(20)}
    assert len(codes) == 20
    assert all(len(code) == 32 for code in codes)  # 192 bits
    assert all(code.replace("-", "").replace("_", "").isalnum() for code in codes)
    with stores.transaction() as store:
        stored = str([row.__dict__ for row in store.session.scalars(select(Link))])
    assert not any(code in stored for code in codes)


def test_looking_uses_nothing_up_and_using_does(stores: Process, alice: Person, make: Make) -> None:
    code = make(alice)
    assert [finds(stores, code) for _ in range(3)] == ["alice"] * 3
    with stores.transaction() as store:
        found = links.find(store.connection, RESET, code)
        assert found is not None
        account = lock(store.session, alice.id)
        assert links.consume(store.session, account, found)
        assert not links.consume(store.session, account, found)
    assert finds(stores, code) is None


def test_one_purpose_only(stores: Process, alice: Person, make: Make) -> None:
    for purpose in Purpose:
        code = make(alice, purpose)
        assert {p for p in Purpose if finds(stores, code, p)} == {purpose}


def test_what_is_no_code(stores: Process, alice: Person, make: Make) -> None:
    code = make(alice)
    flipped = ("A" if code[0] != "A" else "B") + code[1:]
    for other in (
        "",
        code[:-1],
        code + "A",
        code.swapcase(),
        flipped,
        f" {code}",
        "\0",
        "\ud800",
        "x" * 10000,
    ):
        assert finds(stores, other) is None


def test_life(stores: Process, alice: Person, make: Make) -> None:
    code = make(alice, seconds=100)
    for seconds, good in ((99, True), (101, False), (25 * 3600, False), (-25 * 3600, True)):
        with time_machine.travel(now() + timedelta(seconds=seconds)):
            assert (finds(stores, code) is not None) is good
    assert finds(stores, make(alice, seconds=0)) is None


def test_a_newer_one_replaces_those_of_its_kind(
    stores: Process, alice: Person, bob: Person, make: Make
) -> None:
    old, change, others = make(alice), make(alice, CHANGE), make(bob)
    new = make(alice)
    assert [finds(stores, code) for code in (old, new, others)] == [None, "alice", "bob"]
    assert finds(stores, change, CHANGE) == "alice"
    one, two = make(alice, VERIFY, "1@example.com"), make(alice, VERIFY, "2@example.com")
    again = make(alice, VERIFY, "1@EXAMPLE.com")
    assert [finds(stores, code, VERIFY) for code in (one, two, again)] == [None, "alice", "alice"]


def test_the_epoch_ends_them(stores: Process, alice: Person, make: Make) -> None:
    code = make(alice)
    with stores.transaction() as store:
        found = links.find(store.connection, RESET, code)
        assert found is not None
        account = lock(store.session, alice.id)
        account.credential_epoch += 1
        store.session.flush()
        assert not links.consume(store.session, account, found)
    assert finds(stores, code) is None


def test_void(stores: Process, alice: Person, bob: Person, make: Make) -> None:
    codes = {purpose: make(alice, purpose) for purpose in Purpose}
    others = make(bob)

    def alive() -> set[Purpose]:
        return {purpose for purpose, code in codes.items() if finds(stores, code, purpose)}

    with stores.transaction() as store:
        links.void(store.session, alice.id, CHANGE)
    assert alive() == {RESET, VERIFY}
    with stores.transaction() as store:
        links.void(store.session, alice.id)
    assert alive() == set()
    assert finds(stores, others) == "bob"


def test_what_was_used_or_voided_stays_dead_whatever_a_clock_says(
    stores: Process, alice: Person, make: Make
) -> None:
    used, voided = make(alice, VERIFY, "1@example.com"), make(alice, VERIFY, "2@example.com")
    with stores.transaction() as store:
        account = lock(store.session, alice.id)
        found = links.find(store.connection, VERIFY, used)
        assert found is not None
        assert links.consume(store.session, account, found)
        links.void(store.session, alice.id)
    assert rows(stores) == 2  # when they were mailed is still known
    for hours in (-25, 0, 25):
        with time_machine.travel(now() + timedelta(hours=hours)):
            assert [finds(stores, code, VERIFY) for code in (used, voided)] == [None, None]


def test_void_forgets_the_others(stores: Process, alice: Person, make: Make) -> None:
    make(alice, RESET)
    make(alice, CHANGE)
    with stores.transaction() as store:
        links.void(store.session, alice.id)
    assert rows(stores) == 0


def test_used_by_rollback_is_not_used(stores: Process, alice: Person, make: Make) -> None:
    code = make(alice)
    with stores.transaction() as store:
        found = links.find(store.connection, RESET, code)
        assert found is not None
        assert links.consume(store.session, lock(store.session, alice.id), found)
        store.session.rollback()
    assert finds(stores, code) == "alice"


def test_old_ones_are_cleared_and_no_others(stores: Process, alice: Person, bob: Person, make: Make) -> None:
    make(alice, seconds=1)
    make(bob, seconds=90 * 24 * 3600)
    for days, left in ((59, 2), (61, 1), (89, 1), (91, 0)):
        with time_machine.travel(now() + timedelta(days=days)), stores.transaction() as store:
            links.clear_old(store.session)
        assert rows(stores) == left
