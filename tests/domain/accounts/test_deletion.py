"""Deletion that was asked for: at once nobody finds the account any more; then a job erases it."""

import json
from collections.abc import Callable
from typing import NamedTuple

import pytest
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain import audit, jobs
from accountsapp.domain.accounts import administration, lifecycle, profile, registration
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import recovery, signin
from accountsapp.domain.data import locking, reads
from accountsapp.domain.data.models import AccountState, JobState
from accountsapp.domain.data.proofs import Actor
from accountsapp.domain.errors import (
    AccountNotFound,
    EmailTaken,
    StaleCredential,
    UsernameTaken,
    WrongPassword,
)
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.transfer.exporting import export_all, export_named
from accountsapp.process import Process
from accountsapp.testing.credentials import hold
from accountsapp.testing.oauth import basic, bearer
from accountsapp.testing.people import PASSWORD, Person
from tests.cli.conftest import Run, ini_file, run  # noqa: F401 fixtures
from tests.support.jobs import all_jobs
from tests.support.outbox import Outbox, outline, text_of


def ask(stores: Process, person: Person, *, actor: Person | None = None) -> None:
    with stores.transaction("203.0.113.9") as store:
        store.actor = Actor(actor.id) if actor is not None else None
        lifecycle.ask_deletion(store, person.id)


def statuses(app: TestApp, calls: list[tuple[str, dict[str, str]]]) -> list[tuple[int, bytes]]:
    answers = [app.get(path, headers=headers, expect_errors=True) for path, headers in calls]
    return [(answer.status_int, answer.body) for answer in answers]


def test_nobody_is_let_in_or_told_of_it(
    app: TestApp, stores: Process, alice: Person, bob: Person, outbox: Outbox
) -> None:
    holder = hold(stores, alice)
    with stores.transaction() as store:
        code = links.make(
            store.session, locking.lock(store.session, alice.id), Purpose.RESET, alice.email, 600
        )
    calls = [
        (f"/api/v1/alice/account?api_key={alice.api_key}", {}),
        (f"/api/v1/alice/account?api_key={bob.api_key}", {}),
        ("/api/v1.1/users/alice/", basic("alice")),
        ("/api/v1.1/users/alice/", bearer(holder.token)),
        ("/sessions", {"Cookie": f"sessionid={holder.cookie}"}),
        (f"/recovery/alice/reset/{code}", {}),
    ]
    assert [answer[0] for answer in statuses(app, calls)] == [200, 403, 200, 200, 200, 200]
    ask(stores, alice, actor=alice)
    at_once = statuses(app, calls)
    assert [answer[0] for answer in at_once] == [403, 403, 401, 401, 200, 404]
    assert b"alice" not in at_once[4][1], "asked to sign in"
    with stores.transaction() as store:
        with pytest.raises(WrongPassword):
            signin.authenticate(store, "alice", PASSWORD)
        assert recovery.find(store, "alice", code) is None
        recovery.ask(store, alice.email)
    assert outline(outbox.take()) == [(alice.email, "accounts.example.org: your account was deleted")]
    erased = statuses(app, calls)
    del at_once[4], erased[4]
    assert erased == at_once, "the same once it is erased"


class AnyColumns(NamedTuple):
    """What lists show here."""

    invite_ct: int


def test_nobody_finds_it(
    stores: Process,
    alice: Person,
    bob: Person,
    database: Database,
    run: Run,  # noqa: F811
) -> None:
    ask(stores, alice)
    with stores.transaction() as store:
        reader, connection = store.reader, store.connection
        assert (
            reader.by_username("ALICE") is reader.by_id(alice.id) is reader.by_api_key(alice.api_key) is None
        )
        assert list(reads.having_address(connection, alice.email)) == []
        assert [row.username for row in reads.listing(connection)] == ["bob"]
        assert list(reads.listing(connection, AccountState.DEACTIVATED)) == []
        with pytest.raises(AccountNotFound):
            profile.read(store, alice.id, AnyColumns)
        every = administration.users(connection, AnyColumns, order="username", limit=9, offset=0)
        assert ([row.username for row in every.rows], every.total) == (["bob"], 1)
        assert administration.inactive(connection, AnyColumns, limit=9, offset=0) == ([], 0)
        assert administration.invites(connection, limit=9, offset=0) == [("bob", 0)]
    names = [record["username"] for record in export_all(database.read_engine)]
    assert (names, list(export_named(database.read_engine, ["alice"]))) == (["bob"], [])
    assert [row["username"] for row in run("accounts", "list", "--json").jsons] == ["bob"]
    for words in ("show", "activate", "delete --yes", "reset-key"):
        group, *options = words.split()
        assert "no such account" in run("accounts", group, "alice", *options, exit_code=1).err


