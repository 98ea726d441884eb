"""What several tests of the worker need."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accountsapp.db.database import Database
from accountsapp.domain import jobs
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Job, JobState
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.throttle import Throttle
from accountsapp.process import Process
from accountsapp.settings import Settings
from accountsapp.worker import Worker

DEADLINE = 60.0
"""Seconds after which a test gives up waiting for something that must happen."""


def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until ``condition()`` is true, and return what it gave."""
    give_up = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.01)
    return found


def process_of(database: Database, settings: Settings, keyring: Keyring) -> Process:
    """A process with those settings and keys."""
    process = Process(settings, database, Throttle(enabled=False))
    process.keyring = keyring
    return process


def worker_of(database: Database, settings: Settings, keyring: Keyring, **options: Any) -> Worker:
    """The worker of such a process."""
    return Worker(process_of(database, settings, keyring), **options)


def enqueue(database: Database, name: str, payload: dict[str, Any] | None = None, **options: Any) -> int:
    with database.begin() as session:
        return jobs.enqueue(session, name, payload or {}, **options).id


def all_jobs(database: Database) -> list[Job]:
    with Session(database.read_engine) as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def only_job(database: Database) -> Job:
    (job,) = all_jobs(database)
    return job


def let_time_pass(database: Database) -> None:
    """As if every wait and every lease were over."""
    past = now() - timedelta(minutes=10)
    with database.begin() as session:
        session.execute(update(Job).where(Job.state == JobState.QUEUED).values(run_at=past))
        session.execute(update(Job).where(Job.leased_until.is_not(None)).values(leased_until=past))
