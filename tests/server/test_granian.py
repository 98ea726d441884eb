"""``egg:accountsapp#granian``: the application is handed what waitress hands it, and where it is not."""

import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from waitress.adjustments import Adjustments
from waitress.server import create_server

from accountsapp.server.connections import Channel
from accountsapp.server.granian_server import Server as Granian
from accountsapp.server.granian_server import make_server
from accountsapp.server.granian_sockets import listen
from accountsapp.web.client_address import FORWARDED_FOR, PEER, KeepingPeer
from tests.support.mailserver import free_port
from tests.support.waitress_thread import running
from tests.support.wire import exchange, statuses_of

OPTIONS = {
    "threads": "4",
    "connection_limit": "50",
    "trusted_proxy": "127.0.0.1",
    "trusted_proxy_count": "1",
    "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto",
    "url_prefix": "/accounts",
    "max_request_body_size": "100000",
    "max_request_header_size": "65536",
}
COMPARED = (
    *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"),
    *("REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme", PEER, FORWARDED_FOR),
)
A_PROXY = b"X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\nX-Forwarded-Proto: https\r\nForwarded: for=a\r\n"
SAME = (
    b"GET /a%2Fb/%ff%41/../x?q=%ff&a=b HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
    b"GET /accounts/x HTTP/1.1\r\nHost: h\r\nCookie: a=b\r\n\r\n",
    b"GET /accounts HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /accountsx HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET ///x//y HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /%zz%4 HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /x%00y;z=1 HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET http://other/x?y HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /x HTTP/1.0\r\n\r\n",
    b"HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n",
    b"DELETE /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n12345",
    b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n12345",
    b"GET /x HTTP/1.1\r\nHost: h\r\n" + A_PROXY + b"\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: [2001:db8::1]:40\r\nX-Forwarded-Host: evil\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: gopher, ftp\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: , 192.0.2.7\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    b"GET /x HTTP/1.1\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET /x\xe9 HTTP/1.1\r\nHost: h\r\n\r\n",
    b"nonsense\r\n\r\n",
)
"""What is handed on alike, or refused alike."""
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
DIFFERENT: Mapping[bytes, tuple[int, int]] = {
    # granian does not tell a body in chunks that was cut off from one that is whole.
    b"POST /x HTTP/1.1\r\nHost: h\r\n" + CHUNKS: (200, 411),
    b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n" + CHUNKS: (200, 411),
    b"GET /x HTTP/1.1\r\nHost:\r\n\r\n": (200, 400),
    # It would leave out the whole value, and the client would have the address of the proxy.
    b"GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: \xe9, 192.0.2.7\r\n\r\n": (200, 400),
    b"GET /x HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n folded\r\n\r\n": (200, 400),
    b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n" % (b"a" * 66_000): (431, 414),
    b"GET /x HTTP/1.1\r\nHost: h\r\nX-A: %s\r\n\r\n" % (b"a" * 200_000): (431, 431),
}
"""What waitress answers, and granian."""


