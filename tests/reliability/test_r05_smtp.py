"""R05: a mail server that is down, refuses, sleeps, or breaks off half-way; then it is well again."""

import asyncio
import os
import signal
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from accountsapp import mail_transport
from accountsapp.db.database import Database
from accountsapp.domain import jobs
from accountsapp.domain.data.models import JobState
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.settings import Settings
from accountsapp.testing.people import Person
from accountsapp.worker import Worker
from tests.support.jobs import all_jobs, eventually, let_time_pass, worker_of
from tests.support.mailserver import MailServer, drop
from tests.support.processes import start_worker
from tests.support.servers import Server

PEOPLE = ("alice@example.com", "bob@example.com", "carol@example.com")


@pytest.fixture
def server() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def sending(ini: dict[str, str], server: MailServer) -> dict[str, str]:
    ini.update(
        {
            "accountsapp.mail.enabled": "true",
            "accountsapp.mail.host": "127.0.0.1",
            "accountsapp.mail.port": str(server.port),
        }
    )
    return ini


@pytest.fixture
def worker(sending: dict[str, str], database: Database, settings: Settings, keyring: Keyring) -> Worker:
    assert settings.mail.enabled
    return worker_of(database, settings, keyring)


@pytest.fixture(autouse=True)
def _three_mails(database: Database, keyring: Keyring) -> None:
    with database.begin() as session:
        for person in PEOPLE:
            notices.queue(session, keyring, Notice.PASSWORD_CHANGED, to=person, account=None, username="x")


def deliveries(server: MailServer) -> dict[str, int]:
    """How often each person got each mail."""
    ids: dict[str, int] = {}
    for (recipient,), message in server.received:
        ids[f"{recipient} {message['Message-ID']}"] = ids.get(f"{recipient} {message['Message-ID']}", 0) + 1
    return ids


def assert_all_delivered(server: MailServer, database: Database, *, at_most: int = 1) -> None:
    assert {job.state for job in all_jobs(database)} == {JobState.DONE}
    delivered = deliveries(server)
    assert {key.split()[0] for key in delivered} == set(PEOPLE)
    assert len(delivered) == len(PEOPLE), "the same mail has the same Message-ID"
    assert max(delivered.values()) <= at_most


def test_r05_down(server: MailServer, worker: Worker, database: Database) -> None:
    server.stop()
    worker.run_until_empty()
    assert {(job.state, job.attempts) for job in all_jobs(database)} == {(JobState.QUEUED, 1)}
    assert {job.last_error for job in all_jobs(database)} == {
        "no connection to the mail server: ConnectionRefusedError"
    }
    server.start()
    worker.run_until_empty()
    assert server.received == [], "waits for its time"
    let_time_pass(database)
    worker.run_until_empty()
    assert_all_delivered(server, database)


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "DATA", *PEOPLE[:1]])
def test_r05_not_now(server: MailServer, worker: Worker, database: Database, command: str) -> None:
    server.answers[command] = "421 4.3.2 come back later"
    for _ in range(jobs.TRIES - 1):
        worker.run_until_empty()
        let_time_pass(database)
    assert JobState.FAILED not in {job.state for job in all_jobs(database)}
    del server.answers[command]
    worker.run_until_empty()
    assert_all_delivered(server, database)


class NotToday(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"421 4.3.2 mx is closing\r\n")


def test_r05_not_even_a_greeting(
    server: MailServer, worker: Worker, database: Database, settings: Settings, keyring: Keyring
) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), NotToday) as closed:
        threading.Thread(target=closed.serve_forever, kwargs={"poll_interval": 0.01}).start()
        port = closed.server_address[1]
        worker_of(database, settings.model_copy(update={"mail_port": port}), keyring).run_until_empty()
        closed.shutdown()
    assert {(job.state, job.last_error) for job in all_jobs(database)} == {
        (JobState.QUEUED, "no connection to the mail server: SMTPConnectError 421")
    }
    let_time_pass(database)
    worker.run_until_empty()
    assert_all_delivered(server, database)


