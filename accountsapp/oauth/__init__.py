"""The authorization server (RFC 6749): authorize, token, revoke, introspect, applications.

It knows no URL: an API that needs it mounts :class:`~accountsapp.oauth.resources.AuthorizationServer` or a
view of its own on :func:`~accountsapp.oauth.protocol.token_answer`.
"""

from typing import Any


def includeme(config: Any) -> None:
    config.scan(__name__)