def test_nothing_is_changed_any_more(stores: Process, alice: Person, bob: Person, run: Run) -> None:  # noqa: F811
    ask(stores, alice)
    for actor, refusal in ((None, AccountNotFound), (bob, AccountNotFound), (alice, StaleCredential)):
        for act in (
            lambda store: profile.change(store, alice.id, {"name": "x"}),
            lambda store: lifecycle.activate(store, alice.id),
            lambda store: lifecycle.ask_deletion(store, alice.id),
            lambda store: lifecycle.delete(store, alice.id),
        ):
            with pytest.raises(refusal), stores.transaction() as store:  # noqa: PT012
                store.actor = Actor(actor.id) if actor is not None else None
                act(store)
    record = json.dumps({"username": "alice", "email": "alice@example.com", "name": "x"})
    assert run("accounts", "import", "-", "--update", input=record, exit_code=1).json["failed"] == 1


def test_names_are_free_when_it_is_erased(
    stores: Process, alice: Person, outbox: Outbox, database: Database, register: Callable[..., Person]
) -> None:
    ask(stores, alice)
    for name, email, refusal in (
        ("alice", "new@example.com", UsernameTaken),
        ("new", alice.email, EmailTaken),
    ):
        with pytest.raises(refusal), stores.transaction() as store:
            registration.register(store, name, email, password=PASSWORD)
    outbox.take()
    assert register("alice").id != alice.id
    assert {job.state for job in all_jobs(database)} == {JobState.DONE}


def test_its_owner_is_told_once_and_not_where_nobody_is(
    stores: Process, alice: Person, register: Callable[..., Person], outbox: Outbox, database: Database
) -> None:
    nobody = register("nobody", "nobody@host.INVALID")
    for person in (alice, nobody):
        ask(stores, person)
    (message,) = outbox.take()
    assert message["To"] == alice.email
    assert "your account alice at accounts.example.org was deleted" in text_of(message)
    job = next(job for job in all_jobs(database) if job.name == lifecycle.DELETE_ACCOUNT)
    with stores.transaction() as store:
        for person in (alice, nobody):
            again = {"of": person.id, "actor_id": None, "address": ""}
            jobs.enqueue(store.session, lifecycle.DELETE_ACCOUNT, again)
    assert outbox.take() == []
    assert job.account_id is None


@pytest.mark.parametrize("by", ["owner", "other", "operator"])
def test_who_asked(by: str, stores: Process, alice: Person, bob: Person, outbox: Outbox) -> None:
    ask(stores, alice, actor={"owner": alice, "other": bob}.get(by))
    outbox.take()
    with stores.transaction() as store:
        rows = list(audit.listing(store.connection, since=now().replace(year=2000)))
    (asked,) = [row for row in rows if row.event == Event.DELETION_ASKED]
    (deleted,) = [row for row in rows if row.event == Event.DELETED]
    assert (deleted.about, deleted.actor) == (f"(was {alice.id})", "bob" if by == "other" else None)
    assert deleted.address == ("203.0.113.9" if by == "other" else None)
    assert (asked.account_id, asked.address) == (None, None)


def test_who_asked_may_go_before_it_is_done(
    stores: Process, alice: Person, bob: Person, outbox: Outbox
) -> None:
    ask(stores, alice, actor=bob)
    with stores.transaction() as store:
        lifecycle.delete(store, bob.id)
    assert {message["To"] for message in outbox.take()} == {alice.email, bob.email}
    with stores.transaction() as store:
        rows = list(audit.listing(store.connection, since=now().replace(year=2000)))
        assert list(reads.listing(store.connection)) == []
    deleted = {row.about: (row.actor, row.address) for row in rows if row.event == Event.DELETED}
    assert deleted == {f"(was {person.id})": (None, None) for person in (alice, bob)}


def test_direct_deletion_tells_too_but_not_of_accounts_that_nobody_used(
    stores: Process,
    alice: Person,
    bob: Person,
    outbox: Outbox,
    run: Run,  # noqa: F811
) -> None:
    run("accounts", "delete", "alice", "--yes")
    with stores.transaction() as store:
        lifecycle.delete_untold(store, bob.id)
    assert [message["To"] for message in outbox.take()] == [alice.email]
