"""S01: the pages of the authorization server, by every person, and its endpoints, by every client."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from html import unescape
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.access import (
    ACTORS_OWN,
    EVERYBODY,
    HOLDER,
    OWNERS,
    Cell,
    Operation,
    Outcome,
    Rules,
    cells_of,
    expected,
    send,
)
from accountsapp.testing.actors import ACTORS, OWNER, WAYS, cast, show
from accountsapp.testing.credentials import Holder, Shown, hold
from accountsapp.testing.oauth import Client, basic
from accountsapp.testing.people import Person

# Pages


AUTHORIZE, APPLICATIONS = "/api/v1.1/o/authorize", "/api/v1.1/o/applications"
ASKED, LISTED = Outcome(200, ("Allow access?", HOLDER)), Outcome(200, ("Applications with access", HOLDER))
GONE_ON = Outcome(303, ())
PAGES = (
    Operation("GET", AUTHORIZE, ASKED, may=EVERYBODY),
    Operation("POST", AUTHORIZE, GONE_ON, {"decision": "allow"}, may=EVERYBODY),
    Operation("POST", AUTHORIZE, GONE_ON, {"decision": "deny"}, may=EVERYBODY),
    Operation("GET", APPLICATIONS, LISTED, may=EVERYBODY),
    Operation("POST", APPLICATIONS, GONE_ON, {"client_id": "none"}, may=EVERYBODY),
)


def counts(page: Operation, way: str) -> str | None:
    """The cookie of a living session counts and nothing else; every page is its holder's own."""
    return {"cookie": ACTORS_OWN, "Basic and the owner's cookie": OWNERS}.get(way)


SIGN_IN = Outcome(200, ("Sign in",))
RULES = Rules(counts, nobody=SIGN_IN, refused=SIGN_IN, encoding="form")


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_page_is_as_declared(
    actor: str, wsgi: Any, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    client = Client(stores)
    wrong = []
    for page, way in product(PAGES, RULES.ways):
        got = visit(wsgi, page, client, show(RULES.ways[way], who, owner))
        wanted = expected(RULES, page, actor, way)
        if got != wanted:
            wrong.append((page.method, page.path, way, got, wanted))
    assert wrong == []


def visit(wsgi: Any, page: Operation, client: Client, shown: Shown) -> Outcome:
    """What a browser gets whose form carries the token against forgery, which is always the right one."""
    app = TestApp(wsgi)
    if page.fields is not None:
        token = csrf_token_of(app.get(client.query(), headers=shown.headers))
        page = page._replace(fields={**page.fields, "csrf_token": token})
    url = client.query() if page.path == AUTHORIZE else page.path
    return seen(send(app, RULES, page._replace(path=url), shown))


# Of thousands of pages: to parse a whole one costs as much as to make it.
HEADING, STRONG = re.compile(r"<h1[^>]*>(.*?)</h1>", re.S), re.compile(r"<strong[^>]*>(.*?)</strong>", re.S)
TAG = re.compile(r"<[^>]+>")
CSRF_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def seen(answer: Any) -> Outcome:
    """Heading of the page, and whose account it is about."""
    if not answer.body:
        return Outcome(answer.status_int, ())
    (heading,) = HEADING.findall(answer.text)
    named = [name for strong in STRONG.findall(answer.text) if (name := text_of(strong)) in NAMES]
    return Outcome(answer.status_int, (text_of(heading), *named))


def text_of(html: str) -> str:
    return unescape(TAG.sub("", html))


def csrf_token_of(answer: Any) -> str:
    return unescape(CSRF_TOKEN.findall(answer.text)[0])


NAMES = (OWNER, *(name.replace(" ", "-") for name in ACTORS))


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


class Parties(NamedTuple):
    """Who there is.

    :ivar client: whose token it is
    """

    client: Client
    other: Client
    public: Client
    owner: Holder

    @property
    def by_name(self) -> dict[str, str]:
        return {"client_id": self.client.client_id}

    @property
    def by_basic(self) -> Shown:
        return Shown(headers=basic(self.client.client_id, self.client.secret))


def owners(way: str) -> Callable[[Parties], tuple[Shown, dict[str, str]]]:
    """A credential of the owner, in place of the client's."""
    return lambda there: (show(WAYS[way], there.owner, there.owner), there.by_name)


CALLERS: Mapping[str, Callable[[Parties], tuple[Shown, dict[str, str]]]] = {
    "nobody": lambda there: (Shown(), {}),
    "an unknown name": lambda there: (Shown(), {"client_id": "unknown"}),
    "the name alone": lambda there: (Shown(), there.by_name),
    "a wrong secret": lambda there: (Shown(), {**there.by_name, "client_secret": there.other.secret or ""}),
    "the secret in the URL": lambda there: (Shown(urlencode(there.client.identity)), {}),
    "its owner's password": owners("Basic"),
    "its owner's cookie": owners("cookie"),
    "its owner's access token": owners("bearer"),
    "its owner's API key": owners("key in a header"),
    "another client": lambda there: (Shown(), there.other.identity),
    "a public client": lambda there: (Shown(), there.public.identity),
    "two that disagree": lambda there: (there.by_basic, there.other.identity),
    "the client, by Basic": lambda there: (there.by_basic, {}),
    "the client, in the body": lambda there: (Shown(), there.client.identity),
}
"""Who asks: what URL and headers show, and the fields of the body. The token is always the client's."""


@pytest.mark.parametrize("path", ENDPOINTS)
def test_s01_every_endpoint_is_as_declared(
    path: str, wsgi: Any, register: Callable[..., Person], stores: Process
) -> None:
    owner = hold(stores, register(OWNER))
    client = Client(stores, confidential=True, owner_id=owner.person.id)
    there = Parties(client, Client(stores, confidential=True), Client(stores), owner)
    wrong = []
    for who, shows in CALLERS.items():
        on_top, in_body = shows(there)
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


# Printed


def cells() -> Iterator[Cell]:
    yield from cells_of(PAGES, RULES.ways, partial(expected, RULES))


def endpoint_cells() -> Iterator[Cell]:
    """By client in place of the actor, who shows itself in one way."""
    for path, who in product(ENDPOINTS, CALLERS):
        yield Cell(f"POST {path}", "", who, expected_of_endpoint(path, who)[0])
