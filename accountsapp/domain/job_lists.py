"""The jobs that are kept, for the operator."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, case, func, select

from accountsapp.domain.data.models import Job, JobState
from accountsapp.domain.jobs import is_leased

JOBS_AT_ONCE = 1000
"""Jobs that a list reads at once."""


class JobRow(NamedTuple):
    """What is shown of a job; never its payload."""

    id: int
    name: str
    state: str
    """``queued``, ``running``, ``failed`` or ``done``."""
    account_id: int | None
    attempts: int
    max_attempts: int
    created: datetime
    run_at: datetime
    finished: datetime | None
    last_error: str | None


def listing(connection: Connection) -> Iterator[JobRow]:
    """Every job that is kept, in the order of queueing, read in parts so that any number needs no memory."""
    state = case((is_leased(connection.dialect), "running"), else_=Job.state)
    statement = (
        select(
            Job.id,
            Job.name,
            state,
            Job.account_id,
            Job.attempts,
            Job.max_attempts,
            Job.created,
            Job.run_at,
            Job.finished,
            Job.last_error,
        )
        .order_by(Job.id)
        .limit(JOBS_AT_ONCE)
    )
    last = 0
    while rows := [JobRow(*row) for row in connection.execute(statement.where(Job.id > last))]:
        yield from rows
        last = rows[-1].id


class JobCount(NamedTuple):
    """How many jobs of one name are in one state.

    :ivar state: ``queued``, ``running`` or ``failed``
    :ivar jobs: how many
    :ivar earliest: when the first of them was to be done
    """

    name: str
    state: str
    jobs: int
    earliest: datetime


def counts(connection: Connection) -> list[JobCount]:
    """Of all jobs that are not done."""
    state = case((is_leased(connection.dialect), "running"), else_=Job.state)
    undone = select(Job.name, state.label("state"), Job.run_at).where(Job.state != JobState.DONE).subquery()
    statement = select(undone.c.name, undone.c.state, func.count(), func.min(undone.c.run_at))
    statement = statement.group_by(undone.c.name, undone.c.state)
    return [JobCount(*row) for row in connection.execute(statement)]
