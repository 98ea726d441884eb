"""A bulk act is done in parts: others write in between, and what is interrupted leaves whole parts."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Event as Signal
from threading import Thread
from time import monotonic
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, insert, select

from accountsapp import handlers
from accountsapp.db.sqlite import WriteTurns
from accountsapp.domain import sealed_jobs
from accountsapp.domain.accounts import administration
from accountsapp.domain.activity.community import fold_changes
from accountsapp.domain.clock import now
from accountsapp.domain.data import removing
from accountsapp.domain.data.api_key_models import ApiKey, EndedApiKey
from accountsapp.domain.data.jwt_models import UsedJwt
from accountsapp.domain.data.models import Account, AuditEvent, EmailAddress, Job, Link, SignInSession
from accountsapp.domain.data.oauth_models import AccessToken, OAuthGrant
from accountsapp.domain.data.registration_models import PendingRegistration
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.transfer import importing, lines
from accountsapp.process import Process
from accountsapp.testing.people import Person
from accountsapp.worker import Worker
from tests.support.bookie import Bookie

LONGEST_WAY = 30.0
"""Seconds until a thread is where it waits, whatever else the machine does."""
LONG_AGO = timedelta(days=500)


def stale_accounts(stores: Process, number: int) -> None:
    names = [f"stale{index}" for index in range(number)]
    account = {"state": "pending", "signup": now() - LONG_AGO, "version": 1}
    with stores.database.write_engine.begin() as connection:
        rows = [{**account, "username": name, "username_key": name} for name in names]
        connection.execute(insert(Account.__table__), rows)
        ids = connection.execute(select(Account.id).where(Account.state == "pending")).scalars()
        emails = [
            {"account_id": number, "address": address, "address_key": address, "is_primary": True}
            for number in ids
            for address in (f"a{number}@example.com",)
        ]
        connection.execute(insert(EmailAddress.__table__), emails)


def count(stores: Process, table: Any) -> int:
    with stores.database.read_engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


class Another:
    """Somebody who writes as soon as a bulk act has begun, and notes when it was done."""

    def __init__(self, stores: Process, account_id: int) -> None:
        self.parts: list[str] = []
        self.turns: set[WriteTurns] = set()
        self._stores = stores
        self._account_id = account_id
        self._begun = Signal()
        self._thread = Thread(target=self._write)

    def note(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, each of whose calls begins a part."""

        def noted(*args: Any, **options: Any) -> Any:
            result = function(*args, **options)
            self.parts.append("part")
            if not self._begun.is_set():
                self._begun.set()
                self._thread.start()
                self._wait_at_the_door()
            return result

        return noted

    def _wait_at_the_door(self) -> None:
        """Until it waits for its turn, or has written where it need not wait (PostgreSQL)."""
        give_up = monotonic() + LONGEST_WAY
        while self._thread.is_alive() and not any(turns._queue for turns in self.turns):
            assert monotonic() < give_up
            self._thread.join(0.005)

    def _write(self) -> None:
        with self._stores.database.begin() as session:
            session.add(AuditEvent(event="another", account_id=self._account_id))
        self.parts.append("another")

    def came_in_between(self) -> bool:
        self._thread.join()
        return "another" in self.parts[:-1]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has time for several, whatever else the machine does."""
    monkeypatch.setattr(administration, "ACCOUNTS_AT_ONCE", 20)
    monkeypatch.setattr(lines, "RECORDS_AT_ONCE", 20)
    monkeypatch.setattr(sealed_jobs, "JOBS_AT_ONCE", 10)
    monkeypatch.setattr(removing, "ROWS_AT_ONCE", 10)


@pytest.fixture
def another(stores: Process, alice: Person, monkeypatch: pytest.MonkeyPatch) -> Another:
    another = Another(stores, alice.id)
    take_turn = WriteTurns.take

    def take(turns: WriteTurns, timeout: float) -> bool:
        another.turns.add(turns)
        return take_turn(turns, timeout)

    monkeypatch.setattr(WriteTurns, "take", take)
    return another


def test_removal_of_stale_accounts(
    bookie: Bookie, admin: Person, stores: Process, another: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale_accounts(stores, 5 * administration.ACCOUNTS_AT_ONCE // 2)
    monkeypatch.setattr(administration, "LONGEST_REMOVAL", 60.0)
    monkeypatch.setattr(administration, "delete_stale_part", another.note(administration.delete_stale_part))
    answer = bookie("DELETE", "/a/nonactivated", form={"api_key": admin.api_key})
    assert answer.json["status"] is True
    assert count(stores, Account) == 2
    assert another.came_in_between()
    assert another.parts.count("part") == 3


def test_what_a_request_has_no_time_for_is_left_to_a_job(
    bookie: Bookie, admin: Person, stores: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale_accounts(stores, 3 * administration.ACCOUNTS_AT_ONCE)
    monkeypatch.setattr(administration, "LONGEST_REMOVAL", -1)
    bookie("DELETE", "/a/nonactivated", form={"api_key": admin.api_key})
    assert count(stores, Account) == 1 + 2 * administration.ACCOUNTS_AT_ONCE
    Worker(stores).run_until_empty()
    assert count(stores, Account) == 1
    with stores.database.read_engine.connect() as connection:
        actors = connection.execute(
            select(AuditEvent.actor_id).where(AuditEvent.event == "deleted")
        ).scalars()
        assert set(actors) == {admin.id}


@pytest.mark.parametrize("lost", [{"state": "deactivated"}, {"is_admin": False}])
def test_a_job_of_an_administrator_who_is_none_any_more_deletes_nothing(
    bookie: Bookie, admin: Person, stores: Process, monkeypatch: pytest.MonkeyPatch, lost: dict[str, Any]
) -> None:
    stale_accounts(stores, 2 * administration.ACCOUNTS_AT_ONCE)
    monkeypatch.setattr(administration, "LONGEST_REMOVAL", -1)
    bookie("DELETE", "/a/nonactivated", form={"api_key": admin.api_key})
    with stores.transaction() as store:
        account = store.lock(admin.id)
        for name, value in lost.items():
            setattr(account, name, value)
    Worker(stores).run_until_empty()
    assert count(stores, Account) == 1 + administration.ACCOUNTS_AT_ONCE


def test_import(stores: Process, another: Another, monkeypatch: pytest.MonkeyPatch) -> None:
    write = importing.BatchWriter.write

    def noted(self: Any, *args: Any) -> Any:
        return another.note(partial(write, self))(*args)

    monkeypatch.setattr(importing.BatchWriter, "write", noted)
    records = [json.dumps({"username": f"u{n}", "email": f"u{n}@example.com"}).encode() for n in range(90)]
    importer = importing.Importer(
        stores.database.write, stores.keyring, stores.passwords, lambda line, text: None, most_keys=20
    )
    assert [counts.failed for counts in importer.run(enumerate(records, 1))][-1] == 0
    assert another.came_in_between()
    assert count(stores, Account) == 91


def test_rotation(stores: Process, another: Another, alice: Person) -> None:
    new = Keyring(("n" * 40, *stores.settings.secrets))
    with stores.database.begin() as session:
        for _ in range(35):
            notices.queue(
                session, stores.keyring, Notice.API_KEY_RESET, to="a@e.com", account=None, username="a"
            )

    @contextmanager
    def begin() -> Iterator[Any]:
        with stores.database.begin() as session:
            yield session
            another.note(lambda: None)()

    assert notices.reseal(begin, new) == 35
    assert another.came_in_between()
    assert notices.reseal(stores.database.begin, new) == 0


def old_rows(stores: Process, account_id: int, number: int) -> dict[Any, int]:
    """Rows of every kind that is cleared: ``number`` old ones and a young one."""
    moment = now()
    old, life = moment - LONG_AGO, timedelta(days=9)
    with stores.database.begin() as session:
        for index in range(number + 1):
            at = old if index < number else moment
            digest = str(index).encode()
            key = {"account_id": account_id, "digest": digest, "sealed": "x", "secret_id": "x"}
            of = {"account_id": account_id, "credential_epoch": 0}
            grant = OAuthGrant(**of, scope="profile_read")
            session.add_all(
                [
                    AuditEvent(event="signed in", at=at),
                    SignInSession(digest=digest, created=at, last_used=at, **of),
                    Link(
                        digest=digest,
                        purpose="reset",
                        address="a",
                        address_key="a",
                        created=at,
                        expires=at + life,
                        **of,
                    ),
                    Job(name="x", state="done", run_at=at, finished=at, max_attempts=1),
                    UsedJwt(digest=digest, used_by="x", expires=at + life),
                    PendingRegistration(
                        digest=digest,
                        username=f"p{index}",
                        username_key=f"p{index}",
                        address=f"p{index}@example.com",
                        address_key=f"p{index}@example.com",
                        password_hash="x",
                        columns={},
                        created=at,
                        expires=at + life,
                    ),
                    grant,
                    EndedApiKey(**key, ended=at),
                    ApiKey(
                        **key,
                        public_id=f"key{index}",
                        name=f"key {index}",
                        created=at,
                        expires=at + life,
                        remind_at=at + life / 2,
                    ),
                ]
            )
            session.flush()
            session.add(
                AccessToken(
                    digest=digest,
                    grant_id=grant.id,
                    scope="profile_read",
                    created=at,
                    expires=at + life,
                    **of,
                )
            )
    tables = (SignInSession, Link, Job, UsedJwt, PendingRegistration, OAuthGrant, AccessToken)
    # Who had a named key was to be reminded; one that is removed is remembered until the next clearing.
    return dict.fromkeys(tables, 1) | {ApiKey: 2, EndedApiKey: 1 + number, Job: 1 + number}


def test_clearing(stores: Process, another: Another, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    left = old_rows(stores, alice.id, 35)
    clearings = [another.note(clear) for clear in handlers.CLEARINGS]
    monkeypatch.setattr(handlers, "CLEARINGS", clearings)
    Worker(stores).run_until_empty()
    assert {table: count(stores, table) for table in left} == left
    with stores.database.read_engine.connect() as connection:
        oldest = connection.execute(select(func.min(AuditEvent.at))).scalar_one()
    assert oldest > now() - timedelta(days=1)
    assert another.came_in_between()
    assert another.parts.index("another") < 4


def test_a_clearing_removes_no_more_at_once(stores: Process, alice: Person) -> None:
    old_rows(stores, alice.id, 35)
    clearings = [clear for clear in handlers.CLEARINGS if clear is not fold_changes]  # it removes nothing old
    for clear in clearings:
        removed = []
        while not removed or removed[-1]:
            with stores.database.begin() as session:
                removed.append(clear(session))
        assert max(removed) <= 20, clear.__module__
        assert len(removed) > 4, clear.__module__
    with time_machine.travel(now() + LONG_AGO), stores.database.begin() as session:
        assert all(clear(session) for clear in clearings)
