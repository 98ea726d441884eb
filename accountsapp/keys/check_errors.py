"""How ``/auth/check`` refuses: by the status that proxies know, and asks for a credential."""

from pyramid.exceptions import PredicateMismatch
from pyramid.httpexceptions import HTTPException
from pyramid.response import Response
from pyramid.view import exception_view_config

from accountsapp.keys.check_question import ON
from accountsapp.keys.check_resources import KeyCheck
from accountsapp.security.identity import Reason
from accountsapp.web.answers import json_answer
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import TEXTS, Failure, failure_of
from accountsapp.web.request import Request

REALM = "accounts"
BEARER = ("WWW-Authenticate", f'Bearer realm="{REALM}"')
BASIC = ("WWW-Authenticate", f'Basic realm="{REALM}", charset="UTF-8"')


@error_view_config(HTTPException, containment=KeyCheck)
@error_view_config(Exception, containment=KeyCheck)
def failed(error: Exception, request: Request) -> Response:
    """A refusal, or a fault of ours."""
    failure = failure_of(error, request)
    if failure.reason is not None and failure.reason.is_of_credential:
        failure = Failure(401, TEXTS[401], _challenges(request))
    response = json_answer(request, {"error": failure.text}, failure.status)
    response.headerlist.extend(failure.headers)
    if failure.reason is Reason.SCOPE and failure.refused is not None:
        response.headerlist.append(("X-Accepted-Scope", failure.refused.permission))
    return response


@exception_view_config(PredicateMismatch, containment=KeyCheck, request_method="OPTIONS")
@error_view_config(PredicateMismatch, containment=KeyCheck)
def no_such_method(error: PredicateMismatch, request: Request) -> Response:
    """``OPTIONS`` too: a proxy that hands on the method would take its 204 for consent."""
    response = json_answer(request, {"error": TEXTS[405]}, 405)
    response.headerlist.append(("Allow", "GET, HEAD"))
    return response


def _challenges(request: Request) -> list[tuple[str, str]]:
    """Not Basic where people come with a cookie: their browsers would ask for a password."""
    by_session = ("session", ON) in request.parameters.query
    return [BEARER] if by_session else [BEARER, BASIC]
