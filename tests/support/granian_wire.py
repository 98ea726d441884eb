"""Requests of tests go to granian and come back over a socket: ``pytest --server granian``.

It runs in the process of the tests, so that these can go on to change clocks and settings under it.
"""

import socket
from collections.abc import Callable, Iterable
from http.client import HTTPResponse
from typing import Any
from urllib.parse import quote

from waitress.adjustments import Adjustments

from accountsapp.server.granian_server import Server

PROXY = "127.0.0.9"
"""The address that tests come from; what they say of a client's is believed. It is nobody's who may more."""
PATH = "/:@!$&'()*+,;=~-._"
"""What stands in a path as it is."""
ADDED = ("date", "server", "connection")
"""Headers that every server adds."""


BEYOND_ASCII = "bytes beyond ASCII in a header"
CONTROL = "control characters in a header"
DIFFERENCES = {
    "test_sessions_that_are_none": BEYOND_ASCII,
    "test_s42_tokens_that_are_forged": BEYOND_ASCII,
    "test_the_header": BEYOND_ASCII,
    "test_signing_in_does_not_loop": BEYOND_ASCII,
    "test_row_2_bad_credentials_are_401": CONTROL,
    "test_every_bad_credential_has_the_same_bytes": CONTROL,
    "test_odd_headers_are_no_fault_of_ours": CONTROL,
    "test_where_no_api_rules_a_browser_gets_a_page": CONTROL,
    "test_an_undecodable_query_is_refused": "more than 64 KiB in a request line",
    "test_nobody_is_told_what_is_wrong_with_his_request": "more than 64 KiB in a request line",
    "test_a_mistake_in_the_query_lets_nobody_in": "headers that are too large",
    "test_a_form_of_a_signed_in_person_that_is_not_taken_leads_back": "angle brackets in a request line",
    "test_methods": "the length of an empty answer to HEAD",
    "test_a_plain_read_enters_no_module_more_than_three_times": "what is counted in the thread of the test",
}
"""Tests that are about what granian does otherwise (``docs/granian.rst``): they go past it."""


class Granian:
    """One server for one application after the other.

    :ivar app: the present one
    """

    app: Any

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        adjustments = Adjustments(
            listen=f"127.0.0.1:{self.port}",
            threads="16",
            connection_limit="200",
            trusted_proxy=PROXY,
            trusted_proxy_count="1",
            trusted_proxy_headers="forwarded",
            max_request_body_size="16777216",
        )
        self._server = Server(self._ask, adjustments, [listener], prefix="")
        self._server.start()

    def _ask(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body: Iterable[bytes] = self.app(environ, start_response)
        return body

    def stop(self) -> None:
        self._server.stop()
        self._server.join()


class OverTheWire:
    """An application as its clients see it (WSGI).

    :ivar registry: its own
    """

    def __init__(self, granian: Granian, app: Any) -> None:
        self._granian = granian
        self._app = app
        self.registry = app.registry

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self._granian.app = self._app
        with socket.create_connection(("127.0.0.1", self._granian.port), 60, (PROXY, 0)) as connection:
            connection.sendall(_request(environ))
            answer = HTTPResponse(connection, method=environ["REQUEST_METHOD"])
            answer.begin()
            body = answer.read()
        headers = [
            ("-".join(word.capitalize() for word in name.split("-")), value)
            for name, value in answer.getheaders()
            if name not in ADDED
        ]
        start_response(f"{answer.status} {answer.reason}", headers)
        return [body]


def _request(environ: dict[str, Any]) -> bytes:
    path = quote(environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"], safe=PATH, encoding="latin-1")
    query = quote(environ.get("QUERY_STRING", ""), safe=f"{PATH}%?[]", encoding="latin-1")
    lines = [f"{environ['REQUEST_METHOD']} {path}{'?' if query else ''}{query} HTTP/1.1"]
    headers = {"HTTP_HOST": environ.get("SERVER_NAME", "localhost"), **environ, **_forwarded(environ)}
    headers["HTTP_CONNECTION"] = "close"
    for name, value in headers.items():
        if name.startswith("HTTP_"):
            lines.append(f"{name[5:].replace('_', '-')}: {value}")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if environ.get("CONTENT_TYPE"):
        lines.append(f"Content-Type: {environ['CONTENT_TYPE']}")
    if environ.get("CONTENT_LENGTH"):
        lines.append(f"Content-Length: {environ['CONTENT_LENGTH']}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _forwarded(environ: dict[str, Any]) -> dict[str, str]:
    """How the test's client is told of: as a proxy does."""
    before = environ.get("HTTP_FORWARDED")
    address = environ.get("REMOTE_ADDR") or PROXY
    client = f"[{address}]" if ":" in address else address
    own = f'for="{client}";proto={environ.get("wsgi.url_scheme", "http")}'
    return {"HTTP_FORWARDED": f"{before}, {own}" if before else own}
