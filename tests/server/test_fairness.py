"""Who comes first where many clients ask at once, and what those get who do not read."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
from waitress import wasyncore
from waitress.server import create_server

from accountsapp.server.fairness import Dispatcher, accept_all, be_fair
from accountsapp.server.watching import Watch

LARGE = b"x" * 8_000_000
"""More than the system takes for a client that does not read."""
SECONDS = 10.0


class Site:
    """Waitress as the product runs it, with two threads, and what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        options = {"listen": "127.0.0.1:0", "threads": 2, "channel_timeout": 1, "cleanup_interval": 1}
        self.server = create_server(self._answer, _dispatcher=Dispatcher(), **options)
        self.server.task_dispatcher.set_thread_count(2)
        be_fair(self.server)
        self._watch = Watch([self.server])

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        body = LARGE if path.startswith("/large") else path.encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def look(self) -> None:
        """Take up and read who waits, send what can be sent."""
        self._watch.look(0.01)

    def run_until(self, is_so: Callable[[], bool]) -> None:
        give_up = monotonic() + SECONDS
        while not is_so():
            assert monotonic() < give_up
            self.look()
            self.server.task_dispatcher.hand_out()

    def answers(self, client: socket.socket, count: int) -> list[bytes]:
        """The next ones, to their last byte."""
        with ThreadPoolExecutor(1) as reader, client.makefile("rb") as received:
            bodies = reader.submit(lambda: [read_answer(received) for _ in range(count)])
            self.run_until(bodies.done)
            return bodies.result()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.task_dispatcher.shutdown()
    for channel in [*site.server.active_channels.values()]:
        channel.handle_close()
    wasyncore.close_all(site.server._map)


@pytest.fixture
def connect(site: Site) -> Iterator[Callable[[], socket.socket]]:
    """Makes clients for whom the system keeps little."""
    clients = []

    def make() -> socket.socket:
        client = socket.socket()
        client.settimeout(SECONDS)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", int(site.server.effective_port)))
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def read_answer(received: Any) -> bytes:
    """The body of the next answer."""
    head = b"".join(iter(received.readline, b"\r\n"))
    body: bytes = received.read(int(head.partition(b"Content-Length: ")[2].split()[0]))
    return body


def test_all_who_wait_are_read_before_anybody_is_answered(
    site: Site, connect: Callable[[], socket.socket]
) -> None:
    clients = [connect() for _ in range(50)]
    for client in clients:
        client.sendall(request("/a"))
    site.look()
    assert len(site.server.active_channels) == 50
    site.look()
    assert site.asked == []
    site.server.task_dispatcher.hand_out()
    for client in clients:
        assert site.answers(client, 1) == [b"/a"]


def test_no_more_are_taken_up_than_may_be(site: Site, connect: Callable[[], socket.socket]) -> None:
    site.server.adj.connection_limit = 20
    clients = [connect() for _ in range(30)]
    site.look()
    assert len(site.server._map) == 20
    assert len(clients) == 30


def test_who_is_silent_is_let_go_where_taking_up_others_finds_out(
    site: Site, connect: Callable[[], socket.socket]
) -> None:
    silent = connect()
    site.look()
    site.server.adj.channel_timeout = -1
    site.server.adj.cleanup_interval = 60
    site.server.next_channel_cleanup = 0
    accept_all(site.server)
    site.server.adj.channel_timeout = 60
    site.run_until(lambda: not site.server.active_channels)
    assert silent.recv(1) == b""


def test_what_was_sent_ahead_is_answered_in_its_order(
    site: Site, connect: Callable[[], socket.socket]
) -> None:
    paths = ["/1", "/large/2", "/3", "/large/4", "/5"]
    client = connect()
    client.sendall(b"".join(map(request, paths)))
    bodies = site.answers(client, len(paths))
    assert bodies == [LARGE if "large" in path else path.encode() for path in paths]
    assert site.asked == paths


def test_who_does_not_read_gets_one_answer_and_keeps_no_thread(
    site: Site, connect: Callable[[], socket.socket]
) -> None:
    for _ in range(4):
        connect().sendall(request("/large") * 20)
    site.run_until(lambda: len(site.asked) == 4)
    other = connect()
    other.sendall(request("/a"))
    assert site.answers(other, 1) == [b"/a"]
    # Who takes nothing for as long as a silent client may stay is let go of.
    site.run_until(lambda: not site.server.active_channels)
    assert site.asked == ["/large"] * 4 + ["/a"]
