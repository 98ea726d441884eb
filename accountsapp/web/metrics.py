"""The figures of ``/metrics``: those that this process counted, and those that the database has."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from accountsapp.domain import job_lists
from accountsapp.domain.clock import now
from accountsapp.migrations.revision import WrongRevision, check_revision
from accountsapp.waiting import Deadline
from accountsapp.web.reports import REPORTER

if TYPE_CHECKING:
    from accountsapp.db.database import Database

ANSWERS_WITHIN = 2.0
"""Seconds that the database has."""


def figures(database: "Database") -> bytes:
    """All of them, in the text format of Prometheus, also while the database is away."""
    REPORTER.flush()
    return generate_latest() + generate_latest(_of_database(database))


def _of_database(database: "Database") -> CollectorRegistry:
    registry = CollectorRegistry()
    jobs = Gauge(
        "accountsapp_jobs", "Jobs that are not done, by name and state", ["name", "state"], registry=registry
    )
    oldest = Gauge(
        "accountsapp_oldest_job_seconds",
        "For how long the job that is due for longest has been waiting",
        registry=registry,
    )
    up = Gauge("accountsapp_database_up", "Whether the database answers as it should", registry=registry)
    writable = Gauge(
        "accountsapp_writable", "Whether the database took what was last written", registry=registry
    )
    try:
        with Deadline(ANSWERS_WITHIN):
            check_revision(database)
            with database.read_engine.connect() as connection:
                counts = job_lists.counts(connection)
    except (SQLAlchemyError, WrongRevision):
        return registry
    waits = [now() - row.earliest for row in counts if row.state == "queued"]
    oldest.set(max((wait.total_seconds() for wait in waits if wait.total_seconds() > 0), default=0.0))
    for row in counts:
        jobs.labels(row.name, row.state).set(row.jobs)
    up.set(1)
    writable.set(database.writing.cause is None)
    return registry
