"""What is ours of waitress for each connection: what is no request is refused, answers sent in one piece."""

import json
import re
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from operator import itemgetter
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import FixedStreamReceiver
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import build_http_date

from accountsapp.web.answers import HEADERS
from accountsapp.web.cors import OF_NO_API

REFUSAL_HEADERS = (("Content-Type", "application/json"), *HEADERS, *OF_NO_API)

_PLAIN_HEAD = re.compile(
    r"([A-Z]+) ((/(?!/)[\w.~!$&'()*+,;=:@/-]*)(?:\?([\w.~!$&'()*+,;=:@/?%-]*))?) HTTP/1\.1\r\n"
    r"((?:[A-Za-z0-9-]+:[ -~]*\r\n)+)\r\n",
    re.ASCII,
)
"""Of a request with nothing to decode or to join. Waitress reads all others, three times as slowly."""
_UNUSUAL = frozenset(("EXPECT", "TRANSFER_ENCODING"))
"""Headers of requests that waitress reads."""
CLOSE = "close"
MOST_DIGITS = 9
"""Of the length of a body whose head is plain."""


class Parser(HTTPRequestParser):
    """A request of HTTP/1.1 has one ``Host`` (RFC 9112 3.2).

    :ivar is_ambiguous: whether others may take its body for a longer or a shorter one
    """

    is_ambiguous = False

    def received(self, data: bytes) -> int:
        """Nobody is told to continue with what is whole or refused: waitress would wait for more of it, and
        take the next request on the connection for its headers.
        """
        consumed: int = super().received(data)
        if self.completed:
            self.expect_continue = False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        plain = _PLAIN_HEAD.fullmatch(header_plus.decode("latin-1"))
        if plain is None or not self._take(*plain.groups(default="")):
            super().parse_header(header_plus)
            self.is_ambiguous = self.chunked and "CONTENT_LENGTH" in self.headers
        host = self.headers.get("HOST")
        # Waitress joins those of one name by commas, and no name of a host has one.
        if (self.version == "1.1" and host is None) or "," in (host or ""):
            raise ParsingError("One Host is needed")

    def _take(self, command: str, uri: str, path: str, query: str, fields: str) -> bool:
        """Become what waitress makes of a plain head.

        :returns: whether it is so plain; if not, nothing was taken
        """
        lines = fields.splitlines()
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.upper().replace("-", "_")] = value.strip(" ")
        length = headers.get("CONTENT_LENGTH", "0")
        is_known_length = length.isdecimal() and len(length) <= MOST_DIGITS
        if len(headers) < len(lines) or not is_known_length or not _UNUSUAL.isdisjoint(headers):
            return False
        self.headers = headers
        self.command, self.version, self.request_uri = command, "1.1", uri
        self.path, self.query, self.fragment = path, query, ""
        self.proxy_scheme = self.proxy_netloc = ""
        self.url_scheme = self.adj.url_scheme
        self.connection_close = headers.get("CONNECTION", "").lower() == "close"
        self.content_length = int(length)
        if self.content_length:
            buffer = OverflowableBuffer(self.adj.inbuf_overflow)
            self.body_rcv = FixedStreamReceiver(self.content_length, buffer)
        return True


def refusal(reason: str, detail: str) -> bytes:
    """The body of the answer to what is no request; :data:`REFUSAL_HEADERS` belong to it."""
    return json.dumps({"error": f"{reason}: {detail}."}).encode()


