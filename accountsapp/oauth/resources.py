"""The authorization server's place in the tree: its endpoints are views by name."""

from accountsapp.security.credentials import SessionCookie
from accountsapp.web.bodies import FORM
from accountsapp.web.resources import ApiRoot


class AuthorizationServer(ApiRoot):
    """Clients prove themselves by what they send to the endpoint, people by their session's cookie."""

    accepts = (SessionCookie(),)
    largest_body = 64 * 1024
    untyped_body = FORM
