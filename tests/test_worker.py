"""The worker: handlers, fences, failures, stopping."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pyramid.config import Configurator
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from accountsapp import worker as worker_module
from accountsapp.db.database import Database
from accountsapp.domain import jobs
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import signin
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import AuditEvent, Job, JobState, Link, SignInSession
from accountsapp.domain.data.oauth_models import AccessToken
from accountsapp.domain.job_handlers import Handler
from accountsapp.domain.jobs import JobError, LeasedJob
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.oauth import tokens
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.domain.store import Store
from accountsapp.handlers import HANDLERS
from accountsapp.process import Process
from accountsapp.settings import Settings
from accountsapp.testing.people import PASSWORD, Person
from accountsapp.worker import Worker, start_embedded
from tests.support.jobs import (
    DEADLINE,
    all_jobs,
    enqueue,
    eventually,
    let_time_pass,
    only_job,
    process_of,
    worker_of,
)

MakeWorker = Callable[..., Worker]


@pytest.fixture
def make_worker(database: Database, settings: Settings, keyring: Keyring) -> Iterator[MakeWorker]:
    """Makes a worker from a handler for jobs named ``x``; it is stopped when the test ends."""
    made: list[Worker] = []

    def make(handler: Handler, **options: Any) -> Worker:
        options = {"poll": 0.01, **options}
        made.append(worker_of(database, settings, keyring, handlers={"x": handler}, **options))
        return made[-1]

    yield make
    for worker in made:
        assert worker.stop(DEADLINE)


def note(store: Store, job: LeasedJob) -> None:
    """A handler that writes one row: a job of the far future, which nobody does."""
    jobs.enqueue(store.session, "effect", {"of": job.id}, run_at=now().replace(year=2999))


def effects(database: Database) -> list[int]:
    return [job.payload["of"] for job in all_jobs(database) if job.name == "effect"]


def test_jobs_that_older_versions_queued_have_a_handler() -> None:
    assert {"send_mail", "recover", "confirm_email"} <= HANDLERS.keys()


def test_jobs_are_done_in_their_order(database: Database, make_worker: MakeWorker) -> None:
    done: list[Any] = []
    for number in range(3):
        enqueue(database, "x", {"number": number})
    make_worker(lambda _store, job: done.append(job.payload["number"])).run_until_empty()
    assert done == [0, 1, 2]
    assert {(job.state, str(job.payload)) for job in all_jobs(database)} == {(JobState.DONE, "{}")}


def test_what_a_handler_writes_and_the_end_of_its_job_are_one(
    database: Database, make_worker: MakeWorker
) -> None:
    def write_then_fail(store: Store, _job: LeasedJob) -> None:
        jobs.enqueue(store.session, "effect", {"of": 0})
        store.session.flush()
        raise ZeroDivisionError

    job_id = enqueue(database, "x")
    make_worker(write_then_fail).run_until_empty()
    assert only_job(database).state == JobState.QUEUED
    let_time_pass(database)
    make_worker(note).run_until_empty()
    assert effects(database) == [job_id]


def test_a_worker_that_lost_its_lease_writes_nothing(
    database: Database, make_worker: MakeWorker, caplog: pytest.LogCaptureFixture
) -> None:
    def slow(store: Store, job: LeasedJob) -> None:
        let_time_pass(database)
        make_worker(note).run_until_empty()
        note(store, job)

    job_id = enqueue(database, "x")
    make_worker(slow).run_until_empty()
    assert effects(database) == [job_id]
    assert "went to another worker" in caplog.text
    done = all_jobs(database)[0]
    assert (done.state, done.starts, done.attempts) == (JobState.DONE, 2, 0)


def test_a_failure_after_the_lease_was_lost_changes_nothing(
    database: Database, make_worker: MakeWorker, caplog: pytest.LogCaptureFixture
) -> None:
    def slow(_store: Store, _job: LeasedJob) -> None:
        let_time_pass(database)
        make_worker(note).run_until_empty()
        raise ZeroDivisionError

    enqueue(database, "x")
    make_worker(slow).run_until_empty()
    assert all_jobs(database)[0].state == JobState.DONE
    assert "failed, unnoted: LeaseLost" in caplog.text


def test_two_workers_never_both_finish_one_job(database: Database, make_worker: MakeWorker) -> None:
    ids = [enqueue(database, "x") for _ in range(40)]
    workers = [make_worker(note) for _ in range(4)]
    for worker in workers:
        worker.start()
    eventually(lambda: len(effects(database)) >= len(ids))
    for worker in workers:
        assert worker.stop(DEADLINE)
    assert sorted(effects(database)) == ids


def test_a_failure_is_noted_and_logged_without_secrets(
    database: Database, make_worker: MakeWorker, caplog: pytest.LogCaptureFixture
) -> None:
    def leak(store: Store, job: LeasedJob) -> None:
        raise ValueError(f"cannot send {job.payload['canary']}")

    enqueue(database, "x", {"canary": "s3cr3t-canary"})
    with caplog.at_level(logging.DEBUG):
        make_worker(leak).run_until_empty()
    job = only_job(database)
    assert (job.state, job.attempts, job.last_error) == (JobState.QUEUED, 1, "ValueError")
    assert "ValueError" in caplog.text
    assert "in leak" in caplog.text
    assert "s3cr3t-canary" not in caplog.text


def test_a_known_failure_says_why(
    database: Database, make_worker: MakeWorker, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_store: Store, _job: LeasedJob) -> None:
        raise JobError("nobody is there", tries=1)

    enqueue(database, "x")
    make_worker(refuse).run_until_empty()
    job = only_job(database)
    assert (job.state, job.last_error) == (JobState.FAILED, "nobody is there")
    assert "failed for good: nobody is there" in caplog.text


def test_a_failed_job_does_not_hold_up_the_others(database: Database, make_worker: MakeWorker) -> None:
    def fail_first(store: Store, job: LeasedJob) -> None:
        if job.payload.get("bad"):
            raise ZeroDivisionError
        note(store, job)

    enqueue(database, "x", {"bad": True})
    second = enqueue(database, "x")
    make_worker(fail_first).run_until_empty()
    assert effects(database) == [second]


def test_a_job_without_handler_waits_for_a_version_that_has_it(
    database: Database, make_worker: MakeWorker
) -> None:
    enqueue(database, "of a newer version")
    make_worker(note).run_until_empty()
    job = only_job(database)
    assert (job.state, job.last_error) == (JobState.QUEUED, "this version has no handler for it")


def test_no_transaction_is_open_while_a_handler_works_outside(
    database: Database, make_worker: MakeWorker
) -> None:
    open_connections = []
    enqueue(database, "x")
    make_worker(
        lambda _store, _job: open_connections.append(database.write_engine.pool.checkedout())
    ).run_until_empty()
    assert open_connections == [0]


def test_a_lease_is_kept_as_long_as_the_work_takes(database: Database, make_worker: MakeWorker) -> None:
    def slow(_store: Store, _job: LeasedJob) -> None:
        first = only_job(database).leased_until
        eventually(lambda: only_job(database).leased_until != first)

    enqueue(database, "x")
    make_worker(slow, lease=0.3).run_until_empty()
    job = only_job(database)
    assert (job.state, job.starts) == (JobState.DONE, 1)


def test_a_lease_that_cannot_be_kept_leaves_the_judgement_to_the_end(
    database: Database,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    over = threading.Event()
    answers = [OperationalError("UPDATE", {}, Exception("away")), jobs.LeaseLost()]

    def refuse(*_args: Any) -> None:
        answer = answers.pop(0)
        if not answers:
            over.set()
        raise answer

    monkeypatch.setattr(jobs, "extend", refuse)
    enqueue(database, "x")
    make_worker(lambda _store, _job: over.wait(DEADLINE), lease=0.03).run_until_empty()
    assert "lease not extended: OperationalError" in caplog.text
    assert only_job(database).state == JobState.DONE


def test_a_worker_can_be_stopped_while_the_database_is_away(
    database: Database, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def away(*_args: Any) -> None:
        tried.set()
        raise OperationalError("UPDATE", {}, Exception("away"))

    monkeypatch.setattr(jobs, "finish", away)
    enqueue(database, "x")
    worker = make_worker(lambda _store, _job: None)
    worker.start()
    assert tried.wait(DEADLINE)
    assert worker.stop(DEADLINE)
    assert only_job(database).state == JobState.QUEUED


def test_the_work_is_not_repeated_because_the_database_was_away_at_its_end(
    database: Database, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    finish = jobs.finish

    def away_at_first(*args: Any) -> None:
        calls.append("finish")
        if len(calls) < 4:
            raise OperationalError("UPDATE", {}, Exception("away"))
        finish(*args)

    monkeypatch.setattr(jobs, "finish", away_at_first)
    enqueue(database, "x")
    make_worker(lambda _store, _job: calls.append("work")).run_until_empty()
    assert calls == ["work", "finish", "finish", "finish"]
    assert only_job(database).state == JobState.DONE


def test_a_database_that_is_away_is_waited_for(
    database: Database,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = []
    is_due = jobs.is_due

    def away_at_first(connection: Any) -> bool:
        tries.append(1)
        if len(tries) < 4:
            raise OperationalError("SELECT", {}, Exception("away"))
        return is_due(connection)

    monkeypatch.setattr(jobs, "is_due", away_at_first)
    enqueue(database, "x")
    with pytest.raises(OperationalError):
        make_worker(note).run_until_empty()
    with caplog.at_level(logging.INFO):
        make_worker(note).start()
        eventually(lambda: effects(database))
    assert caplog.text.count("the database does not answer") == 1
    assert caplog.text.count("the database answers again") == 1


def test_stop_lets_the_job_in_progress_end(database: Database, make_worker: MakeWorker) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(store: Store, job: LeasedJob) -> None:
        begun.set()
        go_on.wait(DEADLINE)
        note(store, job)

    first = enqueue(database, "x")
    enqueue(database, "x")
    worker = make_worker(slow)
    worker.start()
    assert begun.wait(DEADLINE)
    assert worker.stop(0.01) is False
    go_on.set()
    assert worker.stop(DEADLINE) is True
    assert effects(database) == [first]


def test_a_worker_that_never_started_can_be_stopped(make_worker: MakeWorker) -> None:
    assert make_worker(note).stop()


def test_old_jobs_are_cleared_now_and_then(
    database: Database, make_worker: MakeWorker, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue(database, "x", run_at=now())
    with database.begin() as session:
        jobs.lease(session, -1)
        session.execute(update(Job).values(starts=jobs.MOST_STARTS))
    worker = make_worker(note)
    worker.run_until_empty()
    assert only_job(database).state == JobState.FAILED
    assert "1 jobs were given up" in caplog.text
    with database.begin() as session:
        session.execute(update(Job).values(finished=now().replace(year=2000)))
    worker.run_until_empty()
    assert len(all_jobs(database)) == 1, "only once an hour"
    make_worker(note).run_until_empty()
    assert all_jobs(database) == []


def test_what_is_too_old_is_cleared_now_and_then(
    database: Database, make_worker: MakeWorker, stores: Process, alice: Person
) -> None:
    def kept() -> set[type[Any]]:
        with database.begin() as session:
            return {
                table
                for table in (SignInSession, Link, AuditEvent, AccessToken)
                if session.query(table).count()
            }

    with stores.transaction() as store:
        signin.sign_in(store, signin.authenticate(store, "alice", PASSWORD))
        links.make(store.session, lock(store.session, alice.id), Purpose.RESET, alice.email, 60)
        tokens.issue_by_hand(store, alice.id, [Scope.PROFILE_READ])
    make_worker(note).run_until_empty()
    assert kept() == {SignInSession, Link, AuditEvent, AccessToken}
    with database.begin() as session:
        long_ago = now() - timedelta(days=500)
        for values in (
            update(SignInSession).values(last_used=long_ago),
            update(Link).values(created=long_ago, expires=long_ago),
            update(AuditEvent).values(at=long_ago),
            update(AccessToken).values(expires=long_ago),
        ):
            session.execute(values)
    make_worker(note).run_until_empty()
    assert kept() == set()


def test_the_embedded_worker_is_woken_by_a_commit(
    database: Database, settings: Settings, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    monkeypatch.setitem(HANDLERS, "x", lambda _store, _job: done.set())
    worker = start_embedded(process_of(database, settings, keyring), poll=10 * DEADLINE)
    try:
        enqueue(database, "x")
        assert done.wait(DEADLINE)
        eventually(lambda: only_job(database).state == JobState.DONE)
    finally:
        assert worker.stop(DEADLINE)


@pytest.mark.parametrize(("setting", "starts"), [("embedded", True), ("external", False)])
def test_the_server_has_a_worker_where_the_setting_says_so(
    settings: Settings, stores: Process, setting: str, starts: bool
) -> None:
    with Configurator() as config:
        config.registry.app_settings = settings.model_copy(update={"jobs": setting})
        config.registry.process = stores
        config.include(worker_module)
        config.make_wsgi_app()
    worker = getattr(config.registry, "worker", None)
    assert (worker is not None) is starts
    assert worker is None or worker.stop(DEADLINE)
