"""The cookie of a session: what it is called, and how a client is given one."""

from typing import TYPE_CHECKING

from pyramid.response import Response

if TYPE_CHECKING:
    from accountsapp.web.request import Request

COOKIE = "sessionid"
_SECONDS = 30 * 24 * 3600


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
