"""Clients that are pages: which origins may call token, revoke, introspect and the users endpoints (7.3)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from webtest import TestApp

from accountsapp.domain.oauth import clients
from accountsapp.process import Process
from accountsapp.testing.oauth import APPLICATIONS, AUTHORIZE, INTROSPECT, REVOKE, TOKEN, Client, basic
from accountsapp.testing.people import Person

LISTED = "https://listed.example"
ENDPOINTS = (TOKEN, REVOKE, INTROSPECT)
USERS = ("/api/v1.1/users/alice/", "/api/v1.1/users/alice/emails/", "/api/v1.1/users/nobody/")
PAGES = (AUTHORIZE, APPLICATIONS)

OF_CLIENTS = {
    "https://client.example.com/callback": "https://client.example.com",
    "https://UPPER.example:443/cb?x=1": "https://upper.example",
    "http://plain.example:80": "http://plain.example",
    "https://port.example:8443/cb": "https://port.example:8443",
    "http://127.0.0.1/cb": "http://127.0.0.1:51004",
    "http://[::1]:9/cb": "http://[::1]:51004",
    "http://localhost:3000/cb": "http://localhost:3000",
}
"""Redirect URI to an origin that is its own."""
OTHERS = (
    "https://evil.example",
    "null",
    "",
    "https://client.example.com.evil.example",
    "https://client.example.com:8443",
    "http://client.example.com",
    "https://client.example.com/callback",
    "https://Client.Example.com",
    "https://port.example",
    "http://localhost:3001",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1:99999",
    "org.example.app://",
    "org.example.app:/",
    "*",
)


@pytest.fixture
def app(make_app: Callable[..., Any]) -> TestApp:
    return TestApp(make_app(**{"accountsapp.cors_origins": LISTED}))


@pytest.fixture
def browser_client(stores: Process, alice: Person) -> Client:
    return Client(stores, redirect_uris=[*OF_CLIENTS, "org.example.app:/cb"])


def said(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control")}


def preflight(app: TestApp, path: str, origin: str, method: str = "POST") -> Any:
    asked = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,x-more",
    }
    return app.options(path, headers={"Origin": origin, **asked}, status=204)


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("origin", [*OF_CLIENTS.values(), LISTED])
def test_origins_of_clients_and_listed_ones(
    app: TestApp, browser_client: Client, origin: str, path: str
) -> None:
    answer = preflight(app, path, origin)
    headers = said(answer)
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Methods"] == "OPTIONS, POST"
    assert "authorization" in headers["Access-Control-Allow-Headers"].lower()
    assert "x-more" in headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in headers
    for status, body in ((401, {"token": "x"}), (400, {"client_id": ["x"]})):
        answer = app.post_json(path, body, headers={"Origin": origin}, expect_errors=True)
        assert answer.status_int in (status, 400)
        assert said(answer)["Access-Control-Allow-Origin"] == origin
        assert "Retry-After" in said(answer)["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in said(answer)
        assert "Origin" in answer.headers["Vary"]


def test_s29_no_other_origin(app: TestApp, browser_client: Client) -> None:
    for origin in OTHERS:
        for path in ENDPOINTS:
            answers = [
                preflight(app, path, origin),
                app.post(path, {"token": "x"}, headers={"Origin": origin}, status="*"),
            ]
            for answer in answers:
                assert said(answer) == {}, (origin, path)
                assert "Origin" in answer.headers["Vary"]


def test_a_revoked_client_has_no_origin_any_more(
    app: TestApp, stores: Process, browser_client: Client
) -> None:
    origin = "https://client.example.com"
    assert said(preflight(app, TOKEN, origin)) != {}
    with stores.transaction() as store:
        clients.revoke(store, browser_client.client_id)
    assert said(preflight(app, TOKEN, origin)) == {}


@pytest.mark.parametrize("path", PAGES)
def test_s29_never_at_the_pages(app: TestApp, browser_client: Client, path: str) -> None:
    query = browser_client.query().removeprefix(AUTHORIZE) if path == AUTHORIZE else ""
    for origin in (*OF_CLIENTS.values(), LISTED, *OTHERS):
        answer = preflight(app, path, origin)
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
        assert said(answer) == {}
        for method in ("GET", "POST", "PUT"):
            answer = app.request(path + query, method=method, headers={"Origin": origin}, status="*")
            assert said(answer) == {}


@pytest.mark.parametrize("path", USERS)
def test_the_users_endpoints_are_for_listed_origins_alone(
    app: TestApp, browser_client: Client, path: str
) -> None:
    answer = preflight(app, path, LISTED, "PATCH")
    assert said(answer)["Access-Control-Allow-Origin"] == LISTED
    assert "PATCH" in said(answer)["Access-Control-Allow-Methods"]
    assert "authorization" in said(answer)["Access-Control-Allow-Headers"].lower()
    for headers in ({}, basic("alice"), basic("alice", "wrong")):
        answer = app.get(path, headers={"Origin": LISTED, **headers}, status="*")
        assert said(answer)["Access-Control-Allow-Origin"] == LISTED
        assert "Access-Control-Allow-Credentials" not in said(answer)
        for origin in (*OF_CLIENTS.values(), *OTHERS):
            answer = app.get(path, headers={"Origin": origin, **headers}, status="*")
            assert said(answer) == {}
    for origin in (*OF_CLIENTS.values(), *OTHERS):
        assert said(preflight(app, path, origin)) == {}


def test_a_database_that_does_not_answer_costs_only_the_header(
    app: TestApp, browser_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> bool:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(clients, "has_origin", fail)
    assert said(preflight(app, TOKEN, "https://client.example.com")) == {}
    assert said(preflight(app, TOKEN, LISTED))["Access-Control-Allow-Origin"] == LISTED