IN_STEP = (
    *(b"%s /x HTTP/1.1\r\nHost: h\r\n\r\n" % method for method in (b"OPTIONS", b"TRACE", b"CONNECT", b"get")),
    *(
        b"%s HTTP/1.1\r\nHost: h\r\n\r\n" % start
        for start in (b"OPTIONS *", b"CONNECT h:80", b"GET x", b"GET  /x")
    ),
    *(
        b"GET /x HTTP/%s\r\nHost: h\r\n\r\n" % version
        for version in (b"0.9", b"1.0", b"1.2", b"2.0", b"1.1 x")
    ),
    *(b"GET /x HTTP/1.0\r\nConnection: %s\r\n\r\n" % option for option in (b"Keep-Alive", b"close")),
    *(
        b"GET /x HTTP/1.1\r\nHost: %s\r\n\r\n" % host
        for host in (b"a b", b"[::1", b"a/b", b"u@a", b"a" * 5000)
    ),
    *(
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %s\r\n\r\n12345" % length
        for length in (
            b"5, 5",
            b"+5",
            b"-5",
            b"0x5",
            b"5 5",
            b"9" * 40,
            b"0" * 30 + b"5",
            b"5\r\nContent-Length: 5",
        )
    ),
    *(
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding%s\r\n\r\n0\r\n\r\n" % coding
        for coding in (
            b": chunked",
            b" : chunked",
            b":\tchunked",
            b": xchunked",
            b": identity",
            b": chunked, chunked",
        )
    ),
    b"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n12345\r\n0\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12345",
    b"GET /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close, TE\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\n%s\r\n" % b"".join(b"X-%d: 1\r\n" % number for number in range(200)),
    b"GET /x HTTP/1.1\nHost: h\n\n",
    b"GET /x HTTP/1.1\r\nHost: h\nX: 1\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n",
    b"GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n",
    b"\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n",
)
"""What may be refused or taken, as a server has it; the next request on the connection is another one."""
NEXT = b"GET /next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """What the application is handed."""
    handed = {name: environ.get(name) for name in COMPARED} | {
        name: value.replace(", ", ",") for name, value in environ.items() if name.startswith("HTTP_")
    }
    handed["body"] = environ["wsgi.input"].read().decode("latin-1")
    body = json.dumps(handed, sort_keys=True).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


@contextmanager
def granian(app: Any, **options: str) -> Iterator[int]:
    """granian on a port of its own."""
    adjustments = Adjustments(listen="127.0.0.1:0", **{**OPTIONS, **options})
    listeners = listen(adjustments)
    port = listeners[0].getsockname()[1]
    server = Granian(app, adjustments, listeners, adjustments.url_prefix)
    server.start()
    try:
        yield port
    finally:
        server.stop()
        server.join()


@contextmanager
def waitress(app: Any, **options: str) -> Iterator[int]:
    """Waitress as it is served, on a port of its own."""
    server = create_server(app, listen="127.0.0.1:0", **{**OPTIONS, **options})
    server.application = KeepingPeer(server.application, app)
    server.channel_class = Channel
    with running(server) as port:
        yield port


def content(said: bytes, port: int) -> bytes:
    """Of the last answer, without what depends on the server."""
    return said.rpartition(b"\r\n\r\n")[2].replace(str(port).encode(), b"PORT")


def ended(requests: tuple[bytes, ...]) -> list[bytes]:
    """Each asks that the connection be closed."""
    return [request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) for request in requests]


def test_what_is_handed_on_and_what_is_refused() -> None:
    with waitress(echo) as one, granian(echo) as other:
        theirs, ours = (exchange(port, ended(SAME), seconds=10) for port in (one, other))
        for request, expected, said in zip(SAME, theirs, ours, strict=True):
            assert statuses_of(said) == statuses_of(expected), request
            if b" 200 " in expected:
                assert content(said, other) == content(expected, one), request
        different = ended(tuple(DIFFERENT))
        theirs, ours = (exchange(port, different, seconds=10) for port in (one, other))
        for (request, statuses), expected, said in zip(DIFFERENT.items(), theirs, ours, strict=True):
            assert (statuses_of(expected)[-1], statuses_of(said)[-1]) == statuses, request[:60]


def test_nothing_gets_out_of_step() -> None:
    """Whatever comes first: the next request is answered as itself, or the connection ends before it."""
    messages = (*SAME, *DIFFERENT, *IN_STEP)
    with waitress(echo) as one, granian(echo) as other:
        for port in (one, other):
            for message, said in zip(
                messages, exchange(port, [m + NEXT for m in messages], seconds=20), strict=True
            ):
                statuses = [status for status in statuses_of(said) if status != 100]
                assert len(statuses) <= 2, (message[:90], said)
                assert all(status < 500 or status == 501 for status in statuses), (message[:90], said)
                if len(statuses) == 2:
                    assert statuses[1] == 200, (message[:90], said)
                    assert b'"PATH_INFO": "/next"' in content(said, port), (message[:90], said)
                elif statuses:
                    assert re.search(rb"(?i)\r\nconnection: close|^HTTP/1.0", said), (message[:90], said)


def kept_open(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """What an application may answer, and what it may not."""
    path = environ["PATH_INFO"]
    headers = [("Content-Length", "6"), ("X-Name", "\xc3\xa9")]
    if path == "/nothing":
        start_response("204 No Content", headers[1:])
        return []
    if path == "/injected":
        headers.append(("Location", "/a\r\nSet-Cookie: b"))
    start_response("200 OK", headers)
    return (part for part in (b"one", b"two")) if path == "/parts" else [b"one", b"two"]


def test_what_is_sent_back() -> None:
    """What would end granian's process is a fault of one request, and the next one is answered."""
    requests = [
        b"GET /%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % path
        for path in (b"list", b"parts", b"nothing", b"injected", b"list")
    ]
    with granian(kept_open) as port:
        said = [part for request in requests for part in exchange(port, [request], seconds=10)]
    assert [statuses_of(each) for each in said] == [[200], [200], [204], [500], [200]]
    assert said[0].endswith(b"\r\n\r\nonetwo")
    assert said[1].endswith(b"\r\n\r\nonetwo")
    assert b"x-name: \xc3\xa9\r\n" in said[0]


