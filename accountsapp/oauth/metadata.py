"""What the authorization server says of itself (RFC 8414), so that clients need only its address."""

from typing import Any

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.domain.oauth.scopes import Scope
from accountsapp.oauth.resources import ServerMetadata, ServerMetadataByPath
from accountsapp.web.request import Request

WITH_SECRET = ("client_secret_basic", "client_secret_post")


@view_config(context=ServerMetadata, request_method="GET", permission=NO_PERMISSION_REQUIRED)
@view_config(context=ServerMetadataByPath, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def describe(context: ServerMetadata | ServerMetadataByPath, request: Request) -> dict[str, Any]:
    """The server's endpoints and abilities."""
    issuer = context.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize/",
        "token_endpoint": f"{issuer}/token/",
        "revocation_endpoint": f"{issuer}/revoke/",
        "introspection_endpoint": f"{issuer}/introspect/",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "scopes_supported": list(Scope),
        "token_endpoint_auth_methods_supported": [*WITH_SECRET, "none"],
        "revocation_endpoint_auth_methods_supported": [*WITH_SECRET, "none"],
        "introspection_endpoint_auth_methods_supported": list(WITH_SECRET),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
