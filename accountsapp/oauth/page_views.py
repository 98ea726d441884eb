"""The pages that people see: consent, and the applications that have access."""

from urllib.parse import urlsplit

from pyramid.csrf import get_csrf_token
from pyramid.response import Response
from pyramid.view import view_config

from accountsapp.domain.oauth import applications
from accountsapp.domain.oauth.scopes import WORDS
from accountsapp.oauth.resources import Applications, Authorization, OwnApplications
from accountsapp.pages.html import go, page
from accountsapp.pages.resources import PersonPage
from accountsapp.pages.sign_in import sign_out
from accountsapp.security.permissions import Permission
from accountsapp.web.request import Request

TEMPLATES = "accountsapp:oauth/templates/"


@view_config(context=Authorization, request_method="GET", permission=Permission.CLIENTS_AUTHORIZE)
def ask(context: Authorization, request: Request) -> Response:
    """Whether the person lets the client in."""
    return _consent_page(context, request)


@view_config(context=Authorization, request_method="POST", permission=Permission.CLIENTS_AUTHORIZE)
def decide(context: Authorization, request: Request) -> Response:
    """The person's decision, or that it is somebody else who decides."""
    authorization, decision = context.authorization, request.parameters.last_in_body("decision")
    if request.parameters.last_in_body("account") == "other":
        return sign_out(request, go(context.path + context.query))
    if decision == "allow":
        return go(authorization.allow(request.actor))
    if decision == "deny":
        return go(authorization.deny())
    return _consent_page(context, request, 400)


@view_config(context=OwnApplications, request_method="GET", permission=Permission.CLIENTS_AUTHORIZE)
@view_config(context=Applications, request_method="GET", permission=Permission.CLIENTS_AUTHORIZE)
def list_applications(context: PersonPage, request: Request) -> Response:
    """The clients that have access to the person's account."""
    return page(
        request,
        TEMPLATES + "applications.jinja2",
        csrf_token=get_csrf_token(request),
        username=request.actor.username,
        applications=applications.listing(request.store.connection, request.actor.id),
        words=WORDS,
    )


@view_config(context=OwnApplications, request_method="POST", permission=Permission.CLIENTS_AUTHORIZE)
@view_config(context=Applications, request_method="POST", permission=Permission.CLIENTS_AUTHORIZE)
def withdraw(context: PersonPage, request: Request) -> Response:
    """The end of one client's access."""
    client_id = request.parameters.last_in_body("client_id")
    if isinstance(client_id, str):
        applications.withdraw(request.store, request.actor.id, client_id)
    return go(context.path)


def _consent_page(context: Authorization, request: Request, status: int = 200) -> Response:
    authorization = context.authorization
    target = urlsplit(authorization.redirect_uri)
    return page(
        request,
        TEMPLATES + "consent.jinja2",
        status,
        leads_away=True,
        csrf_token=get_csrf_token(request),
        client=authorization.client.name,
        host=target.hostname or f"{target.scheme}:",
        username=request.actor.username,
        scopes=[WORDS[scope] for scope in authorization.scopes],
    )
