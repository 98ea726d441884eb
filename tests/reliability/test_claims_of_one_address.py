"""Everything that may take one address, at once: one has it afterwards, and nobody waited in a circle."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from accountsapp.domain.accounts import invitations, profile, registration
from accountsapp.domain.credentials import recovery
from accountsapp.domain.data.models import Account, EmailAddress
from accountsapp.domain.emails import addresses, changing
from accountsapp.domain.errors import DomainError
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently
from tests.support.outbox import Outbox, path_in

ROUNDS = 6


def attempt(stores: Process, work: Callable[[Store], Any]) -> Callable[[], bool]:
    """Whether it succeeded; a refusal of the domain is no error, one of the database is."""

    def run() -> bool:
        try:
            with stores.transaction() as store:
                work(store)
        except DomainError:
            return False
        return True

    return run


def test_one_has_it_and_nobody_waits_in_a_circle(
    stores: Process, register: Callable[..., Person], outbox: Outbox
) -> None:
    for number in range(ROUNDS):
        address = f"wanted{number}@example.com"
        people = [register(f"p{number}-{name}") for name in ("prover", "rival", "claimer", "asker", "late")]
        prover, rival, claimer, asker, late = (person.id for person in people)
        with stores.transaction() as store:
            for claimed_by in (prover, rival):
                addresses.add(store, claimed_by, address)
            for waiting in (asker, late):
                profile.change(store, waiting, email=address)
        paths = [path_in(mail) for mail in outbox.take() if mail["To"] == address]
        first, second = (path.rpartition("/")[2] for path in paths)

        def prove(store: Store, account_id: int = prover, address: str = address) -> None:
            addresses.change(store, account_id, address, verify=True, make_primary=True, trusted=True)

        def prove_too(store: Store, account_id: int = rival, address: str = address) -> None:
            addresses.change(store, account_id, address, verify=True, make_primary=False, trusted=True)

        def claim(store: Store, account_id: int = claimer, address: str = address) -> None:
            addresses.add(store, account_id, address)

        def confirm(store: Store, code: str = first) -> None:
            changing.confirm(store, code)

        def confirm_too(store: Store, code: str = second) -> None:
            changing.confirm(store, code)

        def join(store: Store, name: str = f"joined{number}", address: str = address) -> None:
            registration.register(store, name, address)

        work = (prove, prove_too, claim, confirm, confirm_too, join)
        concurrently([attempt(stores, each) for each in work])
        with stores.transaction() as store:
            mine = select(EmailAddress).where(EmailAddress.address_key == address)
            owners = [row for row in store.session.scalars(mine) if row.verified or row.primary]
            waiting = store.session.scalars(select(Account).where(Account.pending_email_key == address)).all()
            assert (len(owners), waiting) == (1, [])


def test_an_invited_account_against_one_who_claims_its_address(
    stores: Process, register: Callable[..., Person], outbox: Outbox
) -> None:
    inviter = register("inviter", invite_ct=100)
    for number in range(ROUNDS):
        address = f"invited{number}@example.com"
        claimer = register(f"claimer{number}").id
        with stores.transaction() as store:
            addresses.add(store, claimer, address)
            invitations.invite(store, inviter.id, address)
        code = outbox.code_to(address)

        def activate(store: Store, address: str = address, code: str = code) -> None:
            recovery.reset(store, address, code, "a good long one")

        def ask(store: Store, account_id: int = claimer, address: str = address) -> None:
            addresses.change(store, account_id, address, verify=True, make_primary=False, trusted=False)

        assert concurrently([attempt(stores, activate), attempt(stores, ask)])[0]
