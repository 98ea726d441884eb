"""What the authorization server says of itself (dockerhub 7.3, RFC 8414)."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.testing.oauth import ISSUER

WELL_KNOWN = "/.well-known/oauth-authorization-server"
PATHS = (WELL_KNOWN, f"{WELL_KNOWN}/", f"{WELL_KNOWN}/api/v1.1/o", f"{WELL_KNOWN}/api/v1.1/o/")


@pytest.mark.parametrize("path", PATHS)
def test_the_metadata(app: TestApp, path: str) -> None:
    answer = app.get(path, status=200)
    assert answer.content_type == "application/json"
    said = answer.json
    assert said == {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize/",
        "token_endpoint": f"{ISSUER}/token/",
        "revocation_endpoint": f"{ISSUER}/revoke/",
        "introspection_endpoint": f"{ISSUER}/introspect/",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "scopes_supported": ["profile_read", "profile_write", "email_read", "email_write"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def test_the_endpoints_are_there(app: TestApp) -> None:
    said = app.get(WELL_KNOWN).json
    for name, url in said.items():
        if name.endswith("_endpoint"):
            app.options(url.removeprefix(ISSUER.removesuffix("/api/v1.1/o")), status=204)


def test_the_issuer_is_below_the_sites_url(make_app: Callable[..., Any]) -> None:
    app = TestApp(make_app(**{"accountsapp.site_url": "https://example.org/accounts/"}))
    for path in PATHS:
        said = app.get(path, headers={"Host": "evil.example"}).json
        assert said["issuer"] == "https://example.org/accounts/api/v1.1/o"
        assert said["token_endpoint"] == "https://example.org/accounts/api/v1.1/o/token/"


def test_a_page_of_any_origin_may_read_it(app: TestApp) -> None:
    for path in PATHS:
        answer = app.get(path, headers={"Origin": "https://anybody.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_what_is_not_there(app: TestApp) -> None:
    for path in ("/api", "/api/v1.1", "/api/v1.1/o/x", "/api/v1.1/users", "/o", "/api/v1/o"):
        app.get(WELL_KNOWN + path, status=404)
    app.get("/.well-known", status=404)
    answer = app.post(WELL_KNOWN, status=405)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
