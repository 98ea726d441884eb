"""One-time messages: what came of a form, shown on the page that the browser is sent on to.

Kept in a cookie, so that a visitor without a session is told too, and a page that is only read writes
nothing.
"""

import json
from typing import NamedTuple

from pyramid.response import Response

from accountsapp.pages.sealed_cookies import SealedCookie
from accountsapp.web.request import Request

LONGEST_WAIT = 300
"""Seconds within which the next page is seen."""
COOKIE = SealedCookie("flash", LONGEST_WAIT)


class Message(NamedTuple):
    """What somebody is told once.

    :ivar status: ``success``, ``info``, ``sent`` or ``error``
    """

    text: str
    status: str


def tell(request: Request, response: Response, text: str, status: str) -> None:
    """Have the next page say it."""
    sealed = COOKIE.seal(request, json.dumps([text, status]))
    if sealed is not None:
        COOKIE.give(request, response, sealed)


def message_of(request: Request) -> Message | None:
    """What this page is to say."""
    content = COOKIE.read(request)
    return Message(*json.loads(content)) if content is not None else None


def forget(request: Request, response: Response) -> None:
    """It was shown."""
    COOKIE.take_away(request, response)
