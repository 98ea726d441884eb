"""A server that is told to stop ends each connection in order: by an answer that says so, or in silence."""

import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import pytest
from waitress.adjustments import Adjustments
from waitress.server import create_server

from accountsapp.server import stopping
from accountsapp.server.fairness import Dispatcher, be_fair
from accountsapp.server.granian_server import Server as Granian
from accountsapp.server.granian_sockets import listen
from tests.support.wire import PATIENCE, statuses_of

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OLDER = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
END = b"\r\n\r\nfine"

Run = Callable[[], None]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "4")])
    return [b"fine"]


def waitress() -> tuple[int, Run]:
    """Its port, and what serves until the process is told to stop."""
    server = create_server(app, listen="127.0.0.1:0", _dispatcher=Dispatcher())
    server.task_dispatcher.set_thread_count(2)
    be_fair(server)
    return int(server.effective_port), partial(stopping.serve_until_stopped, server, [server])


def granian() -> tuple[int, Run]:
    adjustments = Adjustments(listen="127.0.0.1:0", threads="2")
    listeners = listen(adjustments)
    port = listeners[0].getsockname()[1]
    return port, Granian(app, adjustments, listeners, "").run


class Client:
    """One connection, and all that came over it."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.said = b""

    def send(self, message: bytes) -> None:
        self._connection.sendall(message)

    def receive(self, answers: int) -> bool:
        """Until so many answers are whole; whether the connection goes on then.

        :raises ConnectionResetError: it was reset
        """
        while self.said.count(END) < answers:
            part = self._connection.recv(65536)
            if not part:
                return False
            self.said += part
        return b"\r\nconnection: close" not in self.said.lower()

    def end(self) -> None:
        """Read what comes until the end, which must be one in order."""
        assert self._connection.recv(65536) == b""
        self._connection.close()


def ask_without_pause(client: Client, request: bytes, asked: Event) -> None:
    answers = 1
    client.send(request)
    while client.receive(answers):
        if answers == 20:
            asked.set()
        answers += 1
        client.send(request)
    client.end()
    assert statuses_of(client.said) == [200] * answers
    heads = client.said.lower().split(END)
    assert [b"connection: close" in head for head in heads[:-1]] == [False] * (answers - 1) + [True]


def talk(port: int) -> None:
    """Ask, have the server stopped, and go on as clients do."""
    asking = [(Client(port), request, Event()) for request in (GET, OLDER)]
    silent, idle, half, ahead = (Client(port) for _ in range(4))
    half.send(POST + b"ab")
    with ThreadPoolExecutor(len(asking)) as pool:
        asked = [pool.submit(ask_without_pause, *one) for one in asking]
        assert all(event.wait(PATIENCE) for _, _, event in asking)
        for client in (idle, ahead):
            client.send(GET)
            assert client.receive(1)
        os.kill(os.getpid(), signal.SIGTERM)
        for one in asked:
            one.result()
    with pytest.raises(ConnectionRefusedError):
        Client(port)
    ahead.send(GET + GET)
    half.send(b"cd")
    for client in (ahead, half):
        assert not client.receive(answers=9)
        assert set(statuses_of(client.said)) == {200}
        assert b"connection: close" in client.said.lower().split(END)[-2]
    for client in (idle, silent, ahead, half):
        client.end()


@pytest.mark.parametrize("make", [waitress, granian])
def test_connections_end_in_order(make: Callable[[], tuple[int, Run]]) -> None:
    """The server runs in the main thread, to which signals go."""
    port, run = make()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with ThreadPoolExecutor(1) as pool:
        talking = pool.submit(talk, port)
        talking.add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGTERM))
        try:
            run()
            talking.result(PATIENCE)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
