"""A proxy that asks ``/auth/check``."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from webob import Request, Response

CHECK = "/auth/check"
FROM = "127.0.0.1"
FRONT = "https://front.example.org"
"""Of the settings, a page that may use the cookie."""
VARYING = ("Date", "X-Request-Id")
TOLD = ("User", "User-Id", "Scopes", "Credential", "Name", "Email")
"""``X-Auth-…``."""


class Proxy:
    """Asks the application.

    :param address: its own, as the server has it
    """

    def __init__(self, wsgi: Any, address: str = FROM) -> None:
        self._wsgi = wsgi
        self._address = address

    def ask(
        self,
        query: str = "",
        headers: Mapping[str, str] = {},
        *,
        method: str = "GET",
        address: str | None = None,
        path: str = CHECK,
        body: bytes = b"",
    ) -> Response:
        """One check.

        :param headers: as WSGI has them: each character is a byte
        """
        request = Request.blank(
            path, {"REMOTE_ADDR": self._address if address is None else address}, method=method, body=body
        )
        request.environ["QUERY_STRING"] = query
        for name, value in headers.items():
            request.environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return request.get_response(self._wsgi)

    def told(self, query: str = "", headers: Mapping[str, str] = {}) -> dict[str, str]:
        """What it says of somebody who may."""
        answer = self.ask(query, headers)
        assert answer.status_int == 200, (answer.status, answer.text)
        assert answer.body == b""
        return told_by(answer)


def told_by(answer: Response) -> dict[str, str]:
    """The ``X-Auth-…`` of an answer, without that."""
    return {name[len("X-Auth-") :]: value for name, value in answer.headerlist if name.startswith("X-Auth-")}


def seen(answer: Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """All that tells answers apart."""
    return answer.status_int, [item for item in answer.headerlist if item[0] not in VARYING], answer.body


def key(api_key: str) -> dict[str, str]:
    return {"X-Api-Key": api_key}


def url(api_key: str, name: str = "X-Original-URI") -> dict[str, str]:
    return {name: f"/app/page?a=1&api_key={quote(api_key, safe='')}&b=2"}
