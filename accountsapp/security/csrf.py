"""The token that unsafe requests with a cookie must carry.

It is the keyed hash of the ``sessionid`` cookie's value: bound to the session, good as long as it, a new one
after sign-in, and nothing to store. Visitors have a cookie too, that opens nothing.
"""

import hmac
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken
from pyramid.interfaces import ICSRFStoragePolicy
from zope.interface import implementer

from accountsapp.domain.credentials import sessions
from accountsapp.domain.rules.digests import digest_of
from accountsapp.security.identity import Identity
from accountsapp.security.session_cookie import KIND, set_cookie, values_in
from accountsapp.security.visitors import new_visitor

if TYPE_CHECKING:
    from accountsapp.web.request import Request

FIELD = "csrf_token"
HEADER = "X-CSRFToken"
_PURPOSE = "csrf"


@implementer(ICSRFStoragePolicy)
class SessionTokens:
    """Pyramid's storage of tokens, which here are made from the session's cookie whenever they are needed."""

    def new_csrf_token(self, request: "Request") -> str:
        """The token of a new visitor's cookie, which the answer sets."""
        value = new_visitor(request.store.keyring)
        request.environ["accountsapp.new_session"] = value
        request.add_response_callback(lambda _request, response: set_cookie(request, response, value))
        return _token(request, value)

    def get_csrf_token(self, request: "Request") -> str:
        """The token of the request's session; a visitor without one gets a cookie with the answer."""
        values = _values_that_count(request) or [request.environ.get("accountsapp.new_session")]
        return _token(request, values[0]) if values[0] else self.new_csrf_token(request)

    def check_csrf_token(self, request: "Request", supplied_token: str) -> bool:
        """Whether the token is that of the session which the request presents, or of one whose place this
        session took.
        """
        if not supplied_token.isascii():
            return False
        keyring, values = request.store.keyring, _values_that_count(request)
        digests = (digest for value in values for digest in keyring.digests(_PURPOSE, value))
        if any(hmac.compare_digest(_encode(digest), supplied_token) for digest in digests):
            return True
        caller = request.policy.caller(request)
        if not isinstance(caller, Identity) or caller.kind != KIND or caller.secret is None:
            return False
        return form_of(supplied_token) in sessions.former_forms(request.store.connection, caller.secret)


def form_of(token: str) -> str:
    """What a session remembers of the token in its forms (:func:`sessions.replace`)."""
    return digest_of(token).hex()


def check(request: "Request", *, in_body: bool) -> None:
    """Look at ``Origin``, and at the header ``X-CSRFToken``.

    :param in_body: whether the parameter ``csrf_token`` of the body counts too: where it is a form
    :raises BadCSRFOrigin: a foreign origin
    :raises BadCSRFToken: no token, or one of another session
    """
    origin = request.headers.get("Origin")
    if origin is not None and not is_own_origin(request, origin):
        raise BadCSRFOrigin("CSRF validation failed: foreign origin.")
    token = request.headers.get(HEADER)
    if not token and in_body:
        token = request.parameters.last_in_body(FIELD)
    if not values_in(request) or not isinstance(token, str) or not token.isascii():
        raise BadCSRFToken("CSRF validation failed: token missing.")
    if not _is_good(request, token):
        raise BadCSRFToken("CSRF validation failed: token wrong.")


def has_header(request: "Request") -> bool:
    """Whether the header ``X-CSRFToken`` has the token of the request's session."""
    token = request.headers.get(HEADER)
    return bool(token) and bool(values_in(request)) and _is_good(request, token)


def _is_good(request: "Request", token: str) -> bool:
    good: bool = request.registry.getUtility(ICSRFStoragePolicy).check_csrf_token(request, token)
    return good


def _values_that_count(request: "Request") -> list[str]:
    """The cookie whose token counts: the session's of who is signed in, else any that the visitor has.

    Not any in both cases: what other sites of the domain put into the browser must not stand for the session.
    """
    caller = request.policy.caller(request)
    if isinstance(caller, Identity) and caller.kind == KIND:
        return [caller.secret] if caller.secret is not None else []
    return values_in(request)


def is_own_origin(request: "Request", origin: str) -> bool:
    """Whether it is the site's own, or one of ``accountsapp.cors_origins``."""
    return origin in (site_origin(request), *request.app_settings.cors_origins)


def site_origin(request: "Request") -> str:
    """The origin of our own pages."""
    site = urlsplit(request.app_settings.site_url)
    return f"{site.scheme}://{site.netloc}"


def _token(request: "Request", value: str) -> str:
    return _encode(request.store.keyring.digest(_PURPOSE, value))


def _encode(digest: bytes) -> str:
    return urlsafe_b64encode(digest).decode("ascii").rstrip("=")
