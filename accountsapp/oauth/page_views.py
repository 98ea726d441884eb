"""The pages that people see: sign in, consent, and the applications that have access."""

from typing import Any
from urllib.parse import urlsplit

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.traversal import resource_path
from pyramid.view import view_config

from accountsapp.domain.credentials import signin
from accountsapp.domain.errors import InactiveAccount, WrongPassword
from accountsapp.domain.oauth import applications
from accountsapp.domain.oauth.scopes import WORDS
from accountsapp.oauth import protocol
from accountsapp.oauth.protocol import Asked
from accountsapp.oauth.redirects import go
from accountsapp.oauth.resources import AuthorizationServer
from accountsapp.pages.html import page
from accountsapp.security import csrf, session_cookie

TEMPLATES = "accountsapp:oauth/templates/"
open_to_all = {"context": AuthorizationServer, "permission": NO_PERMISSION_REQUIRED}
"""Who is not signed in is asked to."""


@view_config(name="authorize", request_method="GET", **open_to_all)
def ask(context: AuthorizationServer, request: Any) -> Response:
    """Whether the person lets the client in; who is not signed in is asked to first."""
    asked = protocol.asked(request)
    if request.identity is None:
        return _sign_in_page(request, asked.client.name)
    return _consent_page(request, asked)


@view_config(name="authorize", request_method="POST", **open_to_all)
def decide(context: AuthorizationServer, request: Any) -> Response:
    """The sign-in form, or the decision."""
    csrf.check(request)
    asked = protocol.asked(request)
    if request.identity is None:
        return _sign_in(request, asked.client.name, protocol.authorization_uri(request)[1:])
    decision = request.parameters.last_in_body("decision")
    if decision == "allow":
        return go(protocol.allowed(request, request.identity.account))
    if decision == "deny":
        return go(protocol.denied(request))
    return _consent_page(request, asked, 400)


@view_config(name="applications", request_method="GET", **open_to_all)
def list_applications(context: AuthorizationServer, request: Any) -> Response:
    """The clients that have access to the person's account."""
    if request.identity is None:
        return _sign_in_page(request)
    found = applications.listing(request.store.connection, request.identity.account_id)
    return page(
        request,
        TEMPLATES + "applications.jinja2",
        csrf_token=csrf.token_for(request),
        username=request.identity.account.username,
        applications=found,
        words=WORDS,
    )


@view_config(name="applications", request_method="POST", **open_to_all)
def withdraw(context: AuthorizationServer, request: Any) -> Response:
    """The sign-in form, or the end of one client's access."""
    csrf.check(request)
    if request.identity is None:
        return _sign_in(request)
    client_id = request.parameters.last_in_body("client_id")
    if isinstance(client_id, str):
        applications.withdraw(request.store, request.identity.account_id, client_id)
    return go(_here(request))


def _sign_in_page(request: Any, client: str | None = None, status: int = 200, **values: Any) -> Response:
    return page(
        request,
        TEMPLATES + "sign_in.jinja2",
        status,
        csrf_token=csrf.token_for(request),
        client=client,
        **values,
    )


def _sign_in(request: Any, client: str | None = None, query: str = "") -> Response:
    """Sign in and come back to the same URL, or show the form again.

    A body without a password is that of another form, whose session has ended: no failure to tell or count.
    """
    given = request.parameters.last_in_body
    username, password = given("username"), given("password")
    if password is None:
        return _sign_in_page(request, client)
    username = username if isinstance(username, str) else ""
    try:
        account = signin.authenticate(request.store, username, password)
    except WrongPassword:
        problem = "User name or password are wrong."
    except InactiveAccount:
        problem = "This account is not active."
    else:
        response = go(_here(request) + query)
        session_cookie.set_on(request, response, signin.sign_in(request.store, account))
        return response
    return _sign_in_page(request, client, 400, problem=problem, username=username)


def _consent_page(request: Any, asked: Asked, status: int = 200) -> Response:
    target = urlsplit(asked.redirect_uri)
    return page(
        request,
        TEMPLATES + "consent.jinja2",
        status,
        leads_away=True,
        csrf_token=csrf.token_for(request),
        client=asked.client.name,
        host=target.hostname or f"{target.scheme}:",
        username=request.identity.account.username,
        scopes=[WORDS[scope] for scope in asked.scopes],
    )


def _here(request: Any) -> str:
    """The path of the page that was asked for, below that of ``site_url``."""
    base = urlsplit(request.app_settings.site_url).path
    return base + resource_path(request.context, request.view_name, "")
