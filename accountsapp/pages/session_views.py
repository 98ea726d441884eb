"""The sessions of a signed-in person: where they are, and the end of one or of all others."""

from pyramid.csrf import get_csrf_token
from pyramid.response import Response
from pyramid.view import view_config

from accountsapp.domain.credentials import own_sessions
from accountsapp.pages.html import go, page
from accountsapp.pages.resources import Sessions
from accountsapp.pages.sign_in import sign_out
from accountsapp.security import session_cookie
from accountsapp.security.permissions import Permission
from accountsapp.web.request import Request
from accountsapp.web.resources import LARGEST_ID

THIS, OTHERS = "this", "others"
"""In place of a session's number."""
LONGEST_NUMBER = 18
"""Digits of a session's number that are read at all."""


@view_config(context=Sessions, request_method="GET", permission=Permission.SESSIONS_WRITE)
def list_sessions(context: Sessions, request: Request) -> Response:
    return page(
        request,
        "sessions.jinja2",
        csrf_token=get_csrf_token(request),
        username=request.actor.username,
        sessions=own_sessions.listing(request.store.connection, request.actor.id, request.caller.secret),
    )


@view_config(context=Sessions, request_method="POST", permission=Permission.SESSIONS_WRITE)
def end_session(context: Sessions, request: Request) -> Response:
    """End the session that the form names; without one, nothing."""
    session, value = request.parameters.last_in_body("session"), request.caller.secret or ""
    if session == THIS:
        return sign_out(request, go(context.path))
    if session == OTHERS:
        own_sessions.end_others(request.store, request.actor.id, value)
    elif (
        isinstance(session, str)
        and session.isascii()
        and session.isdigit()
        and len(session) <= LONGEST_NUMBER
    ):
        own_sessions.end(request.store, request.actor.id, min(int(session), LARGEST_ID))
    response = go(context.path)
    session_cookie.end_dead(request, response)
    return response
