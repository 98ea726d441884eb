"""What was typed into a form that was not taken, to be sent once more.

It comes back at once; or, where its owner has to sign in or to enter the password first, once the form is
shown again. In between the browser keeps it, sealed.
"""

import json

from pyramid.exceptions import BadCSRFToken
from pyramid.response import Response

from accountsapp.i18n import mark as _
from accountsapp.pages.resources import PersonPage
from accountsapp.pages.sealed_cookies import SealedCookie
from accountsapp.security import csrf
from accountsapp.web.request import Request

BUTTON = "btn"
"""Which button was pressed, as forms with several say."""
SECRETS = frozenset({"password", "confirm", "current_password", "new_password"})
"""Fields that never come back: who typed them has them."""
LONGEST_WAIT = 1800
"""Seconds for signing in, a forgotten password included."""
COOKIE = SealedCookie("kept_form", LONGEST_WAIT)
IS_KEPT = _("You are signed out. Sign in again: what you typed is kept.")
IS_LOST = _("You are signed out, and nothing was changed. Please sign in again.")
"""What is said where one has to sign in first."""

Fields = list[tuple[str, str]]
"""Names and values, in the order of the form."""


def typed(request: Request, error: Exception) -> Fields:
    """The fields of a form that a page of ours had, whose token alone was not good.

    What a page of somebody else put into it does not come back: browsers say by ``Origin`` where it stood.

    :param error: ``BadCSRFToken`` or ``BadCSRFOrigin``
    :returns: none where nothing was typed that a page can keep: a password or a file is to be given again
    """
    if isinstance(request.context, PersonPage) and request.context.must_be_seen:
        return []
    if not isinstance(error, BadCSRFToken) or request.headers.get("Origin") != csrf.site_origin(request):
        return []
    return _fields_of(request)


def _fields_of(request: Request) -> Fields:
    fields = [(name, value) for name, value in request.parameters.body if name != csrf.FIELD]
    if any(name in SECRETS or not isinstance(value, str) for name, value in fields):
        return []
    has_text = any(value for name, value in fields if name != BUTTON)
    return fields if has_text else []


def seal(request: Request, error: Exception | None = None) -> str | None:
    """What was typed, for :func:`keep`.

    :param error: why the form was not taken, where it may not be from a page of ours (:func:`typed`)
    :returns: None where there is nothing, or too much
    """
    fields = _fields_of(request) if error is None else typed(request, error)
    return COOKIE.seal(request, json.dumps([request.path, fields])) if fields else None


def keep(request: Request, response: Response, sealed: str) -> None:
    """Have the browser keep it until the page is shown on which the form stood."""
    COOKIE.give(request, response, sealed)


def kept(request: Request, path: str) -> Fields:
    """What was typed into the form that is sent to that path; none where nothing is kept."""
    content = COOKIE.read(request)
    if content is None:
        return []
    place, fields = json.loads(content)
    return [(name, value) for name, value in fields] if place == path else []


def forget(request: Request, response: Response) -> None:
    """It is in the form again, or who leaves the browser to others is not to leave it."""
    COOKIE.take_away(request, response)
