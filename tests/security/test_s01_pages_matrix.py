"""S01: the pages of a signed-in person that belong to no API, by every person."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.access import EVERYBODY, HOLDER, Cell, Operation, Outcome, cells_of, expected, send
from accountsapp.testing.actors import ACTORS, cast, show
from accountsapp.testing.people import PASSWORD, Person
from tests.security.test_s01_oauth_matrix import GONE_ON, LISTED, RULES, SIGN_IN, csrf_token_of, seen

KEYS, NO_KEY = Outcome(200, ("API keys", HOLDER)), Outcome(404, ("There is no such page",))
PAGES = (
    Operation("GET", "/sessions", Outcome(200, ("Where you are signed in", HOLDER)), may=EVERYBODY),
    Operation("POST", "/sessions", GONE_ON, {"session": "none"}, may=EVERYBODY),
    Operation("GET", "/applications", LISTED, may=EVERYBODY),
    Operation("POST", "/applications", GONE_ON, {"client_id": "none"}, may=EVERYBODY),
    Operation("GET", "/keys", KEYS, may=EVERYBODY),
    Operation("POST", "/keys", SIGN_IN, {}, may=EVERYBODY),
    Operation("POST", "/keys/confirm", GONE_ON, {"password": PASSWORD}, may=EVERYBODY),
    Operation("POST", "/keys/add", KEYS, {"preset": "full"}, may=EVERYBODY),
    Operation("POST", "/keys/default/show", KEYS, {}, may=EVERYBODY),
    Operation("POST", "/keys/default/reset", KEYS, {}, may=EVERYBODY),
    Operation("POST", "/keys/{key}/revoke", NO_KEY, {}, may=EVERYBODY),
    Operation("POST", "/keys/{key}/rotate", NO_KEY, {}, may=EVERYBODY),
)


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_page_is_as_declared(
    actor: str, wsgi: Any, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    wrong = []
    for page, way in product(PAGES, RULES.ways):
        shown = show(RULES.ways[way], who, owner)
        app, sent = TestApp(wsgi), page
        if page.fields is not None:
            # Of any page: the token is that of the session.
            token = csrf_token_of(app.get("/sessions", headers=shown.headers))
            fields = {**page.fields, "csrf_token": token}
            sent = page._replace(fields={"name": way, **fields} if page.path == "/keys/add" else fields)
        got, wanted = seen(send(app, RULES, sent, shown)), expected(RULES, page, actor, way)
        if got != wanted:
            wrong.append((page.method, page.path, way, got, wanted))
    assert wrong == []


def cells() -> Iterator[Cell]:
    yield from cells_of(PAGES, RULES.ways, partial(expected, RULES))
