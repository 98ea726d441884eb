"""The authorization server's places in the tree: pages, and the endpoints, which are views by name."""

from pyramid.authorization import Allow, Authenticated
from pyramid.decorator import reify

from accountsapp.oauth.protocol import AuthorizationRequest, authorization_request
from accountsapp.pages.resources import PersonPage
from accountsapp.security.credentials import SessionCookie
from accountsapp.security.permissions import Permission
from accountsapp.web.bodies import FORM, Body
from accountsapp.web.resources import ApiRoot


class AuthorizationServer(ApiRoot):
    """Clients prove themselves by what they send to the endpoint, people by their session's cookie."""

    accepts = (SessionCookie(),)
    checks = ("body", "csrf", "acl")
    body = Body(largest=64 * 1024, untyped=FORM)
    answers_options = False


class ClientAccess(PersonPage):
    """A page about the access of clients: every person's own."""

    __acl__ = ((Allow, Authenticated, (Permission.CLIENTS_AUTHORIZE,)),)


class Authorization(ClientAccess):
    """``…/authorize``: whether a client is let in."""

    @reify
    def asked(self) -> AuthorizationRequest:
        """What the query asks for.

        :raises HTTPBadRequest: it cannot be read
        :raises FatalClientError: the client or its redirect URI are not known
        :raises OAuth2Error: anything else; goes back to ``error.redirect_uri``
        """
        return authorization_request(self.request)

    @property
    def destination(self) -> str:
        return self.asked.client.name

    @property
    def query(self) -> str:
        return self.asked.query


class Applications(ClientAccess):
    """``…/applications``: the clients that have access."""


AuthorizationServer.children = {"authorize": Authorization, "applications": Applications}
