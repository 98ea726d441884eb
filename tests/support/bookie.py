"""A client that speaks Bookie."""

import json as json_module
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from webtest import TestApp, TestResponse

FIVE_CALLS = (
    ("GET", "/account"),
    ("POST", "/account"),
    ("GET", "/api_key"),
    ("POST", "/api_key"),
    ("POST", "/reset_api_key"),
    ("POST", "/password"),
    ("POST", "/account/password"),
)
"""Each path of each of the five calls on an account, below its name."""

Pairs = Mapping[str, object] | Sequence[tuple[str, object]]


class Bookie:
    """Calls below ``/api/v1``; every status is an answer.

    ``query`` and ``form`` are pairs, or text that is sent as it is; ``json`` is made a body.
    """

    def __init__(self, app: TestApp) -> None:
        self.app = app

    def __call__(
        self,
        method: str,
        path: str,
        *,
        query: Pairs | str = "",
        form: Pairs | str | None = None,
        json: object = None,
        body: bytes = b"",
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        if form is not None:
            body = (form if isinstance(form, str) else urlencode(form)).encode("latin-1")
            content_type = content_type or "application/x-www-form-urlencoded"
        if json is not None:
            body = json_module.dumps(json).encode()
            content_type = content_type or "application/json"
        sent = dict(headers or {})
        if content_type is not None:
            sent["Content-Type"] = content_type
        query = query if isinstance(query, str) else urlencode(query)
        return self.app.request(
            f"/api/v1{path}" + (f"?{query}" if query else ""),
            method=method,
            body=body,
            headers=sent,
            expect_errors=True,
        )


def in_path(username: str) -> str:
    """The username as a segment of a path."""
    return quote(username, safe="")
