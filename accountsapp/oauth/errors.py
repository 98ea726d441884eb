"""How the authorization server refuses: programs get the object of RFC 6749 5.2, people a page."""

from oauthlib.oauth2.rfc6749.errors import FatalClientError, OAuth2Error
from pyramid.httpexceptions import HTTPException
from pyramid.response import Response

from accountsapp.i18n import mark as _
from accountsapp.oauth.redirects import with_parameters
from accountsapp.oauth.resources import AuthorizationServer, TokenServer
from accountsapp.pages.html import go, page
from accountsapp.pages.language import translated
from accountsapp.pages.refusals import refusal_page
from accountsapp.pages.resources import PersonPage
from accountsapp.web.answers import json_answer
from accountsapp.web.error_views import error_view_config
from accountsapp.web.failures import Failure, failure_of
from accountsapp.web.request import Request

CODES = {429: "temporarily_unavailable", 500: "server_error", 503: "temporarily_unavailable"}


@error_view_config(HTTPException, containment=TokenServer)
@error_view_config(Exception, containment=TokenServer)
def failed(error: Exception, request: Request) -> Response:
    """A refusal that the protocol does not know, or a fault of ours."""
    return _refusal(request, failure_of(error, request))


@error_view_config(FatalClientError, containment=AuthorizationServer)
def unknown_client(error: FatalClientError, request: Request) -> Response:
    """Client or redirect URI are not known: nobody is sent anywhere."""
    return page(
        request,
        "done.jinja2",
        400,
        heading=translated(request, _("This link is not complete")),
        text=translated(
            request,
            _("The application that sent you here is not known, or its link is wrong. Nothing was allowed."),
        ),
    )


@error_view_config(OAuth2Error, containment=AuthorizationServer)
def back_to_client(error: OAuth2Error, request: Request) -> Response:
    """The client is known and asked for what it cannot have: it is told so."""
    return go(with_parameters(error.redirect_uri, [*error.twotuples, ("iss", request.context.server.issuer)]))


def _refusal(request: Request, failure: Failure) -> Response:
    if isinstance(request.context, PersonPage):
        return refusal_page(request, failure)
    body = {"error": CODES.get(failure.status, "invalid_request"), "error_description": failure.text}
    response = json_answer(request, body, failure.status)
    response.headerlist.extend(failure.headers)
    return response
