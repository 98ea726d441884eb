"""The worker: takes due jobs, one at a time, and gives each to the handler of its name (``handlers.py``).

Any number of workers share one database, as threads of the servers (``accountsapp.jobs = embedded``) or as
processes (``accountsapp jobs run``). A worker that dies loses nothing: its lease runs out and another one
takes the job.
"""

import atexit
import logging
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from pyramid.events import ApplicationCreated
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from accountsapp.domain import jobs
from accountsapp.domain.job_handlers import Handler
from accountsapp.domain.jobs import JobError, LeasedJob, LeaseLost
from accountsapp.process import Process
from accountsapp.trouble import Trouble
from accountsapp.waiting import Deadline

if TYPE_CHECKING:
    from pyramid.config import Configurator

log = logging.getLogger(__name__)

POLL = 1.0
"""Seconds between two looks for due jobs."""

LEASE = 60.0
"""Seconds after which the job of a dead worker goes to another one."""

DATABASE_PATIENCE = 15.0
"""Seconds that the database has to give, extend or end a lease; after them it counts as away."""

LONGEST_JOB = 3600.0
"""Seconds for which a living worker keeps its lease."""

CLEARING = 3600.0
"""Seconds between two clearings of old jobs."""

PATIENCE = 5.0
"""Seconds that a job in progress gets when the worker is stopped."""


class Worker:
    """One worker; thread-safe.

    :param handlers: job name to handler; None for those of ``handlers.py``
    :param poll: seconds between two looks for due jobs
    :param lease: seconds after which a job is free for others when this worker dies over it
    """

    def __init__(
        self,
        process: Process,
        *,
        handlers: Mapping[str, Handler] | None = None,
        poll: float = POLL,
        lease: float = LEASE,
    ) -> None:
        # With them comes mail: a server that leaves jobs to others has neither.
        from accountsapp.handlers import CLEARINGS, HANDLERS

        self._process = process
        self._database = process.database
        self._handlers = handlers if handlers is not None else HANDLERS
        self._clearings = CLEARINGS
        self._poll = poll
        self._lease = lease
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._next_clearing = 0.0
        self._database_answers = True
        self.done = 0
        """Jobs done so far."""
        self.failures = 0
        """Tries that failed so far."""

    def start(self) -> None:
        """Run in a daemon thread until :meth:`stop`."""
        self._thread = threading.Thread(target=self.run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self, patience: float = PATIENCE) -> bool:
        """Take no more jobs, and wait for the one in progress.

        :param patience: for that many seconds
        :returns: whether the worker has ended; if not, its lease will run out once the process is gone
        """
        self._stop.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(patience)
        return not self._thread.is_alive()

    def wake(self) -> None:
        """Look for due jobs at once; a hint that may be lost, since the worker also polls."""
        self._wake.set()

    def run_until_empty(self) -> None:
        """Work off what is due, then return.

        :raises SQLAlchemyError: the database does not answer
        """
        while (job := self._next()) is not None:
            self._do(job)

    def run(self) -> None:
        """Work until :meth:`stop`. A database that is away is waited for."""
        while not self._stop.is_set():
            try:
                job = self._next()
                self._note_database(answers=True)
            except SQLAlchemyError as error:
                job = None
                self._note_database(answers=False, error=error)
            if job is None:
                self._wake.wait(self._poll)
                self._wake.clear()
            else:
                self._do(job)

    def _next(self) -> LeasedJob | None:
        self._clear_now_and_then()
        with Deadline(DATABASE_PATIENCE):
            with self._database.read_engine.connect() as connection:
                if not jobs.is_due(connection):
                    return None
            with self._database.begin() as session:
                return jobs.lease(session, self._lease)

    def _clear_now_and_then(self) -> None:
        if monotonic() < self._next_clearing:
            return
        # Before the attempt: a clearing that fails must not keep the jobs waiting for ever.
        self._next_clearing = monotonic() + CLEARING
        with self._database.begin() as session:
            given_up = jobs.give_up_deadly(session)
        if given_up:
            log.error("%d jobs were given up: their worker died over them every time", given_up)
        for clear in (jobs.clear_old, *self._clearings):
            while not self._stop.is_set():
                with self._database.begin() as session:
                    if not clear(session):
                        break

    def _do(self, job: LeasedJob) -> None:
        try:
            with self._keeping(job):
                self._handle(job)
        except LeaseLost:
            log.warning("job %d (%s) went to another worker", job.id, job.name)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the worker goes on
            self.failures += 1
            self._fail(job, error)
        else:
            self.done += 1

    def _handle(self, job: LeasedJob) -> None:
        handler = self._handler(job.name)
        with self._process.transaction() as store:
            handler(store, job)
            if store.is_writing:
                jobs.finish(store.session, job)
                return
        self._finish(job)

    def _handler(self, name: str) -> Handler:
        try:
            return self._handlers[name]
        except KeyError:
            raise JobError("this version has no handler for it") from None

    def _finish(self, job: LeasedJob) -> None:
        # The outside work is done and must not be done again because the database is away for a moment.
        while True:
            try:
                with Deadline(DATABASE_PATIENCE), self._database.begin() as session:
                    jobs.finish(session, job)
            except SQLAlchemyError as error:
                self._note_database(answers=False, error=error)
                if self._stop.wait(self._poll):
                    raise
            else:
                return

    def _fail(self, job: LeasedJob, error: Exception) -> None:
        tries = error.tries if isinstance(error, JobError) else None
        try:
            with Deadline(DATABASE_PATIENCE), self._database.begin() as session:
                again = jobs.fail(session, job, _describe(error), tries=tries)
        except (LeaseLost, SQLAlchemyError) as obstacle:
            log.warning("job %d (%s) failed, unnoted: %s", job.id, job.name, type(obstacle).__name__)
            return
        log.log(
            logging.WARNING if again else logging.ERROR,
            "job %d (%s) failed%s: %s%s",
            job.id,
            job.name,
            "" if again else " for good",
            _describe(error),
            "" if isinstance(error, JobError) else _where(error),
        )

    @contextmanager
    def _keeping(self, job: LeasedJob) -> Iterator[None]:
        """Extends the lease while the block runs."""
        over = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(job, over), name=f"job {job.id}", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    def _keep(self, job: LeasedJob, over: threading.Event) -> None:
        until = monotonic() + LONGEST_JOB
        name = f"job {job.id} ({job.name})"
        trouble = Trouble(log, name, f"{name}: lease extended again")
        while not over.wait(self._lease / 3) and monotonic() < until:
            try:
                with Deadline(DATABASE_PATIENCE), self._database.begin() as session:
                    jobs.extend(session, job, self._lease)
            except LeaseLost:
                return
            except SQLAlchemyError as error:
                trouble.met(f"lease not extended: {type(error).__name__}")
            else:
                trouble.over()

    def _note_database(self, *, answers: bool, error: Exception | None = None) -> None:
        if answers == self._database_answers:
            return
        self._database_answers = answers
        if answers:
            log.info("the database answers again")
        else:
            log.warning("the database does not answer, waiting for it: %s", type(error).__name__)


