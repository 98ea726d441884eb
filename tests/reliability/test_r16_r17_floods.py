"""R16, R17: clients that hold on, and a flood of wrong passwords, against the server as it is deployed."""

import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import psutil
import pytest

from accountsapp.testing.people import Person
from tests.conftest import Soak
from tests.support.servers import Server

HALF = b"POST /api/v1/alice/account HTTP/1.1\r\nHost: x\r\n"
KINDS = {
    "half a header": HALF,
    "slow body": HALF + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    "nothing": b"",
}
LARGEST = "/static/swagger-ui-bundle.js"
"""What everybody may read the most of with one request."""
THREADS = 16


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """On one database in short, on both in whole."""
    backends = ["sqlite", "postgresql"] if metafunc.config.getoption("--soak") else ["sqlite"]
    metafunc.definition.add_marker(pytest.mark.parametrize("backend", backends, indirect=True))


@pytest.fixture
def ini(ini: dict[str, str]) -> dict[str, str]:
    """Passwords that cost as much to check as in production."""
    return {**ini, "accountsapp.bcrypt_rounds": "12"}


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path, alice: Person) -> Iterator[Server]:
    made = Server(tmp_path, ini)
    yield made.wait()
    made.stop()


def status(url: str, data: dict[str, str] | None = None) -> int:
    try:
        with urlopen(url, data=urlencode(data).encode() if data else None, timeout=60) as answer:
            code: int = answer.status
            return code
    except HTTPError as error:
        return error.code


def seconds(url: str) -> float:
    """That a good answer takes."""
    began = time.monotonic()
    assert status(url) == 200
    return time.monotonic() - began


def longest(waited: list[float]) -> float:
    """That 99 of 100 wait."""
    return sorted(waited)[int((len(waited) - 1) * 0.99)]


def send_ahead(server: Server, path: str) -> socket.socket:
    """A client that asks twenty times and reads nothing."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 20)
    return client


def connections(server: Server) -> int:
    """How many the server has with clients."""
    sockets = psutil.Process(server.pid).net_connections("tcp")
    return sum(each.status != psutil.CONN_LISTEN for each in sockets)


def test_r16_clients_that_hold_on_leave_room_for_others(server: Server, alice: Person, soak: Soak) -> None:
    ping = f"{server.url}/api/v1/alice/ping?api_key={alice.api_key}"
    held, ahead = [], []
    try:
        for kind in KINDS.values():
            for _ in range(soak(70, 200)):
                client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
                client.sendall(kind)
                held.append(client)
        ahead = [send_ahead(server, LARGEST) for _ in range(THREADS + 4)]
        last = time.monotonic()
        assert longest([seconds(ping) for _ in range(30)]) < soak(5.0, 1.0)
        # And they are let go of: an answer or the end, never silence for good.
        ended = [client.recv(1) in (b"", b"H") for client in held]
        assert ended == [True] * len(held)
        assert time.monotonic() - last < soak(30.0, 15.0)
        while connections(server):
            assert time.monotonic() - last < soak(30.0, 15.0)
            time.sleep(0.1)
        assert status(ping) == 200
    finally:
        for client in held + ahead:
            client.close()


def test_r16_bodies_that_come_byte_by_byte(server: Server, alice: Person, soak: Soak) -> None:
    """One each few seconds: never idle for long enough to be let go of."""
    ping = f"{server.url}/api/v1/alice/ping?api_key={alice.api_key}"
    held = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(soak(60, 200))]
    try:
        for client in held:
            client.sendall(KINDS["slow body"])
        waited: list[float] = []
        for _ in range(soak(2, 6)):
            for client in held:
                client.sendall(b" ")
            waited += [seconds(ping) for _ in range(10)]
            time.sleep(soak(0.1, 5.0))
        assert longest(waited) < soak(5.0, 1.0)
    finally:
        for client in held:
            client.close()


def test_r16_clients_that_do_not_read(server: Server, alice: Person, soak: Soak) -> None:
    ping = f"/api/v1/alice/account?api_key={alice.api_key}"
    held = []
    try:
        for _ in range(soak(100, 200)):
            held.append(send_ahead(server, ping))
        assert longest([seconds(server.url + ping) for _ in range(30)]) < soak(5.0, 1.0)
    finally:
        for client in held:
            client.close()


def test_r16_behind_granian(ini: dict[str, str], tmp_path: Path, alice: Person, soak: Soak) -> None:
    """More clients that hold on than the application has threads, of every kind at once; then a stop."""
    options = {"use": "egg:accountsapp#granian"} | soak({"channel_timeout": "2", "cleanup_interval": "1"}, {})
    server = Server(tmp_path, ini, server=options).wait()
    ping = f"/api/v1/alice/ping?api_key={alice.api_key}"
    unread = f"GET {ping} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 20
    held = []
    try:
        for kind in (*KINDS.values(), unread):
            for _ in range(soak(20, 200)):
                client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
                client.sendall(kind)
                held.append(client)
        last = time.monotonic()
        assert longest([seconds(server.url + ping) for _ in range(30)]) < soak(5.0, 1.0)
        for client in held[: -soak(20, 200)]:
            assert client.recv(1) in (b"", b"H")
        assert time.monotonic() - last < 15.0
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as stuck:
            stuck.sendall(KINDS["slow body"])
            assert status(server.url + ping) == 200
            server.signal(signal.SIGTERM)
            assert server.join(10) == 0
    finally:
        server.stop()
        for client in held:
            client.close()


def test_r17_a_flood_of_wrong_passwords_starves_nobody(server: Server, alice: Person, soak: Soak) -> None:
    """Far more guesses than can be hashed, at a steady pace as from many clients."""
    ping = f"{server.url}/api/v1/alice/ping?api_key={alice.api_key}"
    change = f"{server.url}/api/v1/alice/password"
    wrong = {"api_key": alice.api_key, "current_password": "wrong one", "new_password": "x" * 12}
    amount, pace_of_guesses = soak((400, 80), (6000, 100))
    guesses: list[Future[int]] = []
    with ThreadPoolExecutor(100) as flood:
        begun = time.monotonic()

        def guess_on() -> None:
            for number in range(amount):
                time.sleep(max(0.0, begun + number / pace_of_guesses - time.monotonic()))
                guesses.append(flood.submit(status, change, wrong))

        pace = threading.Thread(target=guess_on)
        pace.start()
        waited = []
        while pace.is_alive():
            waited.append(seconds(ping))
        pace.join()
        hashed = sum(guess.done() and guess.result() == 403 for guess in guesses)
    seen = Counter(guess.result() for guess in guesses)
    assert set(seen) == {403, 503}
    # Whoever waited for guesses to be hashed, even for one each time, would be answered less often meanwhile.
    assert len(waited) > 2 * hashed
    assert longest(waited) < soak(10.0, 0.5)
