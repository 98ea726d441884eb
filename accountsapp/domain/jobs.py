"""Jobs: what is done after the reply, as rows of the transaction that wants it done.

A job is done at least once. A worker leases it, works, and finishes it in the same transaction as what
it writes; both name the lease's token, so a worker whose lease ran out and went to somebody else can
finish nothing. Times are those of the one clock that all workers share: the database's on PostgreSQL,
the machine's on SQLite. That one may have been ahead and been put back: a wait that begins in the future, or
a lease that ends later than any can, is over. Nothing here commits.
"""

import random
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Job, JobState
from accountsapp.domain.data.removing import remove_some
from accountsapp.domain.errors import DomainError

DELAYS = (5, 30, 120, 600, 3600, 4 * 3600, 8 * 3600)
"""Seconds before the second, third, … try; the last one repeats. Up to a quarter is added by chance."""

TRIES = len(DELAYS) + 1
"""How often a job is tried by default: eight times in more than 13 hours."""

MOST_STARTS = 50
"""A job that was begun so often without an end kills its workers and is not begun again."""

LONGEST_LEASE = 3600.0
"""Seconds for which a job can be leased at once."""

KEPT_DONE = timedelta(days=1)
KEPT_FAILED = timedelta(days=30)

ENQUEUED = "accountsapp.jobs_enqueued"
"""Set in ``Session.info`` when the session has queued a job, for who wants to know after the commit."""

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_QUEUED = text("state = 'queued'")  # as the index says it: PostgreSQL takes no parameter for that


class LeaseLost(Exception):
    """The lease ran out and another worker has the job, or has done it: nothing may be written for it."""


class JobError(Exception):
    """A job failed for a known reason.

    :param text: one line without secrets; it goes into the row and the log
    :param tries: where trying on has little hope: give up after so many failures of which that is true
    """

    def __init__(self, text: str, *, tries: int | None = None) -> None:
        super().__init__(text)
        self.tries = tries


class JobNotFound(DomainError):
    """No such job, or not one that can be tried again: it is done, or being worked on."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"There is no failed or waiting job {job_id}.")


class JobQueuedAlready(DomainError):
    """The same thing has been queued anew since the job failed."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"What job {job_id} was to do is queued again already.")


@dataclass(frozen=True)
class LeasedJob:
    """A job that one worker has for a while."""

    id: int
    name: str
    payload: dict[str, Any]
    account_id: int | None
    attempts: int
    """How often it failed before."""
    refusals: int
    """How often with little hope."""
    max_attempts: int
    created: datetime
    token: str
    """Names this lease."""


def enqueue(
    session: Session,
    name: str,
    payload: dict[str, Any],
    *,
    account_id: int | None = None,
    unique_key: str | None = None,
    run_at: datetime | None = None,
    delay: timedelta = timedelta(),
    max_attempts: int = TRIES,
) -> Job:
    """Queue a job in the session's transaction.

    :param name: which handler does it
    :param payload: for JSON; secrets in it are sealed
    :param unique_key: the same key is queued once: while a job that has it waits or is being worked on,
        nothing is added
    :param run_at: not before; aware
    :param delay: where no ``run_at`` is named, from now, by the clock of jobs
    :param max_attempts: failures after which it is given up
    :returns: the new job, or the one that was queued under ``unique_key``
    """
    moment = _moment(_dialect(session))
    insert = _INSERTS[_dialect(session).name](Job).values(
        name=name,
        payload=payload,
        account_id=account_id,
        unique_key=unique_key,
        run_at=run_at if run_at is not None else _moment(_dialect(session), delay.total_seconds()),
        reckoned_from=moment if run_at is None else None,
        max_attempts=max_attempts,
    )
    insert = insert.on_conflict_do_nothing(index_elements=[Job.unique_key], index_where=_QUEUED)
    queued = select(Job).where(Job.unique_key == unique_key, Job.state == JobState.QUEUED)
    session.info[ENQUEUED] = True
    while True:
        job: Job | None = session.scalar(insert.returning(Job)) or session.scalar(queued)
        if job is not None:
            return job


def is_queued(session: Session, unique_key: str) -> bool:
    """Whether a job that has the key waits or is being worked on."""
    return bool(session.scalar(select(exists().where(Job.unique_key == unique_key, _QUEUED))))


def take_back(session: Session, job_id: int) -> bool:
    """Have a queued job not done after all, if the session's transaction is committed.

    :returns: False if a worker has it, or it was done or given up
    """
    queued = delete(Job).where(Job.id == job_id, Job.state == JobState.QUEUED, ~is_leased(_dialect(session)))
    queued = queued.execution_options(synchronize_session=False)
    return session.scalar(queued.returning(Job.id)) is not None


def is_due(connection: Connection) -> bool:
    """Whether there is something to lease; takes no lock."""
    return bool(connection.scalar(select(exists().where(*_due(connection.dialect)))))


