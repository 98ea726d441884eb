"""The authorization server (RFC 6749): authorize, token, revoke, introspect, applications.

It knows no URL: an API that needs it mounts :class:`~accountsapp.oauth.resources.AuthorizationServer` or a
view of its own on :func:`~accountsapp.oauth.protocol.token_answer`.
"""

from typing import TYPE_CHECKING

from accountsapp.oauth.resources import Applications, Authorization

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    config.add_sign_in(Authorization)
    config.add_sign_in(Applications)
    config.scan(__name__)