@pytest.mark.parametrize("answer", ["550 5.1.1 no such mailbox", "553 what?"])
def test_r05_one_address_refused(
    server: MailServer,
    worker: Worker,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    answer: str,
) -> None:
    server.answers["bob@example.com"] = answer
    for _ in range(mail_transport.REFUSED_TRIES):
        worker.run_until_empty()
        let_time_pass(database)
    states = [job.state for job in all_jobs(database)]
    assert states == [JobState.DONE, JobState.FAILED, JobState.DONE]
    refused = all_jobs(database)[1]
    assert refused.attempts == mail_transport.REFUSED_TRIES
    assert refused.last_error in (
        "the mail server refused the recipient: 550 5.1.1",
        "the mail server refused the recipient: 553",
    )
    assert "bob@example.com" not in caplog.text
    assert sorted(r for (r,), _ in server.received) == ["alice@example.com", "carol@example.com"]
    server.answers.clear()
    with database.begin() as session:
        jobs.retry(session, refused.id)
    worker.run_until_empty()
    assert_all_delivered(server, database)


def test_r05_refused_after_an_outage(server: MailServer, worker: Worker, database: Database) -> None:
    """Offered as often after a 5xx as if the server had never been away."""
    server.answers["MAIL"] = "421 4.3.2 come back later"
    for _ in range(mail_transport.REFUSED_TRIES):
        worker.run_until_empty()
        let_time_pass(database)
    server.answers = {"bob@example.com": "550 5.7.1 not set up yet"}
    for _ in range(mail_transport.REFUSED_TRIES - 1):
        worker.run_until_empty()
        let_time_pass(database)
    assert all_jobs(database)[1].state == JobState.QUEUED
    server.answers.clear()
    worker.run_until_empty()
    assert_all_delivered(server, database)


def test_r05_message_refused(server: MailServer, worker: Worker, database: Database) -> None:
    server.answers["DATA"] = "554 5.7.1 looks like spam"
    for _ in range(mail_transport.REFUSED_TRIES):
        worker.run_until_empty()
        let_time_pass(database)
    assert {(job.state, job.last_error) for job in all_jobs(database)} == {
        (JobState.FAILED, "the mail server refused the message: 554 5.7.1")
    }


