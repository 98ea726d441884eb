"""The token that unsafe requests with a cookie must carry.

It is the keyed hash of the ``sessionid`` cookie's value: bound to the session, good as long as it, a new one
after sign-in, and nothing to store. Visitors have a cookie too, that opens nothing.
"""

import hmac
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlsplit

from pyramid.httpexceptions import HTTPBadRequest

from accountsapp.domain.credentials import sessions
from accountsapp.security import session_cookie

FIELD = "csrf_token"
HEADER = "X-CSRFToken"
_PURPOSE = "csrf"


def token_for(request: Any) -> str:
    """The token of the request's session; a visitor without one gets a cookie with the answer."""
    value = request.cookies.get(session_cookie.NAME)
    if not value:
        value = request.environ.setdefault("accountsapp.new_session", sessions.new_value())
        request.add_response_callback(
            lambda _request, response: session_cookie.set_on(request, response, value)
        )
    return _encode(request.store.keyring.digest(_PURPOSE, value))


def check(request: Any) -> None:
    """Look at the header ``X-CSRFToken``, else at the form field ``csrf_token``, and at ``Origin``.

    :raises HTTPBadRequest: no token, one of another session, or a foreign origin
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _is_ours(request, origin):
        raise HTTPBadRequest("CSRF validation failed: foreign origin.")
    token = request.headers.get(HEADER) or request.parameters.last_in_body(FIELD)
    value = request.cookies.get(session_cookie.NAME)
    if not value or not isinstance(token, str) or not token.isascii():
        raise HTTPBadRequest("CSRF validation failed: token missing.")
    expected = request.store.keyring.digests(_PURPOSE, value)
    if not any(hmac.compare_digest(_encode(digest), token) for digest in expected):
        raise HTTPBadRequest("CSRF validation failed: token wrong.")


def _is_ours(request: Any, origin: str) -> bool:
    site = urlsplit(request.app_settings.site_url)
    return origin in (f"{site.scheme}://{site.netloc}", *request.app_settings.cors_origins)


def _encode(digest: bytes) -> str:
    return urlsafe_b64encode(digest).decode("ascii").rstrip("=")
