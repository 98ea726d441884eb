"""The endpoints that programs call."""

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.oauth import protocol
from accountsapp.oauth.resources import AuthorizationServer
from accountsapp.web.request import Request

endpoint = {
    "context": AuthorizationServer,
    "request_method": "POST",
    "permission": NO_PERMISSION_REQUIRED,
    "require_csrf": False,
}
"""Open to all: who calls is proved to the protocol, by the client's secret; cookies mean nothing here."""


@view_config(name="token", **endpoint)
def token(context: AuthorizationServer, request: Request) -> Response:
    """Tokens for a code or a refresh token."""
    return protocol.token_answer(request)


@view_config(name="revoke", **endpoint)
def revoke(context: AuthorizationServer, request: Request) -> Response:
    """End a token."""
    return protocol.revocation_answer(request)


@view_config(name="introspect", **endpoint)
def introspect(context: AuthorizationServer, request: Request) -> Response:
    """Whether a token is living, and whose it is."""
    return protocol.introspection_answer(request)
