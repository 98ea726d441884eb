"""What is told of finished requests: one access line each, in order, at the latest when the server stops."""

import gc
import logging
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from time import monotonic, sleep, time
from typing import Any
from urllib.request import urlopen

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.testing.people import Person
from accountsapp.web import reports
from accountsapp.web.reports import REPORTER, Report, Reporter
from accountsapp.web.request import Request
from tests.support.servers import Server

REPORT = Report(time(), "GET", "Somewhere", "view", 7, 200, 0.0125, "abc")


@pytest.fixture
def lines() -> Iterator[list[logging.LogRecord]]:
    """The access lines of the test."""
    REPORTER.flush()
    seen: list[logging.LogRecord] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    logger, handler = logging.getLogger("accountsapp.access"), Handler()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield seen
    logger.removeHandler(handler)
    logger.setLevel(level)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    give_up = monotonic() + seconds
    while not condition() and monotonic() < give_up:
        sleep(0.01)
    assert condition()


def test_a_line_says_what_was_asked_and_by_whom(
    app: TestApp, alice: Person, lines: list[logging.LogRecord]
) -> None:
    before = time()
    here = {"REMOTE_ADDR": "192.0.2.7"}
    answer = app.get("/api/v1/alice/api_key", {"api_key": alice.api_key}, extra_environ=here)
    after = time()
    REPORTER.flush()
    (record,) = lines
    request_id = answer.headers["X-Request-Id"]
    assert re.fullmatch(
        rf"GET BookieAccount/api_key account={alice.id} status=200 ms=\d+\.\d "
        rf"path=/api/v1/alice/api_key client=192\.0\.2\.7 request={request_id}",
        record.getMessage(),
    )
    assert before <= record.created <= after, "the line has the time of the request"
    assert abs(record.created % 1 * 1000 - record.msecs) < 1


@pytest.mark.parametrize(
    ("method", "path", "line"),
    [
        ("GET", "/api/v1/alice/account", "GET BookieProfile/ account=- status=403 "),
        ("GET", "/api/v1/alice/secret-of-mine", "GET BookieAccount/- account=- status=404 "),
        ("PATCH", "/api/v1/alice/account", "PATCH BookieProfile/ account=- status=405 "),
        ("SECRET", "/healthz", "other Root/healthz account=- status=405 "),
        ("GET", "/secret//of-mine", "GET Root/- account=- status=404 "),
    ],
)
def test_a_line_begins_with_nothing_of_the_clients(
    wsgi: Any, lines: list[logging.LogRecord], method: str, path: str, line: str
) -> None:
    TestApp(wsgi, lint=False).request(path, method=method, expect_errors=True)
    REPORTER.flush()
    assert [record.getMessage()[: len(line)] for record in lines] == [line]


CODE = "Abc-_" * 6 + "xy"
"""As long as one that is mailed."""


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/", "/"),
        ("/api/v1/alice/account?api_key=secret&x=1", "/api/v1/alice/account"),
        ("/api/v1/al%0Aice%20%22%3D/account", "/api/v1/al%0Aice%20%22=/account"),
        ("/api/v1/%C3%A4lva%E2%80%A8/account", "/api/v1/%C3%A4lva%E2%80%A8/account"),
        ("/api/v1/%FF/account", "/api/v1/.../account"),
        ("/favicon.ico", "/favicon.ico"),
        ("/nothing%0Ahere/x", "/.../x"),
        ("/api/v1/" + "a" * 300 + "/account", "/api/v1/" + "a" * 192 + "..."),
        ("/api/v1/" + "%C3%A4" * 300 + "/account", "/api/v1/" + "%C3%A4" * 32 + "..."),
        ("/api/v1/acct_" + "a1B2" * 8 + "/account", "/api/v1/[redacted]/account"),
        (f"/recovery/alice/reset/{CODE}", "/recovery/alice/reset/{code}"),
        (f"/recovery/alice/reset/{CODE}/", "/recovery/alice/reset/{code}"),
        (f"/recovery/alice/reset/{CODE}/more", "/recovery/alice/reset/{code}"),
        (f"/recovery/alice/rest/{CODE}", "/recovery/alice/rest/..."),
        (f"/confirm/email/{CODE}", "/confirm/email/{code}"),
        (f"/confirm/address/{CODE}?next=x", "/confirm/address/{code}"),
        (f"/confirm/{CODE}", "/confirm/..."),
        (f"/{CODE}", "/..."),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
@pytest.mark.parametrize("backend", ["sqlite"])
def test_the_path_is_told_without_what_is_secret(
    app: TestApp, lines: list[logging.LogRecord], method: str, path: str, told: str
) -> None:
    app.request(path, method=method, expect_errors=True)
    REPORTER.flush()
    (record,) = lines
    assert record.getMessage().partition(" path=")[2].partition(" client=")[0] == told


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", "-"),
        ("a b\nrequest=x", "a%20b%0Arequest%3Dx"),
        ("x" * 90, "x" * 45),
    ],
)
def test_the_client_is_told(lines: list[logging.LogRecord], address: str, told: str) -> None:
    reporter = Reporter()
    reporter.add(REPORT._replace(path="/x", client=address))
    reporter.flush()
    assert lines[-1].getMessage().endswith(f" path=/x client={told} request=abc")


