"""One-time messages: what came of a form, shown on the page that the browser is sent on to.

Kept in a cookie that only this service can read and make, so that a visitor without a session is told too,
and a page that is only read writes nothing.
"""

import json
from typing import NamedTuple

from pyramid.response import Response

from accountsapp.domain.keyring import SealError
from accountsapp.web.request import Request

COOKIE = "flash"
OWNER = "flash"
LONGEST_WAIT = 300
"""Seconds within which the next page is seen."""
LONGEST_COOKIE = 4000


class Message(NamedTuple):
    """What somebody is told once.

    :ivar status: ``success``, ``info``, ``sent`` or ``error``
    """

    text: str
    status: str


def tell(request: Request, response: Response, text: str, status: str) -> None:
    """Have the next page say it."""
    sealed = request.store.keyring.seal(OWNER, json.dumps([text, status]))
    if len(sealed) <= LONGEST_COOKIE:
        response.set_cookie(
            COOKIE,
            sealed,
            max_age=LONGEST_WAIT,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=request.app_settings.site_url.startswith("https:"),
        )


def message_of(request: Request) -> Message | None:
    """What this page is to say."""
    sealed = request.cookies.get(COOKIE)
    if not sealed or len(sealed) > LONGEST_COOKIE:
        return None
    try:
        text, status = json.loads(request.store.keyring.unseal(OWNER, sealed))
    except (SealError, ValueError):
        return None
    return Message(text, status)


def forget(response: Response) -> None:
    """It was shown."""
    response.delete_cookie(COOKIE, path="/")
