"""The cookie of a session: what it is called, how it is read, and how a client is given one."""

from itertools import islice
from typing import TYPE_CHECKING

from pyramid.response import Response

from accountsapp.domain.credentials import sessions

if TYPE_CHECKING:
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
    given = (value.strip().strip('"') for name, _, value in pairs if name.strip() == COOKIE)
    return list(islice(dict.fromkeys(filter(sessions.is_plausible, given)), MOST_VALUES))


def remove_cookie(response: Response) -> None:
    """Take the session from the client that signed out."""
    response.delete_cookie(COOKIE, path="/")


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
