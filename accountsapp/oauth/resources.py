"""The authorization server's places in the tree: pages, and the endpoints, which are views by name."""

from pyramid.authorization import Allow, Authenticated
from pyramid.decorator import reify
from pyramid.location import lineage
from pyramid.traversal import resource_path
from sqlalchemy.exc import SQLAlchemyError

from accountsapp.domain.errors import Busy
from accountsapp.domain.oauth import clients
from accountsapp.oauth.protocol import AuthorizationRequest, authorization_request
from accountsapp.pages.resources import OwnPages, PersonPage
from accountsapp.security.credentials import SessionCookie
from accountsapp.security.permissions import Permission
from accountsapp.web.bodies import FORM, Body
from accountsapp.web.cors import ANY, Cors
from accountsapp.web.request import Request
from accountsapp.web.resources import ApiRoot, Resource


def is_of_a_client(request: Request, origin: str) -> bool:
    """Whether a page of that origin belongs to a client; not while the database cannot tell."""
    try:
        return clients.has_origin(request.store.connection, origin)
    except (Busy, SQLAlchemyError):
        return False


class TokenServer(ApiRoot):
    """Where programs are given tokens: a client proves itself by what it sends, cookies mean nothing."""

    checks: tuple[str, ...] = ("body", "acl")
    body = Body(largest=64 * 1024, any_charset=True, untyped=FORM)
    cors = Cors(
        origins=lambda settings: settings.cors_origins,
        further=is_of_a_client,
        allowed_headers=("Authorization", "Content-Type"),
        allows_asked_headers=True,
        exposed_headers=("Retry-After", "X-Request-Id", "WWW-Authenticate"),
    )

    @property
    def issuer(self) -> str:
        """Its name in the protocol (RFC 8414 2)."""
        return self.request.app_settings.site_url + resource_path(self)


class AuthorizationServer(TokenServer):
    """Clients prove themselves by what they send to the endpoint, people by their session's cookie."""

    accepts = (SessionCookie(),)
    checks = ("body", "csrf", "acl")


class ClientAccess(PersonPage):
    """A page about the access of clients: every person's own."""

    __parent__: AuthorizationServer
    must_be_seen = True
    __acl__ = ((Allow, Authenticated, (Permission.CLIENTS_AUTHORIZE,)),)
    body = Body(largest=64 * 1024, untyped=FORM)
    follows_cors = False

    @property
    def server(self) -> AuthorizationServer:
        return self.__parent__


class Authorization(ClientAccess):
    """``…/authorize``: whether a client is let in."""

    @reify
    def authorization(self) -> AuthorizationRequest:
        """What the query asks for.

        :raises HTTPBadRequest: it cannot be read
        :raises FatalClientError: the client or its redirect URI are not known
        :raises OAuth2Error: anything else; goes back to ``error.redirect_uri``
        """
        return authorization_request(self.request, self.server.issuer)

    @property
    def destination(self) -> str:
        return self.authorization.client.name

    @property
    def query(self) -> str:
        return self.authorization.query


class Applications(ClientAccess):
    """``…/applications``: the clients that have access."""


class OwnApplications(OwnPages):
    """``/applications``: the same, wherever the authorization server is mounted."""

    __acl__ = ((Allow, Authenticated, (Permission.CLIENTS_AUTHORIZE,)),)


class ServerMetadata(ApiRoot):
    """``/.well-known/oauth-authorization-server`` (RFC 8414), for whoever asks.

    :cvar server_path: where the authorization server is mounted
    """

    accepts = ()
    checks = ("acl",)
    cors = Cors(origins=ANY)
    server_path: str

    @property
    def issuer(self) -> str:
        """As :attr:`AuthorizationServer.issuer`."""
        return self.request.app_settings.site_url + self.server_path


class ServerMetadataByPath(Resource):
    """The same with the path of the issuer behind it (RFC 8414 3.1)."""

    @property
    def issuer(self) -> str:
        return next(place for place in lineage(self) if isinstance(place, ServerMetadata)).issuer


AuthorizationServer.children = {"authorize": Authorization, "applications": Applications}
