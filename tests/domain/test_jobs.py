"""Jobs as rows: queued, leased, fenced, tried again, cleared."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
import transaction
from sqlalchemy import Connection, delete, func, select, update

from accountsapp.db.database import Database
from accountsapp.domain import job_lists, jobs
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, Job, JobState
from accountsapp.domain.jobs import JobNotFound, JobQueuedAlready, LeasedJob, LeaseLost

LEASE = 60


def enqueue(database: Database, name: str = "noop", **options: Any) -> int:
    with database.begin() as session:
        return jobs.enqueue(session, name, options.pop("payload", {"n": 1}), **options).id


def lease(database: Database, seconds: float = LEASE) -> LeasedJob | None:
    with database.begin() as session:
        return jobs.lease(session, seconds)


def leased(database: Database, seconds: float = LEASE) -> LeasedJob:
    job = lease(database, seconds)
    assert job is not None
    return job


def due_count(connection: Connection) -> int:
    """How many jobs could be leased now."""
    query = select(func.count()).select_from(Job).where(*jobs._due(connection.dialect))
    return connection.scalar(query) or 0


def change(database: Database, job_id: int, **values: Any) -> None:
    with database.begin() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))


def row(database: Database, job_id: int) -> Job:
    with database.sessions() as session:
        job = session.get(Job, job_id)
        assert job is not None
        return job


def rows(database: Database) -> list[Job]:
    with database.sessions() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def finish(database: Database, job: LeasedJob) -> None:
    with database.begin() as session:
        jobs.finish(session, job)


def fail(database: Database, job: LeasedJob, **options: Any) -> bool:
    with database.begin() as session:
        return jobs.fail(session, job, "did not work", **options)


def test_a_job_belongs_to_its_transaction(database: Database) -> None:
    with database.sessions() as session:
        jobs.enqueue(session, "noop", {})
        session.rollback()
    assert rows(database) == []
    enqueue(database)
    assert [job.name for job in rows(database)] == ["noop"]


def test_a_job_alone_is_committed_with_the_request(database: Database) -> None:
    with transaction.manager:
        jobs.enqueue(database.request_sessions(), "noop", {})
    assert len(rows(database)) == 1


def test_a_unique_key_is_queued_once(database: Database) -> None:
    first = enqueue(database, unique_key="purge:7", payload={"first": True})
    assert enqueue(database, unique_key="purge:7", payload={"first": False}) == first
    assert enqueue(database, unique_key="purge:8") != first
    assert enqueue(database) != enqueue(database)
    job = leased(database)
    assert (job.id, job.payload) == (first, {"first": True})
    assert enqueue(database, unique_key="purge:7") == first, "while it is worked on"
    finish(database, job)
    assert enqueue(database, unique_key="purge:7") != first


def test_a_unique_key_is_queued_once_by_many_at_once(database: Database) -> None:
    def queue(_number: int) -> int:
        return enqueue(database, unique_key="one")

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(queue, range(40)))
    assert len(ids) == 1
    assert len(rows(database)) == 1


def test_a_unique_key_conflict_leaves_the_transaction_whole(database: Database) -> None:
    enqueue(database, unique_key="one")
    with database.begin() as session:
        jobs.enqueue(session, "before", {})
        jobs.enqueue(session, "noop", {}, unique_key="one")
        jobs.enqueue(session, "after", {})
    assert [job.name for job in rows(database)] == ["noop", "before", "after"]


def test_what_is_due_longest_comes_first(database: Database) -> None:
    late = enqueue(database, run_at=now() - timedelta(hours=1))
    early = enqueue(database, run_at=now() - timedelta(hours=2))
    enqueue(database, run_at=now() + timedelta(hours=1))
    with database.read_engine.connect() as connection:
        assert due_count(connection) == 2
        assert jobs.is_due(connection)
    assert [leased(database).id, leased(database).id] == [early, late]
    assert lease(database) is None
    with database.read_engine.connect() as connection:
        assert due_count(connection) == 0
        assert not jobs.is_due(connection)


def test_a_leased_job_holds_what_was_queued(database: Database) -> None:
    payload = {"text": "grüße", "list": [1, None, {"a": 0.5}]}
    job_id = enqueue(database, "greet", payload=payload, max_attempts=3)
    job = leased(database)
    assert (job.id, job.name, job.payload) == (job_id, "greet", payload)
    assert (job.account_id, job.attempts, job.max_attempts) == (None, 0, 3)
    assert job.created.tzinfo is not None


def test_nobody_leases_what_another_has(database: Database) -> None:
    ids = [enqueue(database) for _ in range(60)]

    def take_all(_worker: int) -> list[int]:
        taken = []
        while (job := lease(database)) is not None:
            taken.append(job.id)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [job_id for part in pool.map(take_all, range(4)) for job_id in part]
    assert sorted(taken) == ids


@pytest.mark.parametrize("what", [finish, fail, lambda d, j: _extend(d, j)], ids=["finish", "fail", "extend"])
def test_a_lease_that_ran_out_changes_nothing(
    database: Database, what: Callable[[Database, LeasedJob], Any]
) -> None:
    job_id = enqueue(database)
    slow = leased(database, -1)
    quick = leased(database)
    assert (quick.id, row(database, job_id).starts) == (job_id, 2)
    with pytest.raises(LeaseLost):
        what(database, slow)
    finish(database, quick)
    assert row(database, job_id).state == JobState.DONE
    with pytest.raises(LeaseLost):
        what(database, slow)
    with pytest.raises(LeaseLost):
        what(database, quick)


def _extend(database: Database, job: LeasedJob) -> None:
    with database.begin() as session:
        jobs.extend(session, job, LEASE)


def test_an_extended_lease_keeps_the_job(database: Database) -> None:
    enqueue(database)
    _extend(database, leased(database, -1))
    assert lease(database) is None


def test_a_clock_that_was_put_back_holds_nothing_up(database: Database) -> None:
    """It was ahead: jobs were queued by it, failed by it, were begun by it. PostgreSQL has its own clock."""
    with time_machine.travel(now() + timedelta(hours=25)):
        failed, begun = enqueue(database), enqueue(database)
        fail(database, leased(database))
        leased(database)
        queued = enqueue(database)
        enqueue(database, run_at=now() + timedelta(hours=1))
    ids = {failed, begun, queued} if database.is_sqlite else {queued}
    with database.read_engine.connect() as connection:
        assert due_count(connection) == len(ids)
    assert {leased(database).id for _ in ids} == ids
    assert lease(database) is None, "what has a time of its own waits for that"


def test_a_job_that_is_done_holds_no_payload(database: Database) -> None:
    job_id = enqueue(database, payload={"sealed": "x"})
    finish(database, leased(database))
    job = row(database, job_id)
    assert (job.state, job.payload, job.lease_token) == (JobState.DONE, {}, None)
    assert job.finished is not None
    assert lease(database) is None


def test_failures_wait_longer_and_longer_and_end(database: Database) -> None:
    job_id = enqueue(database)
    for number, seconds in enumerate(jobs.DELAYS, start=1):
        begun = now()
        assert fail(database, leased(database)) is True
        job = row(database, job_id)
        assert (job.state, job.attempts, job.last_error) == (JobState.QUEUED, number, "did not work")
        assert timedelta(seconds=seconds - 1) < job.run_at - begun < timedelta(seconds=seconds * 1.25 + 60)
        assert lease(database) is None
        change(database, job_id, run_at=now() - timedelta(seconds=5))
    assert fail(database, leased(database)) is False
    job = row(database, job_id)
    assert (job.state, job.attempts) == (JobState.FAILED, jobs.TRIES)
    assert job.payload == {"n": 1}, "kept for the operator's retry"
    assert lease(database) is None


def test_the_tries_last_longer_than_half_a_day() -> None:
    assert sum(jobs.DELAYS) > 12 * 3600
    assert [jobs.delay_after(1) >= 5, jobs.delay_after(99) >= jobs.DELAYS[-1]] == [True, True]


def test_a_hopeless_failure_has_fewer_tries(database: Database) -> None:
    job_id = enqueue(database, max_attempts=5)
    assert fail(database, leased(database), tries=2) is True
    change(database, job_id, run_at=now() - timedelta(seconds=5))
    assert fail(database, leased(database), tries=2) is False
    enqueue(database, max_attempts=1)
    assert fail(database, leased(database), tries=2) is False


def test_other_failures_are_not_hopeless_ones(database: Database) -> None:
    """An outage uses up no tries of who refuses after it."""
    job_id = enqueue(database)
    again = []
    for tries in (None, None, None, 2, None, 2):
        again.append(fail(database, leased(database), tries=tries))
        change(database, job_id, run_at=now() - timedelta(seconds=5))
    assert again == [True, True, True, True, True, False]
    job = row(database, job_id)
    assert (job.state, job.attempts, job.refusals) == (JobState.FAILED, 6, 2)
    with database.begin() as session:
        jobs.retry(session, job_id)
    assert fail(database, leased(database), tries=2) is True, "tried again with all its tries"


def test_retry(database: Database) -> None:
    job_id = enqueue(database, max_attempts=1)
    fail(database, leased(database))
    with database.begin() as session:
        jobs.retry(session, job_id)
    job = row(database, job_id)
    assert (job.state, job.attempts, job.starts, job.finished) == (JobState.QUEUED, 0, 0, None)
    running = leased(database)
    with pytest.raises(JobNotFound), database.begin() as session:
        jobs.retry(session, job_id)
    finish(database, running)
    for gone in (job_id, 999_999):
        with pytest.raises(JobNotFound), database.begin() as session:
            jobs.retry(session, gone)


def test_retry_makes_a_waiting_job_due(database: Database) -> None:
    job_id = enqueue(database, run_at=now() + timedelta(hours=1))
    with database.begin() as session:
        jobs.retry(session, job_id)
    assert leased(database).id == job_id


def test_retry_of_what_is_queued_anew(database: Database) -> None:
    job_id = enqueue(database, unique_key="one", max_attempts=1)
    fail(database, leased(database))
    enqueue(database, unique_key="one")
    with pytest.raises(JobQueuedAlready), database.begin() as session:
        jobs.retry(session, job_id)


@pytest.mark.parametrize("lease", [{}, {"leased_until": None}, {"leased_until": now() + timedelta(days=2)}])
def test_a_job_that_kills_its_workers_is_given_up(database: Database, lease: dict[str, Any]) -> None:
    """Whatever became of its last lease, which may have been given while the clock was wrong."""
    deadly, other = enqueue(database), enqueue(database)
    leased(database, -1)
    change(database, deadly, starts=jobs.MOST_STARTS, run_at=now() - timedelta(hours=1), **lease)
    assert leased(database).id == other
    with database.begin() as session:
        assert jobs.give_up_deadly(session) == 1
        assert jobs.give_up_deadly(session) == 0
    job = row(database, deadly)
    assert (job.state, job.last_error) == (JobState.FAILED, "its worker died over it every time")


def test_old_jobs_are_cleared(database: Database) -> None:
    enqueue(database, run_at=now() + timedelta(days=1))
    kept: list[int] = [1]
    for kept_for in (jobs.KEPT_DONE, jobs.KEPT_FAILED):
        for age in (timedelta(minutes=-5), timedelta(minutes=5)):
            job_id = enqueue(database, max_attempts=1)
            job = leased(database)
            _ = finish(database, job) if kept_for == jobs.KEPT_DONE else fail(database, job)
            change(database, job_id, finished=now() - kept_for - age)
            if age < timedelta(0):
                kept.append(job_id)
    with database.begin() as session:
        assert jobs.clear_old(session) == 2
    assert [job.id for job in rows(database)] == kept


def test_listing(database: Database) -> None:
    for name in ("done", "failed", "running"):
        enqueue(database, name, max_attempts=1)
    finish(database, leased(database))
    fail(database, leased(database))
    leased(database)
    enqueue(database, "queued")
    with database.read_engine.connect() as connection:
        listed = list(job_lists.listing(connection))
    assert [job.state for job in listed] == [job.name for job in listed]
    assert [job.last_error for job in listed] == [None, "did not work", None, None]
    assert "payload" not in job_lists.JobRow._fields


def test_a_job_outlives_its_account(database: Database, alice: Any) -> None:
    job_id = enqueue(database, account_id=alice.id)
    assert row(database, job_id).account_id == alice.id
    with database.begin() as session:
        session.execute(delete(Account).where(Account.id == alice.id))
    assert leased(database).account_id is None
