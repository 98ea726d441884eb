"""Connections that are watched, and the threads that answer: whatever a client does, nobody is forgotten."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Semaphore, Thread, current_thread
from typing import Any

import pytest
from waitress import wasyncore
from waitress.server import create_server

from accountsapp.server.request_threads import RequestThreads
from accountsapp.server.watching import Watch
from tests.server.test_connections import ANSWERS, HEADS, LAST, app, sent, serving

GET = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE = 24 * 1024 * 1024
"""Bytes, more than waitress keeps for a client that does not read."""


def answering(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Length", str(LARGE))])
        return (b"x" * 2**20 for _ in range(LARGE // 2**20))
    if environ["PATH_INFO"] == "/fault":
        raise ValueError
    return app(environ, start_response)


@contextmanager
def watched(**options: Any) -> Iterator[int]:
    """A server whose connections are watched, on a port of its own."""
    threads = RequestThreads()
    server = create_server(answering, listen="127.0.0.1:0", ident="", _dispatcher=threads, **options)
    threads.set_thread_count(2)
    watch, stopped = Watch([server]), Event()

    def serve() -> None:
        while not stopped.is_set():
            watch.look(10)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.effective_port
    finally:
        stopped.set()
        server.trigger.pull_trigger()
        thread.join(timeout=10)
        assert not thread.is_alive()
        threads.shutdown()
        assert not threads.threads
        wasyncore.close_all(server._map)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with watched() as port:
        yield port


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def rest_of(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_as_waitress_sends_it(port: int) -> None:
    with serving("", None) as theirs:
        for path in ANSWERS:
            for head in HEADS:
                request = head.format(path)
                assert sent(port, request) == sent(theirs, request), request


def test_one_after_the_other_on_one_connection(port: int) -> None:
    with connected(port) as connection:
        for _ in range(20):
            connection.sendall(GET.format("/plain").encode())
            received = b""
            while not received.endswith(b"\r\n\r\nplain"):
                received += connection.recv(65536)


def test_many_in_one_packet(port: int) -> None:
    with connected(port) as connection:
        connection.sendall((GET.format("/plain") * 40 + LAST).encode())
        assert rest_of(connection).count(b"\r\n\r\nplain") == 41


def test_in_small_pieces(port: int) -> None:
    with connected(port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in LAST.encode():
            connection.sendall(bytes([byte]))
        assert rest_of(connection).endswith(b"plain")


def test_urgent_data_means_nothing(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with connected(port) as connection:
        connection.sendall(LAST[:9].encode())
        connection.send(b"!", socket.MSG_OOB)
        connection.sendall(LAST[9:].encode())
        assert rest_of(connection).endswith(b"plain")
    assert caplog.messages == []


def test_a_client_that_sends_no_more_is_answered(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(GET.format("/large").encode())
        connection.shutdown(socket.SHUT_WR)
        assert len(rest_of(connection).partition(b"\r\n\r\n")[2]) == LARGE


def test_a_client_that_reads_late(port: int) -> None:
    with connected(port) as slow, connected(port) as other:
        slow.sendall((GET.format("/large") + LAST).encode())
        other.sendall(LAST.encode())
        assert rest_of(other).endswith(b"plain")
        received = rest_of(slow)
    assert received.endswith(b"plain")
    assert received.count(b"x") >= LARGE


def test_a_client_that_goes_while_it_is_written_to(port: int) -> None:
    for _ in range(3):  # more than there are threads
        with connected(port) as connection:
            connection.sendall(GET.format("/large").encode())
            connection.recv(1024)
    assert sent(port, "").endswith(b"plain")


def test_more_to_do_than_there_are_threads() -> None:
    names: list[str] = []
    begun, go_on = Semaphore(0), Semaphore(0)

    class Work:
        def service(self) -> None:
            names.append(current_thread().name)
            begun.release()
            go_on.acquire()

    threads = RequestThreads()
    threads.set_thread_count(3)
    for _ in range(4):  # one more than there are threads
        threads.add_task(Work())
    for _ in range(3):
        assert begun.acquire(timeout=10)
    go_on.release(4)
    assert begun.acquire(timeout=10)
    assert threads.shutdown()
    assert not threads.threads
    assert len(names) == 4
    assert len(set(names)) == 3


def test_a_fault(port: int) -> None:
    assert sent(port, GET.format("/fault")).startswith(b"HTTP/1.1 500 ")


def test_more_than_may_be_connected() -> None:
    # Listener, trigger and two clients.
    with (
        watched(connection_limit=4) as port,
        connected(port) as second,
        connected(port) as first,
        connected(port) as third,
    ):
        for connection in (second, first):
            connection.sendall(GET.format("/plain").encode())
            assert connection.recv(1024)
        third.sendall(LAST.encode())
        first.close()
        assert rest_of(third).endswith(b"plain")


def test_who_is_silent_is_let_go() -> None:
    with (
        watched(channel_timeout=0, cleanup_interval=0) as port,
        connected(port) as silent,
        connected(port),  # something happens
    ):
        assert rest_of(silent) == b""


def test_what_a_thread_sends_while_others_send() -> None:
    """The thread that tells a client to continue sends what waits; the loop does not send it once more."""
    server = create_server(answering, listen="127.0.0.1:0", ident="", _dispatcher=RequestThreads())
    watch = Watch([server])
    with connected(server.effective_port) as client:
        watch.look(10)
        (channel,) = server.active_channels.values()
        client.settimeout(0.05)
        with channel.outbuf_lock:
            channel.outbufs[-1].append(b"once")
            channel.total_outbufs_len = 4
            loop = Thread(target=channel.handle_write, daemon=True)
            loop.start()
            with pytest.raises(TimeoutError):
                client.recv(4)
        loop.join(timeout=10)
        assert client.recv(4) == b"once"
        channel.handle_close()
    wasyncore.close_all(server._map)