def _describe(error: Exception) -> str:
    # The words of other exceptions may hold anything, addresses and keys included.
    return str(error) if isinstance(error, JobError) else type(error).__name__


def _where(error: Exception) -> str:
    return "\n" + "".join(traceback.format_tb(error.__traceback__)).rstrip()


def start_embedded(process: Process, *, poll: float = POLL) -> Worker:
    """Start a worker in a thread of this process.

    It is woken by the commits of sessions that queued a job, and stopped at the interpreter's exit, which
    SIGTERM also brings about unless the process has said otherwise.
    """
    worker = Worker(process, poll=poll)

    def wake(session: Session) -> None:
        if session.info.pop(jobs.ENQUEUED, False):
            worker.wake()

    for factory in (process.database.sessions, process.database.request_sessions):
        event.listen(factory, "after_commit", wake)
    atexit.register(worker.stop)
    _exit_on_sigterm()
    worker.start()
    return worker


def _exit_on_sigterm() -> None:
    """By itself SIGTERM cuts a process off; waitress answers what it has begun when the loop is left."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))


def includeme(config: "Configurator") -> None:
    """With ``accountsapp.jobs = embedded``, a worker starts when the application is made.

    With or without it, SIGTERM ends the server process in good order.
    """
    _exit_on_sigterm()
    registry = config.registry
    if registry.app_settings.jobs == "embedded":

        def start(_event: ApplicationCreated) -> None:
            registry.worker = start_embedded(registry.process)

        config.add_subscriber(start, ApplicationCreated)
