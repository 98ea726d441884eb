"""Workers as processes of their own, to be killed.

They are forked from a server process that has imported everything, so that a start takes milliseconds.
"""

import multiprocessing
import time
from multiprocessing.process import BaseProcess
from typing import Any

from accountsapp.db import Database
from accountsapp.domain import jobs
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Job
from accountsapp.domain.keyring import Keyring
from accountsapp.settings import load
from accountsapp.worker import HANDLERS, Work, Worker

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def start_worker(ini: dict[str, str], *, lease: float = 60.0) -> BaseProcess:
    process = _FORKS.Process(target=_work, args=(ini, lease), daemon=True)
    process.start()
    return process


def _work(ini: dict[str, str], lease: float) -> None:
    settings = load(ini, environ={})
    database, keyring = Database(settings.database_url), Keyring(settings.secrets)
    HANDLERS.update(three_steps=three_steps, stuck_outside=stuck_outside, stuck_writing=stuck_writing)
    Worker(database, settings, keyring, poll=0.01, lease=lease).run()


def mark(work: Work, name: str) -> int:
    """Say, outside the job's transaction, how far its handler is; returns how often that was said."""
    with work.database.begin() as session:
        leave(session, work, name)
        return session.query(Job).filter_by(name=name).count()


def leave(session: Any, work: Work, name: str) -> None:
    far = now().replace(year=2999)
    jobs.enqueue(session, name, {"of": work.job.id}, run_at=far)


def three_steps(work: Work) -> None:
    """Outside work, then two rows that belong together."""
    time.sleep(0.005)
    with work.finishing() as session:
        leave(session, work, "first")
        session.flush()
        time.sleep(0.005)
        leave(session, work, "second")


def stuck_outside(work: Work) -> None:
    """Does not come to its end the first time."""
    if mark(work, "begun") == 1:
        time.sleep(600)
    with work.finishing() as session:
        leave(session, work, "first")


def stuck_writing(work: Work) -> None:
    """The same, after it wrote."""
    begun = mark(work, "begun")
    with work.finishing() as session:
        leave(session, work, "first")
        session.flush()
        if begun == 1:
            time.sleep(600)
