"""Bytes that are no request, or one that a server must not misunderstand."""

from collections.abc import Callable
from random import Random


def _request(*lines: str | bytes, body: bytes = b"") -> bytes:
    parts = [line.encode("latin-1") if isinstance(line, str) else line for line in lines]
    return b"\r\n".join([*parts, b"", b""]) + body


HOST = "Host: accounts.example.org"
CHUNKED = "Transfer-Encoding: chunked"
POST, JSON = "POST /api/v1/suspend HTTP/1.1", "Content-Type: application/json"
GOOD = _request("GET /healthz HTTP/1.1", HOST)

MESSAGES: tuple[bytes, ...] = (
    b"\r\n\r\n\r\n" + GOOD,
    b"\n",
    b"\x00" * 100,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 200,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /healthz\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET  /healthz  HTTP/1.1\r\n\r\n",
    _request("GET /healthz HTTP/9.9", HOST),
    _request("GET /healthz HTTP/1.1\r", HOST),
    _request("GET /heal\x00thz HTTP/1.1", HOST),
    _request("GET http://evil.example/healthz HTTP/1.1", HOST),
    _request("GET http:///healthz HTTP/1.1", HOST),
    _request("GET http://[::1/healthz HTTP/1.1", HOST),
    _request("GET //evil.example/healthz HTTP/1.1", HOST),
    _request("GET healthz HTTP/1.1", HOST),
    _request("GET * HTTP/1.1", HOST),
    _request("OPTIONS * HTTP/1.1", HOST),
    _request("CONNECT evil.example:443 HTTP/1.1", HOST),
    _request("GET /healthz#a HTTP/1.1", HOST),
    _request("GET /healthz? HTTP/1.1", HOST),
    _request("GET ?a HTTP/1.1", HOST),
    _request("G\xcbT /healthz HTTP/1.1", HOST),
    _request(b"GET /\xff\xfe\x80 HTTP/1.1", HOST),
    _request("GET /" + "a" * 70000 + " HTTP/1.1", HOST),
    _request("X" * 70000, HOST),
    _request("GET /healthz HTTP/1.1"),
    _request("GET /healthz HTTP/1.1", HOST, HOST),
    _request("GET /healthz HTTP/1.1", "Host: a, b"),
    _request("GET /healthz HTTP/1.1", HOST, "X" * 70000 + ": a"),
    _request("GET /healthz HTTP/1.1", HOST, *(f"X-{number}: {'a' * 50}" for number in range(2000))),
    _request("GET /healthz HTTP/1.1", HOST, "no colon"),
    _request("GET /healthz HTTP/1.1", HOST, ": no name"),
    _request("GET /healthz HTTP/1.1", HOST, "A b: c"),
    _request("GET /healthz HTTP/1.1", HOST, "A: b", " folded"),
    _request("GET /healthz HTTP/1.1", HOST, "A: \x00"),
    _request("GET /healthz HTTP/1.1", HOST, "A_B: c", "Content_Length: 5"),
    b"GET /healthz HTTP/1.1\nHost: a\n\n",
    _request(POST, HOST, JSON, "Content-Length: 10", body=b"{}"),
    _request(POST, HOST, JSON, "Content-Length: 1", body=b"{}"),
    _request(POST, HOST, JSON, "Content-Length: -1"),
    _request(POST, HOST, JSON, "Content-Length: +2", body=b"{}"),
    _request(POST, HOST, JSON, "Content-Length: 0x2", body=b"{}"),
    _request(POST, HOST, JSON, "Content-Length: \xb2", body=b"{}"),
    _request(POST, HOST, JSON, "Content-Length: " + "9" * 30),
    _request(POST, HOST, JSON, "Content-Length: 2", "Content-Length: 2", body=b"{}"),
    _request(POST, HOST, JSON, "Content-Length: 2", "Content-Length: 3", body=b"{}"),
    _request(POST, HOST, JSON, "Content-Length: 999999999999"),
    _request(POST, HOST, JSON, CHUNKED, body=b"2\r\n{}\r\n0\r\n\r\n"),
    _request(POST, HOST, JSON, CHUNKED, body=b"5\r\n{}\r\n0\r\n\r\n"),
    _request(POST, HOST, JSON, CHUNKED, body=b"1\r\n{}\r\n0\r\n\r\n"),
    _request(POST, HOST, JSON, CHUNKED, body=b"zz\r\n{}\r\n0\r\n\r\n"),
    _request(POST, HOST, JSON, CHUNKED, body=b"-2\r\n{}\r\n0\r\n\r\n"),
    _request(POST, HOST, JSON, CHUNKED, body=b"0x2\r\n{}\r\n0\r\n\r\n"),
    _request(POST, HOST, JSON, CHUNKED, body=b'2;a="b"\r\n{}\r\n0\r\nA: b\r\n\r\n'),
    _request(POST, HOST, JSON, CHUNKED, body=b"2" + b";a" * 40000 + b"\r\n{}\r\n0\r\n\r\n"),
    _request(POST, HOST, JSON, CHUNKED, body=b"f" * 70000),
    _request(POST, HOST, JSON, CHUNKED, body=b"ffffffffffffffffff\r\n{}"),
    _request(POST, HOST, JSON, CHUNKED, body=b"\xff\r\n{}\r\n0\r\n\r\n"),
    _request(POST, HOST, JSON, CHUNKED, body=b"2\n{}\n0\n\n"),
    _request(POST, HOST, JSON, CHUNKED, "Content-Length: 2", body=b"2\r\n{}\r\n0\r\n\r\n"),
    _request(POST, HOST, JSON, "Transfer-Encoding: identity", body=b"{}"),
    _request(POST, HOST, JSON, "Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    _request(POST, HOST, JSON, "Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    _request(POST, HOST, JSON, "Expect: 100-continue", "Content-Length: 2"),
    _request(POST, HOST, JSON, "Expect: 200-ok", "Content-Length: 2", body=b"{}"),
    _request("GET /healthz HTTP/1.1", HOST, "Content-Length: 2", body=b"{}") + GOOD,
    _request("GET /healthz HTTP/1.1", HOST, CHUNKED, body=b"0\r\n\r\n") + GOOD,
    _request("HEAD /healthz HTTP/1.1", HOST) + GOOD,
    _request("GET /healthz HTTP/1.1", HOST, "Connection: close") + GOOD,
    _request("GET /healthz HTTP/1.1", HOST, "Connection: Upgrade", "Upgrade: h2c"),
    _request("GET /healthz HTTP/1.0"),
    GOOD * 30,
    GOOD * 3 + b"GARBAGE\r\n\r\n",
)


def spoil(message: bytes, random: Random) -> bytes:
    """The same with some bytes lost, doubled or changed, or its end cut off."""
    spoiled_bytes = bytearray(message)
    changes: tuple[Callable[[int], object], ...] = (
        lambda place: spoiled_bytes.__delitem__(slice(place, None)),
        lambda place: spoiled_bytes.__delitem__(slice(place, place + random.randint(1, 8))),
        lambda place: spoiled_bytes.insert(place, random.randrange(256)),
        lambda place: spoiled_bytes.__setitem__(place, random.randrange(256)),
        lambda place: spoiled_bytes.__setitem__(slice(place, place), spoiled_bytes[place : place + 20]),
    )
    for _ in range(random.randint(1, 3)):
        if spoiled_bytes:
            random.choice(changes)(random.randrange(len(spoiled_bytes)))
    return bytes(spoiled_bytes)
