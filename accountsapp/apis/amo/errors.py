"""How this API refuses: ``{"detail": "…"}``, with a ``code`` where a credential is at fault; bad fields by
name.
"""

from collections.abc import Sequence

from pyramid.httpexceptions import HTTPBadRequest, HTTPException
from pyramid.response import Response

from accountsapp.apis.amo.credentials import ClockAhead
from accountsapp.apis.amo.resources import Accounts, SuperCreate
from accountsapp.domain.errors import BadProof, InvalidValue, InvalidValues
from accountsapp.security.credentials import SessionHeader
from accountsapp.security.identity import Reason
from accountsapp.security.permissions import Permission
from accountsapp.web.answers import json_answer
from accountsapp.web.bodies import BodyIsNoObject
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import TEXTS, Failure, failure_of
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request
from accountsapp.web.resources import AccountResource, PartOfAccount

CHALLENGE = ("WWW-Authenticate", 'Session realm="accounts", JWT realm="accounts"')
WHOLE = "non_field_errors"
"""The key of what is wrong with a body as a whole."""

REQUIRED = ("ERROR_AUTHENTICATION_REQUIRED", "Authentication credentials were not provided.")
NO_SESSION = (
    "ERROR_AUTHENTICATION_EXPIRED",
    "Valid user session not found matching the provided session key.",
)
UNREADABLE = ("ERROR_INVALID_HEADER", "The Authorization header must be a scheme and one value.")
EXPIRED = ("ERROR_SIGNATURE_EXPIRED", "The token has expired.")
BAD_TOKEN = ("ERROR_DECODING_SIGNATURE", "The token cannot be accepted.")


@error_view_config(HTTPException, containment=Accounts)
@error_view_config(Exception, containment=Accounts)
def failed(error: Exception, request: Request) -> Response:
    """A refusal that is not about a value, or a fault of ours."""
    failure = failure_of(error, request)
    if failure.reason is not None:
        return _not_permitted(request, failure, failure.reason)
    return _refusal(request, failure.status, failure.text, failure.headers)


@error_view_config(InvalidFields, containment=Accounts)
def bad_fields(error: InvalidFields, request: Request) -> Response:
    """Values that break the rules of their fields."""
    return json_answer(request, error.texts, 400)


@error_view_config(InvalidValue, containment=Accounts)
def bad_value(error: InvalidValue, request: Request) -> Response:
    """A value that cannot be had."""
    return json_answer(request, {error.field: [str(error)]}, 400)


@error_view_config(BodyIsNoObject, containment=Accounts)
def no_object(error: BodyIsNoObject, request: Request) -> Response:
    return json_answer(request, {WHOLE: [error.detail]}, 400)


@error_view_config(InvalidValues, containment=SuperCreate)
def bad_values(error: InvalidValues, request: Request) -> Response:
    """Of a new account."""
    return json_answer(request, {"errors": {wrong.field: [str(wrong)] for wrong in error.errors}}, 422)


@error_view_config(InvalidValue, containment=SuperCreate)
def taken_meanwhile(error: InvalidValue, request: Request) -> Response:
    return json_answer(request, {"errors": {error.field: [str(error)]}}, 422)


@error_view_config(HTTPBadRequest, containment=SuperCreate)
@error_view_config(BodyIsNoObject, containment=SuperCreate)
def bad_body(error: HTTPBadRequest, request: Request) -> Response:
    return json_answer(request, {"errors": {WHOLE: [error.detail]}}, 422)


@error_view_config(BadProof, containment=Accounts)
def bad_proof(error: BadProof, request: Request) -> Response:
    """Whatever is wrong with it, the text is the same."""
    return _refusal(request, 403, "Invalid token or hash.")


def _not_permitted(request: Request, failure: Failure, reason: Reason) -> Response:
    """Who may not see an account is told that there is none, whether or not it is there."""
    permission = failure.refused.permission if failure.refused is not None else None
    if reason in (Reason.NO_CREDENTIAL, Reason.NOT_ALLOWED) and permission == Permission.PROFILE_READ:
        return _refusal(request, 404, TEXTS[404])
    if reason.is_of_credential:
        return _unauthorized(request, reason)
    if isinstance(request.context, AccountResource | PartOfAccount):
        account = (
            request.context if isinstance(request.context, AccountResource) else request.context.__parent__
        )
        if not request.policy.grants(request, account, Permission.PROFILE_READ):
            return _refusal(request, 404, TEXTS[404])
    return _refusal(request, 403, TEXTS[403])


def _unauthorized(request: Request, reason: Reason) -> Response:
    caller = request.policy.caller(request)
    code, text = _words(caller.kind, reason)
    if isinstance(caller, ClockAhead):
        text = f"The clock of the client is {caller.seconds} seconds ahead: the token is not valid yet."
    response = json_answer(request, {"detail": text, "code": code}, 401)
    response.headerlist.append(CHALLENGE)
    return response


def _words(kind: str | None, reason: Reason) -> tuple[str, str]:
    """Code and text of what is wrong with a credential of that kind."""
    if reason is Reason.MALFORMED:
        return UNREADABLE
    if kind == SessionHeader.kind:
        return NO_SESSION
    if kind is None:
        return REQUIRED
    return EXPIRED if reason is Reason.EXPIRED else BAD_TOKEN


def _refusal(request: Request, status: int, text: str, headers: Sequence[tuple[str, str]] = ()) -> Response:
    response = json_answer(request, {"detail": text}, status)
    response.headerlist.extend(headers)
    return response
