"""How log lines leave the process: in order, as text or JSON, and never in the way of a request."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from configparser import RawConfigParser
from http.client import HTTPConnection
from pathlib import Path
from urllib.request import urlopen

import pytest

from accountsapp import log_output
from accountsapp.log_output import BackgroundStreamHandler, JsonFormatter
from accountsapp.logs import RedactedRecord
from tests.support.jobs import eventually
from tests.support.mailserver import free_port
from tests.support.servers import PSERVE, ROOT, write_ini


@pytest.fixture
def pipe() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """The end to read, and the one to write."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        yield reading, stream
    os.close(reading)


def record(text: str, **attributes: object) -> logging.LogRecord:
    made = RedactedRecord("accountsapp.test", logging.INFO, __file__, 1, text, None, None)
    made.__dict__.update(attributes)
    return made


def test_lines_are_written_in_their_order(pipe: tuple[int, io.TextIOWrapper]) -> None:
    reading, stream = pipe
    handler = BackgroundStreamHandler(stream)
    for number in range(500):
        handler.handle(record(f"line {number}"))
    handler.flush()
    assert os.read(reading, 100_000).decode().splitlines() == [f"line {number}" for number in range(500)]


def test_a_reader_who_does_not_read_stops_nobody(
    pipe: tuple[int, io.TextIOWrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too much is dropped and counted; nothing else is lost."""
    monkeypatch.setattr(log_output, "MOST_LINES", 50)
    monkeypatch.setattr(log_output, "FLUSH_PATIENCE", 0.1)
    reading, stream = pipe
    handler = BackgroundStreamHandler(stream)
    lines = [f"{number} {'x' * 5000}" for number in range(200)]
    logging_thread = threading.Thread(target=lambda: [handler.handle(record(line)) for line in lines])
    logging_thread.start()
    logging_thread.join(20)
    assert not logging_thread.is_alive()
    handler.flush()
    text = b""
    while b"dropped" not in text:
        text += os.read(reading, 65536)
    *kept, last = text.decode().splitlines()
    assert kept == lines[: len(kept)]
    assert len(kept) >= 50
    assert last == f"{200 - len(kept)} lines of the log were dropped: nobody took them"
    handler.handle(record("on again"))
    handler.flush()
    assert os.read(reading, 65536) == b"on again\n"


def test_a_stream_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    handler = BackgroundStreamHandler(stream)
    handler.handle(record("ä\ud800"))
    handler.flush()
    assert stream.getvalue() == "ä\ud800\n"


def test_json() -> None:
    formatter = JsonFormatter()
    access = {"method": "GET", "path": "/", "account": None}
    line = json.loads(formatter.format(record("GET /", fields=access, created=1_767_323_045.678)))
    assert line == {
        "time": "2026-01-02T03:04:05.678+00:00",
        "level": "INFO",
        "logger": "accountsapp.test",
        "process": os.getpid(),
        **access,
    }
    try:
        int("password=secret1234\nin two lines")
    except ValueError:
        made = RedactedRecord("x", logging.ERROR, __file__, 1, "api_key=%s", ("acct_x",), sys.exc_info())
    text = formatter.format(made)
    assert "\n" not in text
    assert "secret1234" not in text
    assert json.loads(text)["message"] == "api_key=[redacted]"
    assert json.loads(text)["error"].startswith("Traceback")


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_server_whose_log_nobody_reads_answers_and_stops(ini: dict[str, str], tmp_path: Path) -> None:
    """A full pipe, with the output of ``development.ini`` as JSON."""
    port = free_port()
    file = write_ini(tmp_path / "server.ini", ini, {"listen": f"127.0.0.1:{port}"})
    parser = RawConfigParser()
    parser.read(file)
    parser.set("handler_console", "formatter", "json")
    with file.open("w") as written:
        parser.write(written)
    reading, writing = os.pipe()
    with subprocess.Popen([*PSERVE, str(file)], cwd=ROOT, stderr=writing) as server:
        try:
            eventually(lambda: answers(port))
            with os.fdopen(reading, closefd=False) as lines:
                line = json.loads(next(line for line in lines if "/healthz" in line))
            assert line.keys() >= {"time", "method", "view", "account", "status", "ms", "client", "request"}
            fill(writing)
            statuses = {ask(port, f"/nothing/{number}") for number in range(300)}
            assert statuses == {404}
            assert ask(port, "/metrics") == 200
            server.send_signal(signal.SIGTERM)
            assert server.wait(15) == 0
        finally:
            server.kill()
            os.close(reading)
            os.close(writing)


def fill(pipe: int) -> None:
    """Until nothing more goes in."""
    again = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    full = False
    while not full:
        try:
            os.write(again, b"x")
        except BlockingIOError:
            full = True
    os.close(again)


def answers(port: int) -> bool:
    try:
        urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
    except OSError:
        return False
    return True


def ask(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()
