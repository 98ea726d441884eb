"""A request as granian has it becomes one of WSGI as waitress makes it, and the answer goes back.

granian calls from a thread of its own for each request whose headers are there. The body is received here,
whole, before the application is asked: a client who is slow to send keeps nobody but himself waiting.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from io import BytesIO
from operator import itemgetter
from queue import SimpleQueue
from tempfile import TemporaryFile
from time import monotonic
from typing import IO, Any, NamedTuple, Protocol

from accountsapp.server.connections import REFUSAL_HEADERS, refusal

PART = 16_384
"""Bytes of a body that are asked for at a time."""

Headers = list[tuple[str, str]]

CLOSE = ("Connection", "close")

_value_of = itemgetter(1)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Reply(Protocol):
    """granian's end of a request, for one answer."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...
    def response_iter(self, status: int, headers: Headers, body: Iterator[bytes]) -> None: ...


class Limits(NamedTuple):
    """
    :ivar threads: requests that the application works on at a time; others wait for their turn
    :ivar largest_body: bytes
    :ivar largest_in_memory: bytes of a body that are not put into a temporary file
    """

    threads: int
    largest_body: int
    largest_in_memory: int


class Refused(Exception):
    """It is no request for the application."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail


class Requests:
    """Answers requests with a WSGI application.

    :param every: what each environ has
    :param prefix: the path of the site, which a request's may begin with
    :param part_of_body: surrounds the receiving of each part of a body

    :ivar are_last: whether each connection ends with its next answer
    :ivar answered: when there was an answer last (:func:`time.monotonic`)
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        limits: Limits,
        every: Mapping[str, object],
        prefix: str,
        part_of_body: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._application = application
        self._limits = limits
        self._every = {**every, "SCRIPT_NAME": prefix}
        self._prefix = prefix
        self._part_of_body = part_of_body
        self.are_last = False
        self.answered = 0.0
        self._turns: SimpleQueue[None] = SimpleQueue()
        for _ in range(limits.threads):
            self._turns.put(None)

    def __call__(self, reply: Reply, environ: dict[str, Any]) -> None:
        try:
            request_body = self._complete(environ)
        except Refused as refused:
            body = refusal(refused.status.phrase, refused.detail)
            headers = [*REFUSAL_HEADERS, ("Content-Length", str(len(body))), CLOSE]
            reply.response_bytes(refused.status, headers, body)
            return
        with request_body:
            status, headers, body_parts = self._ask(environ)
        if self.are_last:
            headers = [*headers, CLOSE]
        self.answered = monotonic()
        if environ["REQUEST_METHOD"] == "HEAD":
            _close(body_parts)
            reply.response_bytes(status, headers, b"")
        elif isinstance(body_parts, list):
            reply.response_bytes(status, headers, b"".join(body_parts))
        else:
            reply.response_iter(status, headers, _each(body_parts))

    def _ask(self, environ: dict[str, Any]) -> tuple[int, Headers, Iterable[bytes]]:
        status, headers = 0, []

        def start_response(line: str, fields: Headers, exc_info: object = None) -> None:
            nonlocal status, headers
            status, headers = int(line[:3]), fields

        self._turns.get()
        try:
            body = self._application(environ, start_response)
            if not status:
                body = [*body]  # a generator, which says it when it begins
        finally:
            self._turns.put(None)
        return status, _sendable(headers), body

    def _complete(self, environ: dict[str, Any]) -> IO[bytes]:
        """Make it what waitress hands on.

        :returns: its body, which is to be closed
        :raises Refused: it is no request of HTTP, or too large
        """
        environ.update(self._every)
        path = environ["PATH_INFO"]
        if self._prefix or path.startswith("//"):
            environ["PATH_INFO"] = self._path(path)
        host = environ["HTTP_HOST"]
        if not host:
            if environ["SERVER_PROTOCOL"] == "HTTP/1.1":
                raise Refused(HTTPStatus.BAD_REQUEST, "One Host is needed")
            del environ["HTTP_HOST"]
        elif "," in host:
            raise Refused(HTTPStatus.BAD_REQUEST, "One Host is needed")
        if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
            body: IO[bytes] = self._received(environ)
        else:
            body = BytesIO()
        environ["wsgi.input"] = body
        return body

    def _path(self, path: str) -> str:
        if path.startswith("//"):
            path = "/" + path.lstrip("/")
        if self._prefix and (path == self._prefix or path.startswith(f"{self._prefix}/")):
            return path[len(self._prefix) :]
        return path

    def _received(self, environ: Mapping[str, Any]) -> IO[bytes]:
        """The whole body.

        granian does not tell a body in chunks that was cut off from one that is whole: none is taken.
        """
        if "HTTP_TRANSFER_ENCODING" in environ:
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "A body needs a Content-Length")
        rest = int(environ["CONTENT_LENGTH"])
        if rest > self._limits.largest_body:
            detail = f"exceeds max_body of {self._limits.largest_body}"
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        source = environ["wsgi.input"]
        body: IO[bytes] = BytesIO() if rest <= self._limits.largest_in_memory else TemporaryFile()  # noqa: SIM115
        while rest:
            with self._part_of_body():
                part = source.read(min(rest, PART))
            if not part:
                body.close()
                raise Refused(HTTPStatus.BAD_REQUEST, "The body ends too early")
            rest -= body.write(part)
        body.seek(0)
        return body


def _sendable(headers: Headers) -> Headers:
    """granian sends texts as UTF-8, WSGI means them as Latin-1; what is no header ends granian's process.

    :raises ValueError: control characters, or what is UTF-8 in neither sense
    """
    values = "".join(map(_value_of, headers))
    if values.isascii() and values.isprintable():
        return headers
    if _CONTROL.search(values):
        raise ValueError("control characters in a header")
    return [(name, value.encode("latin-1").decode()) for name, value in headers]


def _each(body: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from body
    finally:
        _close(body)


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()
