"""How answers are sent: byte for byte as waitress sends them, in one piece."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from waitress.server import create_server

from accountsapp.connections import Channel
from tests.support.waitress_thread import running

ANSWERS: dict[str, tuple[str, list[tuple[str, str]], list[bytes]]] = {
    "/plain": ("200 OK", [("Content-Length", "5"), ("x-request-id", "7"), ("Allow", "GET")], [b"plain"]),
    "/twice": ("200 OK", [("Set-Cookie", "b=2"), ("Content-Length", "2"), ("Set-Cookie", "a=1")], [b"ok"]),
    "/empty": ("200 OK", [("Content-Length", "0")], []),
    "/empty-part": ("200 OK", [("X-Auth-User", "a")], [b""]),
    "/parts": ("200 OK", [("Content-Length", "6")], [b"one", b"two"]),
    "/unknown-length": ("200 OK", [], [b"one", b"two"]),
    "/one-part": ("200 OK", [], [b"one"]),
    "/too-short": ("200 OK", [("Content-Length", "9")], [b"short"]),
    "/too-long": ("200 OK", [("Content-Length", "2")], [b"longer"]),
    "/nothing": ("204 No Content", [], []),
    "/nothing-of-length": ("204 No Content", [("Content-Length", "2")], [b"no"]),
    "/unchanged": ("304 Not Modified", [("ETag", '"1"')], []),
    "/refused": ("403 Forbidden", [("WWW-Authenticate", "Basic"), ("content-length", "2")], [b"no"]),
    "/dated": ("200 OK", [("Date", "today"), ("Content-Length", "2")], [b"ok"]),
    "/from-behind": ("200 OK", [("Server", "other"), ("Content-Length", "2")], [b"ok"]),
}
HEADS = (
    "GET {} HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD {} HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET {} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    "GET {} HTTP/1.0\r\n\r\n",
    "GET {} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
)
LAST = "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    status, headers, body = ANSWERS[environ["PATH_INFO"]]
    start_response(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else body


@contextmanager
def serving(ident: str, channel_class: type | None) -> Iterator[int]:
    """Waitress on a port of its own, with its channels or those."""
    server = create_server(app, listen="127.0.0.1:0", ident=ident, threads=1)
    if channel_class is not None:
        server.channel_class = channel_class
    with running(server) as port:
        yield port


def sent(port: int, request: str) -> bytes:
    """What comes for the request and one more that closes the connection; the date apart."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall((request + LAST).encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    return re.sub(rb"Date: \w{3}, [^\r]*", b"Date: now", received)


@pytest.mark.parametrize("ident", ["", "some server"])
def test_as_waitress_sends_it(ident: str) -> None:
    with serving(ident, None) as theirs, serving(ident, Channel) as ours:
        for path in ANSWERS:
            for head in HEADS:
                request = head.format(path)
                assert sent(ours, request) == sent(theirs, request), request


def test_head_and_body_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = []

    class Watched(Channel):
        def send(self, data: bytes, do_close: bool = True) -> int:
            pieces.append(bytes(data))
            return int(super().send(data, do_close))

    with serving("", Watched) as port:
        assert sent(port, "").endswith(b"\r\n\r\nplain")
    assert len(pieces) == 1
