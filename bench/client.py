"""The load: a few keep-alive connections over plain sockets, each with one request under way."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

from bench.server import Server

CONNECTIONS = 4
HEADERS = "Host: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n"


@dataclass(frozen=True)
class Job:
    """One kind of request, endlessly many of it.

    :ivar status: what every answer must have
    """

    name: str
    requests: Iterator[bytes]
    status: int = 200


def get(path: str, more_headers: str = "") -> bytes:
    """A request for the path."""
    return f"GET {path} HTTP/1.1\r\n{HEADERS}{more_headers}\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    """A form sent to the path."""
    return send("POST", path, body, "application/x-www-form-urlencoded")


def send(method: str, path: str, body: bytes, content_type: str, more_headers: str = "") -> bytes:
    """A request with a body."""
    length = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{method} {path} HTTP/1.1\r\n{HEADERS}{more_headers}{length}\r\n".encode() + body


def cpu_per_request(server: Server, job: Job, count: int) -> float:
    """Seconds of CPU that one request of the job takes in the server's process.

    :raises AssertionError: an answer has another status than the job's
    """
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(CONNECTIONS)]
    try:
        before = server.cpu_seconds()
        for _ in range(count // CONNECTIONS):
            for connection in connections:
                connection.sendall(next(job.requests))
            for connection in connections:
                _expect(connection, job)
        return (server.cpu_seconds() - before) / (count // CONNECTIONS * CONNECTIONS)
    finally:
        for connection in connections:
            connection.close()


def _expect(connection: socket.socket, job: Job) -> None:
    """Read one answer whole."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length")
    )
    while len(body) < length:
        body += _receive(connection)
    assert head.startswith(b"HTTP/1.1 %d " % job.status), head + body


def _receive(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    assert received, "the server closed the connection"
    return received
