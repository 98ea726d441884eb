"""The jobs that are kept, for the operator."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, case, select

from accountsapp.domain.data.models import Job
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
