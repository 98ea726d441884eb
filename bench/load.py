"""Load on several connections at once, each with one request under way, from one thread."""

import selectors
import socket
from collections.abc import Iterator, Sequence
from time import perf_counter

from bench.client import Job


class _Connection:
    """One keep-alive connection: the head of the answer so far, then how much of its body is missing."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = b""
        self._left: int | None = None
        self.since = 0.0

    def send(self, request: bytes) -> None:
        self._head, self._left = b"", None
        self.since = perf_counter()
        self.socket.sendall(request)

    def receive(self, status: int) -> bool:
        """Whether the answer is whole now.

        :raises AssertionError: it has another status
        """
        part = self.socket.recv(65536)
        assert part, "the server closed the connection"
        if self._left is None:
            head, end, part = (self._head + part).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return False
            assert head.startswith(b"HTTP/1.1 %d " % status), head + part
            self._left = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        self._left -= len(part)
        return self._left <= 0


def latencies(ports: Sequence[int], job: Job, count: int, connections: int) -> list[float]:
    """Seconds that each of ``count`` requests took.

    :param connections: to each port
    :raises AssertionError: an answer has another status than the job's
    """
    opened = [_Connection(port) for port in ports for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(job.requests))
        try:
            return _measure(selector, job, count, len(opened))
        finally:
            for connection in opened:
                connection.socket.close()


def _measure(selector: selectors.BaseSelector, job: Job, count: int, under_way: int) -> list[float]:
    taken: list[float] = []
    to_send = count - under_way
    while len(taken) < count:
        for connection in _ready(selector):
            if not connection.receive(job.status):
                continue
            taken.append(perf_counter() - connection.since)
            if to_send > 0:
                to_send -= 1
                connection.send(next(job.requests))
    return taken


def _ready(selector: selectors.BaseSelector) -> Iterator[_Connection]:
    return (key.data for key, _ in selector.select())


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which that part of them is."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
