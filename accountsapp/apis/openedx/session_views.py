"""Tokens and sessions: what a program or a front end begins and ends with."""

from typing import Any

from pyramid.csrf import get_csrf_token
from pyramid.httpexceptions import HTTPBadRequest, HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.openedx.resources import (
    AccessTokens,
    CsrfApi,
    DeactivateLogout,
    LoginRefresh,
    LoginSession,
    NameChange,
    NotOffered,
    PasswordReset,
)
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import recovery, signin
from accountsapp.domain.errors import InactiveAccount, WrongPassword
from accountsapp.domain.oauth.jwts import Issuer
from accountsapp.oauth import protocol
from accountsapp.oauth.signing import Signing
from accountsapp.security import session_cookie
from accountsapp.security.permissions import Permission
from accountsapp.web.answers import empty_answer, json_answer
from accountsapp.web.error_views import error_view_config
from accountsapp.web.next_url import safe_url
from accountsapp.web.request import Request

INCORRECT = "incorrect-email-or-password"


@view_config(
    context=AccessTokens,
    name="access_token",
    request_method="POST",
    permission=NO_PERMISSION_REQUIRED,
)
def access_token(context: AccessTokens, request: Request) -> Response:
    """Tokens, for a client that proves itself to the protocol."""
    issuer = Issuer(context.issuer, request.app_settings.site_url)
    return protocol.token_answer(
        request, Signing(issuer, request.app_settings.section(Settings).jwt_expires_in)
    )


@view_config(context=CsrfApi, name="token", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def csrf_token(context: CsrfApi, request: Request) -> dict[str, str]:
    """What unsafe requests with a cookie must carry."""
    return {"csrfToken": get_csrf_token(request)}


@view_config(context=LoginSession, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_in(context: LoginSession, request: Request) -> Response:
    field = request.parameters.last_in_body
    typed = field("email_or_username") or field("email")
    account = signin.authenticate(request.store, typed if isinstance(typed, str) else "", field("password"))
    destination = safe_url(field("next") or request.parameters.last_in_query("next"), request.app_settings)
    response = json_answer(request, {"success": True, "redirect_url": destination})
    session_cookie.begin(request, response, signin.sign_in(request.store, account))
    return response


@error_view_config(WrongPassword, containment=LoginSession)
@error_view_config(InactiveAccount, containment=LoginSession)
def not_signed_in(error: Exception, request: Request) -> Response:
    """The same whatever is wrong."""
    body = {"success": False, "error_code": INCORRECT, "value": "The name or the password is wrong."}
    return json_answer(request, body, 400)


@view_config(
    context=LoginRefresh, request_method="POST", permission=Permission.ACCOUNT_READ, require_csrf=False
)
def refresh(context: LoginRefresh, request: Request) -> Response:
    """What goes with the session, anew."""
    body: dict[str, Any] = {"success": True, "response_epoch_seconds": int(now().timestamp())}
    response = json_answer(request, body)
    session_cookie.give_further(request, response, request.actor)
    return response


@view_config(context=DeactivateLogout, request_method="POST", permission=Permission.ACCOUNT_DELETE)
def delete_own_account(context: DeactivateLogout, request: Request) -> Response:
    password = request.parameters.last_in_body("password")
    if not password:
        raise HTTPBadRequest("The password is missing.")
    lifecycle.ask_own_deletion(request.store, request.actor, password)
    response = empty_answer()
    session_cookie.end(request, response)
    return response


@view_config(
    context=PasswordReset, request_method="POST", permission=NO_PERMISSION_REQUIRED, require_csrf=False
)
def ask_recovery(context: PasswordReset, request: Request) -> dict[str, bool]:
    """Whether or not anybody has the address."""
    recovery.ask(request.store, request.parameters.last_in_body("email"))
    return {"success": True}


NOT_OFFERED = ("GET", "POST", "PATCH", "DELETE")


@view_config(
    context=NotOffered,
    request_method=NOT_OFFERED,
    permission=NO_PERMISSION_REQUIRED,
    require_csrf=False,
)
@view_config(context=NameChange, request_method="POST", permission=Permission.ACCOUNT_READ)
def not_offered(context: NotOffered | NameChange, request: Request) -> Response:
    raise HTTPNotFound
