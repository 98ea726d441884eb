"""The authorization server (RFC 6749): authorize, token, revoke, introspect, applications.

Its page ``/applications`` is there where one is. Of other URLs it knows none: an API
that needs it mounts :class:`~accountsapp.oauth.resources.AuthorizationServer` or a
view of its own on :func:`~accountsapp.oauth.protocol.token_answer`.
"""

from typing import TYPE_CHECKING

from accountsapp.oauth.resources import Applications, Authorization, OwnApplications

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    config.add_sign_in(Authorization)
    config.add_sign_in(Applications)
    config.mount("/applications", OwnApplications)
    config.add_sign_in(OwnApplications)
    config.add_menu_entry("applications", "/applications")
    config.add_document("oauth", f"{__name__}.documents")
    config.scan(__name__, ignore=".documents")
