"""How the Bookie API refuses: ``{"error": "…"}`` with the status of the contract."""

import re
from typing import Any

from pyramid.httpexceptions import HTTPException, HTTPNotFound
from pyramid.response import Response
from pyramid.view import exception_view_config

from accountsapp.apis.bookie.resources import BookieAccount, BookieApi, BookieProfile, BookieRoot
from accountsapp.domain.errors import (
    AccountNotFound,
    DeadLink,
    DefaultKeyStays,
    InvalidValue,
    InvalidValues,
    NoInvitesLeft,
    WrongPassword,
)
from accountsapp.security.identity import Identity, Reason
from accountsapp.web.answers import empty_answer, jsonp_answer
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import failure_of
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request

ACCEPTED_SCOPE = "X-Accepted-Scope"
"""The header that names the scope that a key lacks."""
METHOD = re.compile(r"[A-Za-z]{1,20}")


@error_view_config(HTTPException, containment=BookieApi)
@error_view_config(Exception, containment=BookieApi)
def failed(error: Exception, request: Request) -> Response:
    """A refusal that is not about a value, or a fault of ours."""
    failure = failure_of(error, request)
    body: dict[str, Any] = {"error": failure.text}
    if failure.reason is Reason.INACTIVE and isinstance(request.context, BookieAccount | BookieProfile):
        body["error"] = "Deactivated account."
    if failure.status == 403 and request.view_name == "ping":
        body = {"success": False, "message": "API key is invalid.", **body}
    response = jsonp_answer(request, body, failure.status)
    response.headerlist.extend(failure.headers)
    if failure.reason is Reason.SCOPE and failure.refused is not None:
        response.headerlist.append((ACCEPTED_SCOPE, str(failure.refused.permission)))
    return response


@error_view_config(DefaultKeyStays, containment=BookieApi)
def default_key_stays(error: DefaultKeyStays, request: Request) -> Response:
    """The default key would be ended."""
    return jsonp_answer(request, {"error": str(error)}, 403)


@exception_view_config(
    HTTPNotFound,
    containment=BookieRoot,
    request_method="OPTIONS",
    header=("Origin", "Access-Control-Request-Method"),
)
def preflight_of_nothing(error: HTTPNotFound, request: Request) -> Response:
    """A page that calls what there is not: let go on, it sees the 404 and no network error."""
    method = request.headers["Access-Control-Request-Method"]
    if not METHOD.fullmatch(method):
        return failed(error, request)
    response = empty_answer()
    response.headerlist.append(("Allow", ", ".join(sorted({method, "OPTIONS"}))))
    return response


@error_view_config(InvalidValue, containment=BookieApi)
@error_view_config(NoInvitesLeft, containment=BookieApi)
def not_acceptable(error: InvalidValue | NoInvitesLeft, request: Request) -> Response:
    """A value that breaks its rule, or nobody left to invite."""
    return jsonp_answer(request, {**_who(request), "error": str(error)}, 406)


@error_view_config(InvalidValues, containment=BookieApi)
def several_not_acceptable(error: InvalidValues, request: Request) -> Response:
    """Values that break their rules: the first one is told."""
    return not_acceptable(error.errors[0], request)


@error_view_config(InvalidFields, containment=BookieApi)
def bad_fields(error: InvalidFields, request: Request) -> Response:
    """Values that break their rules: the first one is told."""
    return jsonp_answer(request, {**_who(request), "error": error.first_text}, 406)


@error_view_config(WrongPassword, containment=BookieApi)
def wrong_password(error: WrongPassword, request: Request) -> Response:
    """The current password is missing or wrong, or the account has none."""
    text = "There was a typo somewhere. Please check your request"
    return jsonp_answer(request, {**_who(request), "error": text}, 403)


@error_view_config(AccountNotFound, containment=BookieApi)
def not_found(error: AccountNotFound, request: Request) -> Response:
    """An administrator named an account that there is not."""
    return jsonp_answer(request, {"error": str(error) or "User not found."}, 404)


@error_view_config(DeadLink, containment=BookieApi)
def dead_code(error: DeadLink, request: Request) -> Response:
    """Unknown account or a code that is not good: one answer for all."""
    return jsonp_answer(request, {"error": "There was a problem with that code."}, 403)


def _who(request: Request) -> dict[str, str]:
    """The caller's name, on the calls of an account."""
    caller = request.known_caller
    account = caller.account if isinstance(caller, Identity) else None
    if account is not None and isinstance(request.context, BookieAccount | BookieProfile):
        return {"username": account.username}
    return {}
