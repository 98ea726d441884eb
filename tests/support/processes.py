"""Workers as processes of their own, to be killed."""

import time
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Any

from accountsapp.db.database import Database
from accountsapp.domain import jobs
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Job
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.store import Store
from accountsapp.domain.throttle import Throttle
from accountsapp.handlers import HANDLERS
from accountsapp.process import Process
from accountsapp.settings import load
from accountsapp.worker import Worker
from tests.support.forks import FORKS
from tests.support.jobs import DEADLINE


def start_worker(ini: dict[str, str], *, lease: float = 60.0) -> BaseProcess:
    """One that is ready to take jobs."""
    ready = FORKS.Event()
    process = FORKS.Process(target=_work, args=(ini, lease, ready), daemon=True)
    process.start()
    assert ready.wait(DEADLINE), "the worker does not start"
    return process


def _work(ini: dict[str, str], lease: float, ready: Event) -> None:
    settings = load(ini, environ={})
    process = Process(settings, Database(settings.database_url), Throttle(enabled=False))
    HANDLERS.update(three_steps=three_steps, stuck_outside=stuck_outside, stuck_writing=stuck_writing)
    ready.set()
    Worker(process, poll=0.01, lease=lease).run()


def mark(store: Store, job: LeasedJob, name: str) -> int:
    """Say, outside the job's transaction, how far its handler is; returns how often that was said."""
    with store.begin() as session:
        leave(session, job, name)
        return session.query(Job).filter_by(name=name).count()


def leave(session: Any, job: LeasedJob, name: str) -> None:
    far = now().replace(year=2999)
    jobs.enqueue(session, name, {"of": job.id}, run_at=far)


def three_steps(store: Store, job: LeasedJob) -> None:
    """Outside work, then two rows that belong together."""
    time.sleep(0.02)
    leave(store.session, job, "first")
    store.session.flush()
    time.sleep(0.02)
    leave(store.session, job, "second")


def stuck_outside(store: Store, job: LeasedJob) -> None:
    """Does not come to its end the first time."""
    if mark(store, job, "begun") == 1:
        time.sleep(600)
    leave(store.session, job, "first")


def stuck_writing(store: Store, job: LeasedJob) -> None:
    """The same, after it wrote."""
    begun = mark(store, job, "begun")
    leave(store.session, job, "first")
    store.session.flush()
    if begun == 1:
        time.sleep(600)