def test_at_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "granian.sock"
    for _ in range(2):  # the second finds what the first one left
        adjustments = Adjustments(unix_socket=str(path), clear_untrusted_proxy_headers="true")
        server = Granian(echo, adjustments, listen(adjustments), "")
        server.start()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(path))
            client.sendall(
                b"GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n"
            )
            said = b"".join(iter(lambda: client.recv(65536), b""))
        server.stop()
        server.join()
        handed = json.loads(content(said, 0))
        assert (handed["REMOTE_ADDR"], "HTTP_X_FORWARDED_FOR" in handed) == ("localhost", False)
    assert path.stat().st_mode & 0o777 == 0o600


def test_large_bodies_and_clients_that_go_away() -> None:
    """A body is handed on whole or not at all, whether it is kept in memory or in a file."""
    bodies = []

    def keep(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        bodies.append(environ["wsgi.input"].read())
        start_response("204 No Content", [])
        return []

    with granian(keep, inbuf_overflow="30000") as port:
        for size in (20_000, 90_000):
            head = b"PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
            assert statuses_of(exchange(port, [head + b"a" * size], seconds=10)[0]) == [204]
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(head + b"a" * (size - 1))
    assert bodies == [b"a" * 20_000, b"a" * 90_000]


@pytest.mark.parametrize("server", [waitress, granian])
def test_a_body_can_be_read_again(server: Callable[..., Any]) -> None:
    """By another try of the same request."""

    def read_twice(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        sizes = []
        for _ in range(2):
            environ["wsgi.input"].seek(0)
            sizes.append(len(environ["wsgi.input"].read()))
        start_response("200 OK", [])
        return [str(sizes).encode()]

    with server(read_twice, inbuf_overflow="30000") as port:
        for size in (0, 20_000, 90_000):
            head = b"PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
            assert f"[{size}, {size}]".encode() in exchange(port, [head + b"a" * size], seconds=10)[0]


@pytest.fixture
def ini_file(tmp_path: Path) -> str:
    """One that can be read."""
    file = tmp_path / "a.ini"
    file.write_text("[app:main]\nuse = egg:accountsapp\n")
    return str(file)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"no_such_option": "1"}, "granian has no option no_such_option"),
        ({"expose_tracebacks": "true"}, "granian has no option expose_tracebacks"),
        ({"listen": "127.0.0.1:port"}, "listen cannot be '127.0.0.1:port'"),
        ({"threads": "", "backlog": "x"}, "threads cannot be ''; backlog cannot be 'x'"),
        ({"threads": "many"}, "threads cannot be 'many'"),
    ],
)
def test_a_bad_option(options: dict[str, str], said: str, ini_file: str) -> None:
    with pytest.raises(SystemExit, match=said) as refused:
        make_server({"__file__": ini_file}, **options)
    assert str(refused.value).startswith("accountsapp: [server:main] of ")


def test_a_port_in_use(ini_file: str) -> None:
    port = free_port()
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(SystemExit, match="Address already in use; "),
    ):
        make_server({"__file__": ini_file}, listen=f"127.0.0.1:{port}")
