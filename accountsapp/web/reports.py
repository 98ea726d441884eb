"""What is reported of finished requests: an access line each, the metrics, and what else can wait.

Written by a thread of its own, a batch at a time. The same work in the middle of every request costs several
times as much, because there it is cold code.
"""

import atexit
import logging
import re
import traceback
from collections import deque
from collections.abc import Callable
from functools import cache, lru_cache
from math import inf
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any, NamedTuple
from urllib.parse import quote

from prometheus_client import Counter, Histogram

from accountsapp.logs import ACCESS, without_keys

access_log = logging.getLogger(ACCESS)

SECONDS = Histogram("accountsapp_request_seconds", "Time to answer a request", ["method", "status"])
REQUESTS = Counter("accountsapp_requests", "Requests that were answered", ["api", "view", "method", "status"])

PAUSE = 0.1
"""Seconds for which reports are gathered before they are written."""
LATER = 5.0
"""Seconds after which is done what can wait."""
MOST_PENDING = 1000
"""Above this the request that adds one writes them itself."""

FIELDS = ("method", "view", "account", "status", "ms", "path", "client", "request")
"""Of a line, where it is written as JSON."""
LINE = "%s %s account=%s status=%d ms=%.1f path=%s client=%s request=%s"
NOBODY = "-"
"""The account where none was proved."""
LONGEST_PATH = 200
"""Characters of a path in a line; what is cut shows as an ellipsis."""
LONGEST_CLIENT = 45
"""Characters of an IPv6 address."""
CUT = "..."
_PLAIN_SEGMENT = re.compile(r"[\w.~@+{}-]{0,24}", re.ASCII)
"""What a line may have of a path that names nothing: a mailed code or an API key of ours is longer."""
_PLAIN_PATH = re.compile(r"[\w./~-]*", re.ASCII)
"""One in which nothing is to be encoded."""
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Report(NamedTuple):
    """One finished request; of the client's own words it has the path alone.

    :ivar ended: seconds since the epoch
    :ivar method: one of :data:`METHODS`, or ``other``
    :ivar context: the class of the context
    :ivar view_name: ``-`` where there is none of that name
    :ivar account_id: the caller's, if one was proved
    :ivar status: of HTTP
    :ivar seconds: that the answer took
    :ivar path: as WSGI has it, without the query, and without a secret that the tree knows to be in it
    :ivar client: the client's address
    :ivar module: of the context's class
    """

    ended: float
    method: str
    context: str
    view_name: str
    account_id: int | None
    status: int
    seconds: float
    request_id: str
    path: str = ""
    client: str = ""
    module: str = ""


class Reporter:
    """Gathers reports and writes them, in their order, at the latest at the interpreter's exit."""

    def __init__(self) -> None:
        self._pending: deque[Report] = deque()
        self._tasks: deque[tuple[float, Callable[[], None]]] = deque()
        self._some = Event()
        self._writing = Lock()
        self._thread: Thread | None = None

    def add(self, report: Report) -> None:
        """Have it written, within :data:`PAUSE` on a machine that is not overloaded."""
        self._pending.append(report)
        if not self._some.is_set():
            self._some.set()
            if self._thread is None or not self._thread.is_alive():
                self._start()
        elif len(self._pending) > MOST_PENDING:
            self.flush()

    def do_later(self, task: Callable[[], None]) -> None:
        """Have something done :data:`LATER` by the thread that writes reports, at the latest at the exit."""
        self._tasks.append((monotonic() + LATER, task))
        self._some.set()
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def finish(self) -> None:
        """Write what was gathered, and do what was to be done later."""
        self.flush()
        self._do_tasks(due=inf)

    def flush(self) -> None:
        """Write now what was gathered."""
        with self._writing:
            blank = AccessRecord(ACCESS, logging.INFO, __file__, 0, LINE, (), None)
            while self._pending:
                try:
                    _write(self._pending.popleft(), blank)
                except Exception:  # noqa: BLE001 a log that fails must not refuse what was done
                    traceback.print_exc()

    def _start(self) -> None:
        thread = Thread(target=self._run, name="reports", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread is to be had now
            self._some.clear()
            self.finish()
            return
        if self._thread is None:
            atexit.register(self.finish)
        self._thread = thread

    def _run(self) -> None:
        while True:
            if self._some.wait(self._pause()):
                sleep(PAUSE)
                self._some.clear()
                self.flush()
            self._do_tasks(due=monotonic())

    def _pause(self) -> float | None:
        """Seconds until something is to be done; None for no end."""
        return max(0.0, self._tasks[0][0] - monotonic()) if self._tasks else None

    def _do_tasks(self, *, due: float) -> None:
        """Do what is due by then; by one thread at a time."""
        with self._writing:
            while self._tasks and self._tasks[0][0] <= due:
                _, task = self._tasks.popleft()
                try:
                    task()
                except Exception:  # noqa: BLE001 the thread goes on with the rest
                    traceback.print_exc()


REPORTER = Reporter()
"""The one of this process, like its loggers and metrics."""


class AccessRecord(logging.LogRecord):
    """The log record of one request.

    :ivar args: the values of :data:`FIELDS`
    """

    args: tuple[Any, ...]

    @property
    def fields(self) -> dict[str, object]:
        """What a line of JSON has; few write one."""
        fields = dict(zip(FIELDS, self.args, strict=True))
        account = fields["account"] if fields["account"] != NOBODY else None
        return fields | {"account": account, "ms": round(fields["ms"], 1)}


def _write(report: Report, blank: AccessRecord) -> None:
    view = f"{report.context}/{report.view_name}"
    _seconds(report.method, report.status).observe(report.seconds)
    _requests(_package(report.module), view, report.method, report.status).inc()
    if access_log.isEnabledFor(logging.INFO):
        words = (
            report.method,
            view,
            report.account_id if report.account_id is not None else NOBODY,
            report.status,
            report.seconds * 1000,
            path_of(report),
            _client(report.client),
            report.request_id,
        )
        record = object.__new__(AccessRecord)
        msecs = report.ended % 1 * 1000
        record.__dict__.update(blank.__dict__, args=words, created=report.ended, msecs=msecs)
        access_log.handle(record)


def path_of(report: Report) -> str:
    """The path of a report as a line shows it: percent-encoded, cut, without keys."""
    path = report.path[: LONGEST_PATH + 1]
    if report.status == 404:
        path = "/".join(part if _PLAIN_SEGMENT.fullmatch(part) else CUT for part in path.split("/"))
    path = without_keys(path)
    if not _PLAIN_PATH.fullmatch(path):
        path = quote(path, safe="/:@!$&'()*+,;=~{}[]", encoding="latin-1")
    return (path if len(path) <= LONGEST_PATH else path[:LONGEST_PATH] + CUT) or "-"


def _package(module: str) -> str:
    """The last package of a module: ``bookie`` of ``accountsapp.apis.bookie.resources``."""
    return module.rpartition(".")[0].rpartition(".")[2] or "-"


@lru_cache
def _client(address: str) -> str:
    return quote(address[:LONGEST_CLIENT], safe=":") or "-"


@cache
def _seconds(method: str, status: int) -> Any:
    return SECONDS.labels(method, str(status))


@cache
def _requests(package: str, view: str, method: str, status: int) -> Any:
    return REQUESTS.labels(package, view, method, str(status))