def lease(session: Session, seconds: float) -> LeasedJob | None:
    """Take the job that has been due longest and that nobody has; None when there is none.

    The transaction should end at once: it is what makes the job this worker's.

    :param seconds: after which the job is free again for other workers; :data:`LONGEST_LEASE` at most
    """
    dialect = _dialect(session)
    oldest = (
        select(Job.id)
        .where(*_due(dialect))
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    claim = (
        update(Job)
        .where(Job.id == oldest)
        .values(
            starts=Job.starts + 1,
            leased_until=_moment(dialect, seconds),
            lease_token=secrets.token_hex(16),
        )
        .returning(
            Job.id,
            Job.name,
            Job.payload,
            Job.account_id,
            Job.attempts,
            Job.refusals,
            Job.max_attempts,
            Job.created,
            Job.lease_token,
        )
        .execution_options(synchronize_session=False)
    )
    row = session.execute(claim).one_or_none()
    return None if row is None else LeasedJob(*row)


def extend(session: Session, job: LeasedJob, seconds: float) -> None:
    """Keep a leased job for that many seconds from now.

    :raises LeaseLost: it is not this worker's any more
    """
    _change(session, job, leased_until=_moment(_dialect(session), seconds))


def finish(session: Session, job: LeasedJob) -> None:
    """Note a leased job as done, in the transaction that has what was done; its payload is emptied.

    :raises LeaseLost: it is not this worker's any more; the transaction must be rolled back
    """
    _change(
        session,
        job,
        state=JobState.DONE,
        payload={},
        last_error=None,
        finished=_moment(_dialect(session)),
        leased_until=None,
        lease_token=None,
    )


def fail(session: Session, job: LeasedJob, error: str, *, tries: int | None = None) -> bool:
    """Note that a leased job failed; it waits for its next try, or is given up.

    :param error: one line without secrets
    :param tries: of :class:`JobError`; the failures without it do not count towards them
    :returns: whether it will be tried again
    :raises LeaseLost: it is not this worker's any more
    """
    failures = job.attempts + 1
    refusals = job.refusals + (tries is not None)
    given_up = failures >= job.max_attempts or (tries is not None and refusals >= tries)
    _change(
        session,
        job,
        attempts=failures,
        refusals=refusals,
        last_error=error,
        state=JobState.FAILED if given_up else JobState.QUEUED,
        finished=_moment(_dialect(session)) if given_up else None,
        run_at=_moment(_dialect(session), delay_after(failures)),
        reckoned_from=_moment(_dialect(session)),
        leased_until=None,
        lease_token=None,
    )
    return not given_up


def delay_after(failures: int) -> float:
    """Seconds to wait after the first, second, … failure, with jitter so that a herd spreads."""
    return DELAYS[min(failures, len(DELAYS)) - 1] * random.uniform(1, 1.25)  # noqa: S311


def retry(session: Session, job_id: int) -> None:
    """Have a failed job tried again with all its tries, or a waiting one at once.

    :raises JobNotFound: no such job, or it is done or being worked on
    :raises JobQueuedAlready: another job with its unique key is queued
    """
    dialect = _dialect(session)
    again = (
        update(Job)
        .where(Job.id == job_id, Job.state.in_((JobState.QUEUED, JobState.FAILED)), ~is_leased(dialect))
        .values(
            state=JobState.QUEUED,
            attempts=0,
            refusals=0,
            starts=0,
            finished=None,
            run_at=_moment(dialect),
            reckoned_from=_moment(dialect),
        )
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    try:
        changed = session.scalar(again)
    except IntegrityError as error:
        raise JobQueuedAlready(job_id) from error
    if changed is None:
        raise JobNotFound(job_id)
    session.info[ENQUEUED] = True


def give_up_deadly(session: Session) -> int:
    """Fail the jobs that were begun :data:`MOST_STARTS` times and never ended.

    :returns: how many
    """
    moment = _moment(_dialect(session))
    given_up = (
        update(Job)
        .where(Job.state == JobState.QUEUED, Job.starts >= MOST_STARTS, ~is_leased(_dialect(session)))
        .values(
            state=JobState.FAILED,
            finished=moment,
            last_error="its worker died over it every time",
            leased_until=None,
            lease_token=None,
        )
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.scalars(given_up).all())


def clear_old(session: Session, done: timedelta = KEPT_DONE, failed: timedelta = KEPT_FAILED) -> int:
    """Delete some jobs that were done or given up longer ago than that (:func:`remove_some`).

    :returns: how many
    """
    dialect = _dialect(session)
    over = [
        (Job.state == state) & (Job.finished < _moment(dialect, -life.total_seconds()))
        for state, life in ((JobState.DONE, done), (JobState.FAILED, failed))
    ]
    return remove_some(session, Job, or_(*over))


def _change(session: Session, job: LeasedJob, **values: Any) -> None:
    mine = update(Job).where(Job.id == job.id, Job.lease_token == job.token)
    mine = mine.values(values).returning(Job.id).execution_options(synchronize_session=False)
    if session.scalar(mine) is None:
        raise LeaseLost


def _due(dialect: Dialect) -> tuple[Any, ...]:
    moment = _moment(dialect)
    return (
        Job.state == JobState.QUEUED,
        or_(Job.run_at <= moment, Job.reckoned_from > moment),
        ~is_leased(dialect),
        Job.starts < MOST_STARTS,
    )


def is_leased(dialect: Dialect) -> ColumnElement[bool]:
    """Whether a worker has the job."""
    living = Job.leased_until.between(_moment(dialect), _moment(dialect, LONGEST_LEASE))
    return and_(Job.leased_until.is_not(None), living)


def _moment(dialect: Dialect, seconds: float = 0) -> Any:
    moment: Any = now()
    if dialect.name == "postgresql":
        moment = func.statement_timestamp(type_=DateTime(timezone=True))
    return moment + timedelta(seconds=seconds)


def _dialect(session: Session) -> Dialect:
    return session.get_bind().dialect