class Refusal(ErrorTask):
    """Tells in JSON why something is no request; a page of any origin may read it."""

    def execute(self) -> None:
        error = self.request.error
        self.status = f"{error.code} {error.reason}"
        body = refusal(error.reason, error.body)
        self.response_headers.extend(REFUSAL_HEADERS)
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Answering(WSGITask):
    """Sends an answer as waitress does, byte for byte, in fewer steps where its length is known and the
    connection stays.
    """

    wrote_header: bool

    def build_response_header(self) -> bytes:
        if self._is_last():
            self.request.headers["CONNECTION"] = "close"  # as if that were all that the client had said
        names, values = zip(*self.response_headers, strict=True) if self.response_headers else ((), ())
        layout = _layout(names)
        if layout is None or not self._is_plain():
            head: bytes = super().build_response_header()
            return head
        form, order = layout
        values += (_date(int(self.start_time)), str(self.content_length))
        return (form % (self.status, *order(values))).encode("latin-1")

    def _is_last(self) -> bool:
        """Whether the connection ends with it, though waitress does not see why (RFC 9112 6.3 and 9.6)."""
        connection = self.request.headers.get("CONNECTION", "")
        return (
            (self.channel.is_ending and len(self.channel.requests) == 1)
            or self.request.is_ambiguous
            or ("," in connection and CLOSE in [option.strip() for option in connection.lower().split(",")])
        )

    def _is_plain(self) -> bool:
        """Whether waitress would add date and length alone, and take nothing away."""
        return (
            self.content_length is not None
            and self.has_body
            and self.version == "1.1"
            and self.request.headers.get("CONNECTION", "").lower() != "close"
            and not self.channel.server.adj.ident
        )

    def write(self, data: bytes) -> None:
        """Head and body go together where that is all: each packet is work for both sides."""
        is_all = self.complete and not self.wrote_header and len(data) == self.content_length
        if not is_all or not self.has_body:
            super().write(data)
            return
        self.channel.write_soon(self.build_response_header() + data)
        self.wrote_header = True
        self.content_bytes_written = len(data)


@lru_cache(maxsize=256)
def _layout(names: tuple[str, ...]) -> tuple[str, Callable[[Sequence[str]], tuple[str, ...]]] | None:
    """How an answer with headers of these names begins, if waitress would add date and length alone.

    :returns: a form for the status and the values, and what puts those, with date and length behind them,
        into its order
    """
    written = ["-".join([word.capitalize() for word in name.split("-")]) for name in (*names, "Date")]
    if "Server" in written or written.count("Date") > 1 or any("%" in name for name in written):
        return None
    if "Content-Length" not in written:
        written.append("Content-Length")
    order = sorted(range(len(written)), key=written.__getitem__)
    lines = "".join([f"{written[place]}: %s\r\n" for place in order])
    return f"HTTP/1.1 %s\r\n{lines}\r\n", itemgetter(*order)


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    date: str = build_http_date(second)
    return date


class Channel(HTTPChannel):
    """The connection of one client.

    :ivar is_ending: whether it ends with the answer to the last request that was sent by then
    :ivar ended: when the client was told that nothing more comes (``time.time``); None before
    """

    parser_class = Parser
    task_class = Answering
    error_task_class = Refusal
    is_ending = False
    ended: float | None = None

    @property
    def is_idle(self) -> bool:
        """Whether the client waits for nothing."""
        return not self.requests and self.request is None and not self.total_outbufs_len

    def end(self) -> None:
        """Tell the client that nothing more comes.

        What he sends all the same is read, and forgotten: to close a connection on which something is unread
        resets it, and he may lose the last answer by that.
        """
        self.close_when_flushed = True
        self.ended = time.time()
        with suppress(OSError):  # he is gone
            self.socket.shutdown(socket.SHUT_WR)

    def readable(self) -> bool:
        return not self.will_close if self.ended is not None else bool(super().readable())

    def writable(self) -> bool:
        return self.will_close if self.ended is not None else bool(super().writable())

    def handle_write(self) -> None:
        """Of an ending connection, instead of closing it, only our side is ended after the last answer."""
        if not self.is_ending or not self.close_when_flushed or self.will_close:
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if not self.total_outbufs_len and not self.will_close:
            self.end()

    def write_soon(self, data: Any) -> int:
        """What the socket takes at once goes past the buffer."""
        sent = self._send_at_once(data) if type(data) is bytes else 0
        if sent == len(data):
            return sent
        return sent + int(super().write_soon(data[sent:] if sent else data))

    def _send_at_once(self, data: bytes) -> int:
        """How many bytes the socket took; none where others wait to be sent before them."""
        with self.outbuf_lock:
            if self.total_outbufs_len or not self.connected or len(data) < self.adj.send_bytes:
                return 0
            try:
                sent: int = self.send(data, do_close=False)
            except OSError:
                return 0  # waitress meets it too, and sees to it
            self.last_activity = time.time()
            return sent
