"""The cookie of a session: what it is called, how it is read, and how a client is given one."""

from itertools import islice
from typing import TYPE_CHECKING, Protocol

from pyramid.response import Response

from accountsapp.domain.credentials import sessions
from accountsapp.domain.data.reads import AccountRow
from accountsapp.security.visitors import is_visitor

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request

COOKIE = "sessionid"
KIND = "session"
"""What the credential is called."""
MOST_VALUES = 5
"""Of one request; each costs a look into the database."""
_SECONDS = 30 * 24 * 3600


def values_in(request: "Request") -> list[str]:
    """The values of the cookie that could be ours, each once, in the order of the header.

    A browser sends several of one name where another application on the host, or on a domain above it, has a
    cookie of that name too, and nothing says which is whose.
    """
    pairs = (pair.partition("=") for pair in request.environ.get("HTTP_COOKIE", "").split(";"))
    values = (value.strip().strip('"') for name, _, value in pairs if name.strip() == COOKIE)
    return list(islice(dict.fromkeys(filter(sessions.is_plausible, values)), MOST_VALUES))


def set_cookie(request: "Request", response: Response, value: str) -> None:
    """Give the client its session: not for scripts, not for other sites, not without https if we have it."""
    response.set_cookie(
        COOKIE,
        value,
        max_age=_SECONDS,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=request.app_settings.site_url.startswith("https:"),
    )


def keep_cookie(request: "Request", response: Response, value: str) -> None:
    """Have the client keep its session for longer, unless the answer gives it another one or takes it."""
    if not any(cookie.startswith(f"{COOKIE}=") for cookie in response.headers.getall("Set-Cookie")):
        set_cookie(request, response, value)


class FurtherCookies(Protocol):
    """Cookies that a browser has as long as it has a session."""

    def give(self, request: "Request", response: Response, account: AccountRow) -> None:
        """Add them to an answer."""

    def take_away(self, request: "Request", response: Response) -> None:
        """Remove them by an answer."""


def begin(request: "Request", response: Response, value: str) -> None:
    """Give the client the session that it has just begun, and what goes with it.

    :param value: of the session
    """
    set_cookie(request, response, value)
    session = sessions.find(request.store.latest, value) if request.registry.session_cookies else None
    if session is not None:
        give_further(request, response, session.account)


def replace(request: "Request", response: Response, value: str) -> None:
    """Give the client its session under another value; what went with the former one has ended.

    :param value: of the session now
    """
    set_cookie(request, response, value)
    take_away_further(request, response)


def end(request: "Request", response: Response) -> None:
    """Take away the session, which has ended, and what goes with it."""
    response.delete_cookie(COOKIE, path="/")
    take_away_further(request, response)


def end_dead(request: "Request", response: Response) -> None:
    """Take away the session of the client where it has ended, as a new password ends all of an account."""
    values = (value for value in values_in(request) if not is_visitor(request.store.keyring, value))
    ended = [sessions.find(request.store.latest, value) is None for value in values]
    if ended and all(ended):
        end(request, response)


def give_further(request: "Request", response: Response, account: AccountRow) -> None:
    """Give the client of a session what goes with it, anew."""
    for cookies in request.registry.session_cookies:
        cookies.give(request, response, account)


def take_away_further(request: "Request", response: Response) -> None:
    """Take away what goes with a session: there is none."""
    for cookies in request.registry.session_cookies:
        cookies.take_away(request, response)


def add_session_cookies(config: "Configurator", cookies: FurtherCookies) -> None:
    """The ``config.add_session_cookies`` directive: whoever signs in anywhere is given them too."""
    config.registry.session_cookies.append(cookies)


def includeme(config: "Configurator") -> None:
    config.registry.session_cookies = []
    config.add_directive("add_session_cookies", add_session_cookies)