def test_r05_asleep(
    server: MailServer, worker: Worker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(_server: Any) -> None:
        server.on_data = None
        await asyncio.sleep(3)

    monkeypatch.setattr(mail_transport, "TIMEOUT", 1.0)
    server.on_data = sleep
    worker.run_until_empty()
    failed = [job for job in all_jobs(database) if job.state == JobState.QUEUED]
    assert [job.last_error for job in failed] == ["the mail server went away: SMTPServerDisconnected"]
    let_time_pass(database)
    worker.run_until_empty()
    assert_all_delivered(server, database, at_most=2)


class Trickle(socketserver.BaseRequestHandler):
    """Says something, then a little more twenty times a second, for a quarter of a minute."""

    words: bytes
    drop: bytes
    outlasted: list[bool]

    def handle(self) -> None:
        try:
            self.request.sendall(self.words)
            for _ in range(300):
                time.sleep(0.05)
                self.request.sendall(self.drop)
        except OSError:
            self.outlasted.append(False)
        else:
            self.outlasted.append(True)


RECORD = b"\x16\x03\x03\x40\x00"
"""A TLS record of 16 kB begins; bytes of any value may follow."""


@pytest.mark.parametrize(
    ("tls", "words", "drop"),
    [
        pytest.param("none", b"", b"220-x\r\n", id="greeting"),
        pytest.param("none", b"220 mx\r\n", b"2", id="within a line"),
        pytest.param("none", b"220 mx\r\n", b"250-x\r\n", id="EHLO"),
        pytest.param("none", b"220 mx\r\n250 mx\r\n250 OK\r\n", b"250-x\r\n", id="RCPT"),
        pytest.param("starttls", b"220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n", RECORD, id="starttls"),
        pytest.param("tls", b"", RECORD, id="tls"),
    ],
)
def test_r05_trickles(
    server: MailServer,
    worker: Worker,
    database: Database,
    settings: Settings,
    keyring: Keyring,
    monkeypatch: pytest.MonkeyPatch,
    tls: str,
    words: bytes,
    drop: bytes,
) -> None:
    """In time with every step, without end: the whole delivery has its time, and the next mail its turn."""
    outlasted: list[bool] = []
    monkeypatch.setattr(mail_transport, "LONGEST_DELIVERY", 0.2)
    if tls != "none":
        monkeypatch.setattr(mail_transport, "TIMEOUT", 0.2)
    handler = type("Handler", (Trickle,), {"words": words, "drop": drop, "outlasted": outlasted})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as slow:
        threading.Thread(target=slow.serve_forever, kwargs={"poll_interval": 0.01}).start()
        here = {"mail_port": slow.server_address[1], "mail_tls": tls}
        worker_of(database, settings.model_copy(update=here), keyring).run_until_empty()
        slow.shutdown()
    assert outlasted == [False] * len(PEOPLE)
    for job in all_jobs(database):
        assert (job.state, job.attempts) == (JobState.QUEUED, 1)
        assert (job.last_error or "").startswith(
            ("no connection to the mail server: ", "the mail server went away: SMTPServerDisconnected")
        )
    monkeypatch.undo()  # the server that is well may take its time
    let_time_pass(database)
    worker.run_until_empty()
    assert_all_delivered(server, database)


def test_r05_drops_after_data(server: MailServer, worker: Worker, database: Database) -> None:
    async def drop_once(connection: Any) -> None:
        server.on_data = None
        await drop(connection)

    server.on_data = drop_once
    worker.run_until_empty()
    failed = [job for job in all_jobs(database) if job.state == JobState.QUEUED]
    assert [job.last_error for job in failed] == ["the mail server went away: SMTPServerDisconnected"]
    let_time_pass(database)
    worker.run_until_empty()
    assert_all_delivered(server, database, at_most=2)


def test_r05_how_the_server_says_good_bye_changes_nothing(
    server: MailServer, worker: Worker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rude(_server: Any, _session: Any, _envelope: Any) -> str:
        return "421 4.3.0 never"

    monkeypatch.setattr(server, "handle_QUIT", rude, raising=False)
    server.stop()
    server.start()
    worker.run_until_empty()
    assert_all_delivered(server, database)


@pytest.mark.parametrize("acknowledged", [False, True])
def test_r05_the_queue_survives_a_kill(
    server: MailServer, sending: dict[str, str], database: Database, *, acknowledged: bool
) -> None:
    """Killed while the server has the message: it goes out twice at most, under one Message-ID."""

    async def kill(_server: Any) -> None:
        server.on_data = None
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        if not acknowledged:
            server.received.pop()

    server.on_data = kill
    first = start_worker(sending)
    first.join()
    assert first.exitcode == -signal.SIGKILL
    assert [job.state for job in all_jobs(database)] == [JobState.QUEUED] * 3
    let_time_pass(database)
    second = start_worker(sending)
    eventually(lambda: {job.state for job in all_jobs(database)} == {JobState.DONE})
    second.kill()
    second.join()
    assert_all_delivered(server, database, at_most=2 if acknowledged else 1)


def test_r05_a_request_never_speaks_to_the_mail_server(
    server: MailServer, sending: dict[str, str], database: Database, alice: Person, tmp_path: Path
) -> None:
    """It hangs over one mail. Answers come all the same; the mails go out once it is well."""
    well = threading.Event()

    async def hang(_server: Any) -> None:
        while not well.is_set():
            await asyncio.sleep(0.01)

    def post(path: str, **form: str) -> int:
        data = urlencode(form).encode()
        with urlopen(f"{http.url}/api/v1/{path}", data, timeout=mail_transport.TIMEOUT / 2) as answer:
            status: int = answer.status
            return status

    server.on_data = hang
    http = Server(tmp_path, {**sending, "accountsapp.jobs": "embedded"}).wait()
    try:
        eventually(lambda: server.received)
        assert post("suspend", email=alice.email) == 200
        assert post("alice/api_key", api_key=alice.api_key) == 200
        assert {job.state for job in all_jobs(database)} == {JobState.QUEUED}
        well.set()
        eventually(lambda: {job.state for job in all_jobs(database)} == {JobState.DONE})
    finally:
        well.set()
        http.stop()
    delivered = deliveries(server)
    assert Counter(key.split()[0] for key in delivered) == Counter([*PEOPLE, alice.email, alice.email])
    assert max(delivered.values()) <= 2