def test_reports_are_told_without_being_asked_for(lines: list[logging.LogRecord]) -> None:
    reporter = Reporter()
    for number in range(300):
        reporter.add(REPORT._replace(request_id=str(number)))
    wait_for(lambda: len(lines) == 300)
    sleep(3 * reports.PAUSE)
    reporter.add(REPORT._replace(request_id="300"))
    wait_for(lambda: len(lines) == 301)
    assert [record.getMessage().rpartition("=")[2] for record in lines] == [str(n) for n in range(301)]


def test_no_more_are_kept_than_a_thousand(
    lines: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever adds one to more than that tells them himself."""
    monkeypatch.setattr(reports, "PAUSE", 60)
    reporter = Reporter()
    for _ in range(2500):
        reporter.add(REPORT)
    assert len(lines) >= 1500
    reporter.flush()
    assert len(lines) == 2500


def test_each_is_told_once_by_however_many_threads(lines: list[logging.LogRecord]) -> None:
    reporter = Reporter()

    def work(number: int) -> None:
        for turn in range(400):
            reporter.add(REPORT._replace(request_id=f"{number}-{turn}"))
            if turn % 50 == 0:
                reporter.flush()

    threads = [Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reporter.flush()
    told = [record.getMessage().rpartition("=")[2] for record in lines]
    assert len(told) == len(set(told)) == 2400


def test_a_log_that_fails_stops_nothing(
    lines: list[logging.LogRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("no room")

    failing = Failing()
    reporter = Reporter()
    logging.getLogger("accountsapp.access").addHandler(failing)
    try:
        for _ in range(1500):
            reporter.add(REPORT)
        reporter.flush()
    finally:
        logging.getLogger("accountsapp.access").removeHandler(failing)
    assert "no room" in capsys.readouterr().err
    lines.clear()
    reporter.add(REPORT)
    wait_for(lambda: len(lines) == 1)


def test_without_a_thread_they_are_told_at_once(
    lines: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    reporter = Reporter()
    with monkeypatch.context() as patched:
        patched.setattr(Thread, "start", fail)
        reporter.add(REPORT)
        reporter.add(REPORT)
    assert len(lines) == 2
    reporter.add(REPORT)
    wait_for(lambda: len(lines) == 3)


def test_metrics_have_the_request_before(app: TestApp) -> None:
    def count() -> float:
        text = app.get("/metrics", extra_environ={"REMOTE_ADDR": "127.0.0.1"}).text
        found = re.search(
            r'^accountsapp_request_seconds_count\{method="DELETE",status="405"\} (\S+)', text, re.M
        )
        return float(found[1]) if found else 0.0

    before = count()
    app.delete("/healthz", status=405)
    assert count() == before + 1


class Contended(Exception):
    sqlstate = "40001"


@pytest.mark.parametrize(("faults", "status"), [(1, 200), (2, 200), (3, 503)])
def test_one_that_was_tried_again_is_told_once(
    app: TestApp,
    alice: Person,
    database: Database,
    lines: list[logging.LogRecord],
    faults: int,
    status: int,
) -> None:
    pauses = [0.05] * faults

    def refuse(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("UPDATE account") and pauses:
            sleep(pauses.pop())
            raise OperationalError(statement, {}, Contended())

    event.listen(database.write_engine, "before_cursor_execute", refuse)
    try:
        answer = app.post_json(
            f"/api/v1/alice/account?api_key={alice.api_key}", {"name": "A"}, expect_errors=True
        )
    finally:
        event.remove(database.write_engine, "before_cursor_execute", refuse)
    REPORTER.flush()
    (record,) = lines
    fields: Any = record.fields  # type: ignore[attr-defined]
    assert (answer.status_int, fields["status"], pauses) == (status, status, [])
    assert fields["request"] == answer.headers["X-Request-Id"]
    assert fields["ms"] >= faults * 50


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_stops_has_told_everything(ini: dict[str, str], tmp_path: Path, number: int) -> None:
    server = Server(tmp_path, ini, is_forked=False).wait()
    try:
        with urlopen(f"{server.url}/") as answer:
            request_id = answer.headers["X-Request-Id"]
        server.signal(number)
        server.join(30)
    finally:
        server.stop()
    assert f"request={request_id}" in server.log.read_text()


def test_a_finished_request_leaves_no_circle(wsgi: Any, alice: Person) -> None:
    """Its memory is free for the next one at once, not when the garbage collector comes."""

    def requests() -> int:
        return sum(issubclass(type(thing), Request) for thing in gc.get_objects())

    def ask() -> None:
        environ = Request.blank(f"/api/v1/alice/account?api_key={alice.api_key}").environ
        wsgi(environ, lambda status, _headers: statuses.append(status))

    statuses: list[str] = []
    ask()
    gc.collect()
    gc.disable()
    try:
        before = requests()
        ask()
        assert requests() == before
    finally:
        gc.enable()
    assert statuses == ["200 OK"] * 2
