"""S01: the pages of the authorization server, by every person, and its endpoints, by every client."""

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from webtest import TestApp

from accountsapp.process import Process
from tests.support.actors import ACTORS, DEAD, OWNER, WAYS, Shown, cast, hold, show
from tests.support.oauth import Client, basic
from tests.support.people import Person

# Pages


class Page(NamedTuple):
    """One request for a page.

    :ivar path: of the printed tree
    :ivar form: sent beside the token against forgery, which is always the right one; None for GET
    :ivar status: what somebody who is signed in gets
    :ivar heading: of the page; empty for a redirect
    """

    method: str
    path: str
    form: dict[str, str] | None
    status: int
    heading: str


class Seen(NamedTuple):
    """What came of it: status, heading, and whose account the page is about."""

    status: int
    heading: str
    username: str


AUTHORIZE, APPLICATIONS = "/api/v1.1/o/authorize", "/api/v1.1/o/applications"
PAGES = (
    Page("GET", AUTHORIZE, None, 200, "Allow access?"),
    Page("POST", AUTHORIZE, {"decision": "allow"}, 303, ""),
    Page("POST", AUTHORIZE, {"decision": "deny"}, 303, ""),
    Page("GET", APPLICATIONS, None, 200, "Applications with access"),
    Page("POST", APPLICATIONS, {"client_id": "none"}, 303, ""),
)


def expected_page(page: Page, actor: str, way: str) -> Seen:
    """One cell: the cookie of a living session counts and nothing else; every page is its holder's own."""
    if "cookie" not in way or actor == "anonymous" or actor in DEAD:
        return Seen(200, "Sign in", "")
    holder = OWNER if "owner's" in way or actor in ("self", "wrong scope") else actor
    return Seen(page.status, page.heading, holder if page.heading else "")


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_page_is_as_declared(
    actor: str, wsgi: Any, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    client = Client(stores)
    wrong = []
    for page, way in product(PAGES, WAYS):
        seen, wanted = visit(wsgi, page, client, show(way, who, owner)), expected_page(page, actor, way)
        if seen != wanted:
            wrong.append((page.method, page.path, way, seen, wanted))
    assert wrong == []


def visit(wsgi: Any, page: Page, client: Client, shown: Shown) -> Seen:
    app = TestApp(wsgi)
    url = client.query() if page.path == AUTHORIZE else page.path
    url += ("&" if "?" in url else "?") + shown.query
    if page.form is None:
        answer = app.get(url, headers=shown.headers)
    else:
        token = app.get(client.query(), headers=shown.headers).form["csrf_token"].value
        fields = {**page.form, "csrf_token": token}
        answer = app.post(url, fields, headers=shown.headers, expect_errors=True)
    if not answer.body:
        return Seen(answer.status_int, "", "")
    named = [strong.get_text() for strong in answer.html.select("strong") if strong.get_text() in NAMES]
    return Seen(answer.status_int, answer.html.h1.get_text(), "".join(named))


NAMES = (OWNER, *ACTORS)

# Endpoints

TOKEN, REVOKE, INTROSPECT = "/api/v1.1/o/token", "/api/v1.1/o/revoke", "/api/v1.1/o/introspect"
ENDPOINTS = (TOKEN, REVOKE, INTROSPECT)
GRANTED = {
    TOKEN: {"access_token", "token_type", "expires_in", "refresh_token", "scope", "username", "user_id"},
    REVOKE: set(),
    INTROSPECT: {"active", "scope", "client_id", "username", "sub", "token_type", "exp", "iat"},
}
OTHERS = {TOKEN: (400, "invalid_grant"), REVOKE: (200, set()), INTROSPECT: (200, {"active"})}
"""What a client is told of another's token."""


def expected_of_endpoint(path: str, who: str) -> tuple[int, Any]:
    """Status, and the error's name or the keys of the answer."""
    if who.startswith("the client,"):
        return 200, GRANTED[path]
    if who == "another client" or (who == "a public client" and path != INTROSPECT):
        return OTHERS[path]
    return (400, "invalid_request") if who == "the secret in the URL" else (401, "invalid_client")


@pytest.mark.parametrize("path", ENDPOINTS)
def test_s01_every_endpoint_is_as_declared(
    path: str, wsgi: Any, register: Callable[..., Person], stores: Process
) -> None:
    owner = hold(stores, register(OWNER))
    client = Client(stores, confidential=True, owner_id=owner.person.id)
    other, public = Client(stores, confidential=True), Client(stores)
    assert client.secret is not None
    by_name = {"client_id": client.client_id}
    # By caller: what URL and headers show, and the fields of the body. The token is always the client's.
    shown: dict[str, tuple[Shown, dict[str, str]]] = {
        "nobody": (Shown("", {}), {}),
        "an unknown name": (Shown("", {}), {"client_id": "unknown"}),
        "the name alone": (Shown("", {}), by_name),
        "a wrong secret": (Shown("", {}), {**by_name, "client_secret": other.secret or ""}),
        "the secret in the URL": (Shown(urlencode(client.identity), {}), {}),
        "its owner's password": (show("Basic", owner, owner), by_name),
        "its owner's cookie": (show("cookie", owner, owner), by_name),
        "its owner's access token": (show("bearer", owner, owner), by_name),
        "its owner's API key": (show("key in a header", owner, owner), by_name),
        "another client": (Shown("", {}), other.identity),
        "a public client": (Shown("", {}), public.identity),
        "two that disagree": (Shown("", basic(client.client_id, client.secret)), other.identity),
        "the client, by Basic": (Shown("", basic(client.client_id, client.secret)), {}),
        "the client, in the body": (Shown("", {}), client.identity),
    }
    wrong = []
    for who, (on_top, in_body) in shown.items():
        app = TestApp(wsgi)
        given = client.tokens(app, OWNER)
        body = {"token": given["access_token"]}
        if path == TOKEN:
            body = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        app.reset()
        url = path + (f"?{on_top.query}" if on_top.query else "")
        answer = app.post(url, {**body, **in_body}, headers=on_top.headers, expect_errors=True)
        content = answer.json if answer.body else {}
        got = (answer.status_int, content.get("error", set(content)))
        if got != expected_of_endpoint(path, who):
            wrong.append((who, got, expected_of_endpoint(path, who)))
    assert wrong == []
