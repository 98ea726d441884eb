"""Requests to a server process, and how long their answers took."""

import time
from contextlib import closing
from http.client import HTTPConnection
from typing import NamedTuple

from tests.support.servers import Server


class Answer(NamedTuple):
    """
    :ivar asked: when (``time.monotonic``)
    """

    asked: float
    seconds: float
    status: int
    retry_after: str | None

    @property
    def ended(self) -> float:
        """When it came."""
        return self.asked + self.seconds


def ask(server: Server, method: str, path: str) -> Answer:
    """One call without a body, over a connection of its own."""
    began = time.monotonic()
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        answer.read()
        return Answer(began, time.monotonic() - began, answer.status, answer.getheader("Retry-After"))
