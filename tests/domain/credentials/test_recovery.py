"""What HTTP cannot reach of recovery: what happens between finding a code and using it."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from accountsapp.domain.accounts import lifecycle, registration
from accountsapp.domain.credentials import password_change, recovery
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import AccountState, Job
from accountsapp.domain.errors import DeadLink, UsernameTaken
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.jobs import all_jobs, let_time_pass
from tests.support.outbox import Outbox

NEW = "a new and better one"


@pytest.fixture
def code(stores: Process, alice: Person) -> str:
    with stores.transaction() as store:
        return links.make(store.session, lock(store.session, alice.id), Purpose.RESET, alice.email, 60)


@pytest.fixture
def meanwhile(stores: Process, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has something happen while the new password is being hashed, before the account is locked."""

    def at_the_hashing(change: Callable[[Store], object]) -> None:
        real, done = Passwords.hash, []

        def hash_(self: Passwords, password: str) -> str:
            if not done:
                done.append(password)
                with stores.transaction() as store:
                    change(store)
            return real(self, password)

        monkeypatch.setattr(Passwords, "hash", hash_)

    return at_the_hashing


def reset(stores: Process, code: str, **options: object) -> str:
    with stores.transaction() as store:
        return recovery.reset(store, "alice", code, NEW, **options)


@pytest.mark.parametrize("what", ["deleted", "deactivated", "replaced", "password"])
def test_what_happens_meanwhile_kills_the_code(
    stores: Process, alice: Person, code: str, meanwhile: Callable[..., None], what: str
) -> None:
    def change(store: Store) -> None:
        if what == "deleted":
            lifecycle.delete(store, alice.id)
        elif what == "deactivated":
            lifecycle.deactivate(store, alice.id)
        elif what == "replaced":
            links.make(store.session, lock(store.session, alice.id), Purpose.RESET, alice.email, 60)
        else:
            password_change.set_by_operator(store, alice.id, "somebody was faster")

    meanwhile(change)
    with pytest.raises(DeadLink):
        reset(stores, code)


def test_a_name_that_was_taken_meanwhile_leaves_the_code(
    stores: Process, alice: Person, code: str, meanwhile: Callable[..., None]
) -> None:
    with stores.transaction() as store:
        lock(store.session, alice.id).state = AccountState.PENDING
    meanwhile(lambda store: registration.register(store, "wanted", "fast@example.com"))
    with pytest.raises(UsernameTaken):
        reset(stores, code, new_username="wanted")
    assert reset(stores, code, new_username="other") == "other"


def test_a_job_that_is_delivered_twice_sends_once(stores: Process, alice: Person, outbox: Outbox) -> None:
    with stores.transaction() as store:
        recovery.ask(store, alice.email)
    (job,) = all_jobs(stores.database)
    assert alice.email not in str(job.payload)
    assert len(outbox.take()) == 1
    let_time_pass(stores.database)
    assert outbox.take() == []


def test_nothing_is_queued_by_a_request_that_fails(stores: Process, alice: Person, outbox: Outbox) -> None:
    with stores.transaction() as store:
        recovery.ask(store, alice.email)
        store.session.rollback()
    assert outbox.jobs() == 0


def test_a_waiting_request_survives_a_new_secret(stores: Process, alice: Person) -> None:
    """The older secret may be taken away once ``secrets rotate`` has run."""
    with stores.transaction() as store:
        recovery.ask(store, alice.email)
    new = "the new secret of this test, long enough"
    both = Keyring((new, *stores.settings.secrets))
    assert recovery.reseal(stores.database.begin, both) == 1
    with stores.database.begin() as session:
        job = session.scalars(select(Job).where(Job.name == recovery.RECOVER)).one()
        assert Keyring((new,)).unseal(recovery.SEALED_FOR, job.payload["email"]) == alice.email
