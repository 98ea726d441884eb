"""Credentials of a request that a proxy asks about: in its headers, and in the URL that it is for.

An account that is not active has none, and nothing is written because of one.
"""

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from accountsapp.domain.credentials import sessions
from accountsapp.domain.oauth.tokens import ACCESS_PREFIX
from accountsapp.security import session_cookie
from accountsapp.security.credentials import ApiKeyParameter, Bearer, Place, SessionCookie, by_api_key
from accountsapp.security.identity import Identity, Nobody, Reason

if TYPE_CHECKING:
    from accountsapp.web.request import Request

PARAMETER = "api_key"
HEADER = "HTTP_X_API_KEY"
URLS = ("HTTP_X_ORIGINAL_URI", "HTTP_X_ORIGINAL_URL", "HTTP_X_FORWARDED_URI")
"""Where proxies say what the request is for."""


class ProxiedApiKey:
    """An API key in ``X-Api-Key``, or as ``api_key`` in the query of the URL that the request is for.

    All values given, in all places, must be the same string; an empty one is bad, not absent.
    """

    kind = "proxied api_key"

    def identify(self, request: "Request") -> Identity | Nobody | None:
        environ = request.environ
        values = [value for name in URLS if name in environ for value in api_keys_in(environ[name])]
        if HEADER in environ:
            values.append(_decoded(environ[HEADER]))
        if not values:
            return None
        agreed = values[0] if values.count(values[0]) == len(values) else None
        place = Place.HEADER if HEADER in environ else Place.QUERY
        return _by_active_api_key(request, agreed, place)


class ApiKeyOrToken(Bearer):
    """``Authorization: Bearer``: an API key, or an access token of an account."""

    def identify(self, request: "Request") -> Identity | Nobody | None:
        scheme, _, rest = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        value = rest.strip(" \t")
        if value.startswith(ACCESS_PREFIX):
            caller = super().identify(request)
            if isinstance(caller, Identity):
                return caller if caller.account is not None else Nobody(Reason.UNKNOWN)
            if caller != Nobody(Reason.UNKNOWN):
                return caller
        return _by_active_api_key(request, _decoded(value), Place.BEARER)


class RequestedSession(SessionCookie):
    """The cookie of a session, where the check's own query has ``session=1``."""

    kind = "requested session"

    def identify(self, request: "Request") -> Identity | Nobody | None:
        if ("session", "1") not in request.parameters.query:
            return None
        store = request.store
        for value in session_cookie.values_in(request):
            session = sessions.find(store.connection, value, store.columns)
            if session is not None:
                if session.needs_touch:
                    sessions.touch(store.begin, session.id)
                account, proof = session.account, session.proof
                return Identity(account, SessionCookie.kind, secret=value, proof=proof)
        return None


def api_keys_in(url: str) -> list[str | None]:
    """The values of ``api_key`` in the query of a path or an URL.

    :param url: as a header has it
    :returns: None for a value that is not UTF-8; the name counts as it is written alone
    """
    query = url.partition("#")[0].partition("?")[2]
    parts = (part.partition("=") for part in query.split("&"))
    return [_decoded(value, is_escaped=True) for name, _, value in parts if name == PARAMETER]


def _by_active_api_key(request: "Request", api_key: str | None, place: Place) -> Identity | Nobody:
    caller = by_api_key(request, ApiKeyParameter.kind, api_key or "", place)
    return caller if isinstance(caller, Nobody) or caller.is_active else Nobody(Reason.INACTIVE)


def _decoded(value: str, *, is_escaped: bool = False) -> str | None:
    """A value of WSGI, whose characters are bytes, as text; None where it is not UTF-8."""
    try:
        sent = value.encode("latin-1")
        return (unquote_to_bytes(sent.replace(b"+", b" ")) if is_escaped else sent).decode()
    except UnicodeError:
        return None
