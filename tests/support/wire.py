"""HTTP written byte by byte, to a server process: also what no client would send."""

import re
import selectors
import socket
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException, HTTPMessage, HTTPResponse
from time import monotonic
from typing import NamedTuple, Self

PATIENCE = 30.0
"""Seconds that an answer may take."""
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


class Reply(NamedTuple):
    """What came back for one request."""

    status: int
    headers: HTTPMessage
    body: bytes


class Dropped(Exception):
    """The server closed the connection instead of answering."""


class Wire:
    """One connection after the other; a further one only where the server said that it closes the last."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, request: bytes, method: str = "GET") -> Reply:
        """
        :param request: a whole one
        :param method: of it, which says whether the answer has a body
        :raises Dropped: there was no whole answer
        """
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        response = HTTPResponse(self._socket, method=method)
        try:
            self._socket.sendall(request)
            response.begin()
            body = response.read()
        except (OSError, HTTPException) as error:
            self.close()
            raise Dropped(repr(error)) from error
        if response.will_close:
            self.close()
        return Reply(response.status, response.msg, body)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def exchange(port: int, messages: Sequence[bytes], *, seconds: float) -> list[bytes]:
    """All that a server says to each of some messages, which are sent at once, a connection each.

    :param seconds: after which everybody has said what he had to say
    """
    connections = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in messages]
    said = [b""] * len(messages)
    with selectors.DefaultSelector() as waiting:
        for number, (connection, message) in enumerate(zip(connections, messages, strict=True)):
            with suppress(OSError):  # refused before it was sent to its end
                connection.sendall(message)
            waiting.register(connection, selectors.EVENT_READ, number)
        end = monotonic() + seconds
        while waiting.get_map() and (left := end - monotonic()) > 0:
            for key, _ in waiting.select(left):
                part = _receive(connections[key.data])
                said[key.data] += part
                if not part:
                    waiting.unregister(key.fileobj)
    for connection in connections:
        connection.close()
    return said


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def statuses_of(said: bytes) -> list[int]:
    """Of all answers in it, in their order."""
    return [int(status) for status in _STATUS_LINE.findall(said)]
