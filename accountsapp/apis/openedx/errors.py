"""How the Open edX API refuses: ``detail``; ``field_errors``; or what a developer and a user are told."""

from collections.abc import Sequence
from http import HTTPStatus

from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken
from pyramid.httpexceptions import HTTPException
from pyramid.location import lineage
from pyramid.response import Response

from accountsapp.apis.openedx.jwt_cookies import HEADER_PAYLOAD
from accountsapp.apis.openedx.resources import (
    MERGE_PATCH,
    Account,
    Image,
    LoginRefresh,
    OpenEdxRoot,
    PasswordReset,
    PreferencesOfAccount,
)
from accountsapp.db.errors import is_contended
from accountsapp.domain.errors import InvalidValue, WrongPassword
from accountsapp.security import session_cookie
from accountsapp.security.identity import Identity, Reason
from accountsapp.security.scopes import NEEDED
from accountsapp.web.answers import json_answer
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import TEXTS, Failure, failure_of
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request

BEARER = 'Bearer realm="api"'
CODES = {
    Reason.UNKNOWN: "token_nonexistent",
    Reason.STALE: "token_nonexistent",
    Reason.EXPIRED: "token_expired",
    Reason.MALFORMED: "token_malformed",
    Reason.INACTIVE: "user_is_disabled",
}
"""What clients read of a token that is not good."""
OF_TOKENS = ("bearer", "jwt")
NOT_NOW = "This could not be done just now. Please try again."


@error_view_config(HTTPException, containment=OpenEdxRoot)
@error_view_config(Exception, containment=OpenEdxRoot)
def failed(error: Exception, request: Request) -> Response:
    """A refusal that is not about a value, or a fault of ours."""
    failure, context = failure_of(error, request), request.context
    reason = _reason_of(failure, request)
    if reason is not None and reason.is_of_credential:
        return _unauthorized(request, reason)
    if isinstance(error, BadCSRFToken | BadCSRFOrigin):
        return _detail(request, 403, "The CSRF token is missing or wrong.")
    if reason is Reason.SCOPE:
        return _scope_missing(request, failure)
    if reason is Reason.NOT_ALLOWED and isinstance(context, Account | Image | PreferencesOfAccount):
        is_told = request.caller.is_staff and context.account is not None
        return _detail(request, 403 if is_told else 404, TEXTS[403 if is_told else 404])
    if failure.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and isinstance(context, Image):
        return bad_request(request, "The file is larger than profile_image_max_bytes.", failure.text)
    if is_contended(error):
        return bad_request(request, "Others changed the account at the same time.", NOT_NOW)
    if failure.status == HTTPStatus.BAD_REQUEST:
        return bad_request(request, failure.text, failure.text)
    if failure.status == HTTPStatus.TOO_MANY_REQUESTS and isinstance(context, PasswordReset):
        return _detail(request, 403, failure.text, failure.headers)
    headers = list(failure.headers)
    if failure.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE and not isinstance(context, Image):
        headers.append(("Accept-Patch", MERGE_PATCH))
    return _detail(request, failure.status, failure.text, headers)


@error_view_config(InvalidFields, containment=OpenEdxRoot)
def bad_fields(error: InvalidFields, request: Request) -> Response:
    """Values that break the rules of their fields, every bad one."""
    errors = {
        field: {
            "developer_message": f"The value of {field!a:.100} is not valid: {texts[0]}",
            "user_message": texts[0],
        }
        for field, texts in error.texts.items()
    }
    return json_answer(request, {"field_errors": errors}, 400)


@error_view_config(InvalidValue, containment=OpenEdxRoot)
def bad_value(error: InvalidValue, request: Request) -> Response:
    """Something that cannot be had, such as an upload that is no picture."""
    return bad_request(request, str(error), str(error))


@error_view_config(WrongPassword, containment=OpenEdxRoot)
def wrong_password(error: WrongPassword, request: Request) -> Response:
    return _detail(request, 403, "The password is wrong.")


def bad_request(request: Request, developer_message: str, user_message: str) -> Response:
    body = {"developer_message": developer_message, "user_message": user_message}
    return json_answer(request, body, 400)


def _reason_of(failure: Failure, request: Request) -> Reason | None:
    """Why the caller may not. Who is not signed in is not told what there is, either."""
    if failure.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        return failure.reason
    is_open = any(getattr(place, "is_open", False) for place in lineage(request.context))
    caller = request.policy.caller(request)
    return failure.reason if is_open or isinstance(caller, Identity) else caller.reason


def _unauthorized(request: Request, reason: Reason) -> Response:
    body = {"detail": TEXTS[401]}
    authorization = request.environ.get("HTTP_AUTHORIZATION", "")
    if authorization.partition(" ")[0].lower() in OF_TOKENS and reason in CODES:
        body["error_code"] = CODES[reason]
    response = json_answer(request, body, 401)
    response.headerlist.append(("WWW-Authenticate", BEARER))
    if isinstance(request.context, LoginRefresh) or HEADER_PAYLOAD in request.environ.get("HTTP_COOKIE", ""):
        session_cookie.take_away_further(request, response)
    return response


def _scope_missing(request: Request, failure: Failure) -> Response:
    scope = NEEDED.get(failure.refused.permission) if failure.refused is not None else None
    challenge = f'{BEARER}, error="insufficient_scope"' + (f', scope="{scope}"' if scope else "")
    text = f"This token does not have the scope {scope}." if scope else "No token is enough for this."
    return _detail(request, 403, text, [("WWW-Authenticate", challenge)])


def _detail(request: Request, status: int, text: str, headers: Sequence[tuple[str, str]] = ()) -> Response:
    response = json_answer(request, {"detail": text}, status)
    response.headerlist.extend(headers)
    return response
