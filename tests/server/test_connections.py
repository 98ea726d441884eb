"""How answers are sent: byte for byte as waitress sends them, in one piece."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import create_server

from accountsapp.server.connections import Channel, Parser
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
PLAIN = (
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a/b;c=d:e//f/?g=%41&h=/i?j HTTP/1.1\r\nhOsT:a:80\r\nX-A-1:  b c \r\nX-Empty:\r\n\r\n",
    "GET /a? HTTP/1.1\r\nHost: a\r\nConnection: Close\r\nCookie: a=b; c=d\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc",
    "DELETE /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\na",
    "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n",
)
"""What waitress need not read."""
OTHERS = (
    "GET /%41 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET //a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\xe9?\xe9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a[b]?c[d] HTTP/1.1\r\nHost: a\r\n\r\n",
    "get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "GET /\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX_A: b\r\nX-B\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX_A: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-A:\tb\x00\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-A:\t\xe9 \t\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\na",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
)
"""What waitress reads."""
READ = (
    *("command", "version", "request_uri", "path", "query", "fragment", "proxy_scheme", "proxy_netloc"),
    *("url_scheme", "headers", "connection_close", "expect_continue", "chunked", "content_length"),
    *("completed", "empty", "headers_finished", "header_bytes_received", "body_bytes_received"),
)
"""What is read of a request."""
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


def read(parser_class: type[HTTPRequestParser], request: bytes) -> dict[str, Any]:
    """What a parser takes a request for: its head and the rest, as they come."""
    parser = parser_class(Adjustments())
    consumed = parser.received(request)
    if not parser.completed:
        consumed += parser.received(request[consumed:])
    said: dict[str, Any] = {"consumed": consumed, "error": str(parser.error and parser.error.body)}
    if parser.error is None and parser.headers_finished:
        said |= {name: getattr(parser, name, None) for name in READ}
        if parser.body_rcv is not None:
            said["body"] = type(parser.body_rcv), parser.body_rcv.getfile().read()
    return said


def check_read_alike(request: bytes) -> None:
    """As waitress reads it, but for the host that we need."""
    ours = read(Parser, request)
    assert ours["error"] == "One Host is needed" or ours == read(HTTPRequestParser, request), request


class Unread(HTTPRequestParser):
    """Refuses what it would have to read itself."""

    def parse_header(self, header_plus: bytes) -> None:
        raise ParsingError("waitress was asked")


class Plain(Parser, Unread):
    """What our parser does without waitress."""


def test_plain_requests_are_read_as_waitress_reads_them() -> None:
    for request in PLAIN:
        expected = read(HTTPRequestParser, request.encode())
        assert expected["error"] == "None"
        assert read(Plain, request.encode()) == expected, request


def test_all_others_are_read_by_waitress() -> None:
    for request in OTHERS:
        raw = request.encode("latin-1")
        assert read(Plain, raw)["error"] == "waitress was asked", request
        check_read_alike(raw)


@given(st.text(alphabet="a/?#%:;,=&@[] \t\r\n\x00\xe9_-", max_size=30), st.sampled_from(PLAIN), st.data())
@settings(max_examples=200)
def test_whatever_stands_in_a_head(more: str, request: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(request)))
    check_read_alike(f"{request[:place]}{more}{request[place:]}".encode("latin-1"))


def test_head_and_body_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = []

    class Watched(Channel):
        def send(self, data: bytes, do_close: bool = True) -> int:
            pieces.append(bytes(data))
            return int(super().send(data, do_close))

    with serving("", Watched) as port:
        assert sent(port, "").endswith(b"\r\n\r\nplain")
    assert len(pieces) == 1
