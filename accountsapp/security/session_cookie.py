"""The cookie of a session: what it is called, and how a client is given one."""

from typing import Any

NAME = "sessionid"
_SECONDS = 30 * 24 * 3600


def set_on(request: Any, response: Any, value: str) -> None:
    """Give the client its session: not for scripts, not for other sites, not without https if we have it."""
    response.set_cookie(
        NAME,
        value,
        max_age=_SECONDS,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=request.app_settings.site_url.startswith("https:"),
    )
