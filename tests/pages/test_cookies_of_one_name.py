"""Other applications of the host or the domain have a cookie ``sessionid`` too: the browser sends both."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.credentials import sessions
from accountsapp.security.session_cookie import MOST_VALUES
from accountsapp.testing.oauth import APPLICATIONS, Client
from accountsapp.testing.people import PASSWORD, Person

FOREIGN = (
    "x1g8wqv0h3m5n7p9r2t4v6x8z0b2d4f6",
    "",
    '"quoted"',
    "a" * 43,
    "a" * 4000,
    "%00",
    "\xe9",
    "a=b",
    "{}",
)

ORDERS: dict[str, Callable[[str, str], str]] = {
    "alone": lambda ours, theirs: f"sessionid={ours}",
    "first": lambda ours, theirs: f"sessionid={ours}; sessionid={theirs}",
    "last": lambda ours, theirs: f"sessionid={theirs}; sessionid={ours}",
    "amid": lambda ours, theirs: f"a=b; sessionid={theirs};sessionid={ours} ;  sessionid={theirs}; sessionid",
    "quoted": lambda ours, theirs: f'sessionid={theirs}; sessionid="{ours}"',
}


class Browser:
    """Sends the foreign cookie beside the one it was last given."""

    def __init__(self, wsgi: Any, theirs: str, order: str) -> None:
        self._app = TestApp(wsgi)
        self._theirs = theirs
        self._order = ORDERS[order]
        self.ours: str | None = None

    def __call__(self, method: str, url: str, **fields: str) -> Any:
        self._app.reset()
        theirs = f"sessionid={self._theirs}"
        cookie = theirs if self.ours is None else self._order(self.ours, self._theirs)
        arguments: dict[str, Any] = {"params": fields} if method == "POST" else {}
        send = self._app.post if method == "POST" else self._app.get
        answer = send(url, headers={"Cookie": cookie}, expect_errors=True, **arguments)
        given = [value for value in answer.headers.getall("Set-Cookie") if value.startswith("sessionid=")]
        if given:
            self.ours = given[-1].partition(";")[0].partition("=")[2]
        return answer

    def submit(self, page: Any, **fields: str) -> Any:
        return self("POST", page.request.path_qs, csrf_token=page.form["csrf_token"].value, **fields)


@pytest.mark.parametrize("order", [*ORDERS])
@pytest.mark.parametrize("theirs", FOREIGN)
def test_signing_in_does_not_loop(wsgi: Any, public: Client, theirs: str, order: str) -> None:
    browser = Browser(wsgi, theirs, order)
    page = browser("GET", public.query())
    answer = browser.submit(page, username="alice", password=PASSWORD)
    assert answer.status_int == 303
    consent = browser("GET", answer.location)
    assert "Allow access" in consent.text
    answer = browser.submit(consent, decision="allow")
    assert "code=" in answer.location
    page = browser("GET", APPLICATIONS)
    assert "password" not in page.text
    assert "Set-Cookie" not in page.headers


def test_several_cookies_of_visitors(wsgi: Any, public: Client) -> None:
    """Whichever of them the form was made for, it can be sent."""
    token = Browser(wsgi, "a" * 43, "alone")("GET", APPLICATIONS).form["csrf_token"].value
    for order in ("first", "last"):
        browser = Browser(wsgi, "a" * 43, order)
        browser.ours = "b" * 43
        fields = {"csrf_token": token, "username": "alice", "password": PASSWORD}
        assert browser("POST", APPLICATIONS, **fields).status_int == 303


@pytest.mark.parametrize("order", ["first", "last"])
def test_s26_a_cookie_that_was_put_beside_the_session_does_not_stand_for_it(
    wsgi: Any, public: Client, order: str
) -> None:
    """Another site of the domain can set a cookie whose token it knows."""
    known = "k" * 43
    attacker = Browser(wsgi, known, "alone")
    token = attacker("GET", APPLICATIONS).form["csrf_token"].value
    assert attacker.ours is None  # the cookie serves a visitor
    victim = Browser(wsgi, known, order)
    page = victim("GET", public.query())
    victim.submit(page, username="alice", password=PASSWORD)
    answer = victim("POST", public.query(), csrf_token=token, decision="allow")
    assert answer.status_int == 400
    assert "Location" not in answer.headers


def test_only_some_are_looked_at(wsgi: Any, public: Client, app: TestApp) -> None:
    browser = Browser(wsgi, "a" * 43, "first")
    browser.submit(browser("GET", APPLICATIONS), username="alice", password=PASSWORD)
    mine = browser.ours
    for before, signed_in in ((MOST_VALUES - 1, True), (MOST_VALUES, False)):
        others = [f"sessionid={sessions.new_value()}" for _ in range(before)]
        header = "; ".join([*others, "sessionid=junk", *others, f"sessionid={mine}"])
        page = app.get(APPLICATIONS, headers={"Cookie": header})
        assert ("password" not in page.text) is signed_in
    flood = "; ".join(f"sessionid={sessions.new_value()}" for _ in range(1000))
    app.get(APPLICATIONS, headers={"Cookie": flood}, status=200)


@pytest.fixture
def public(stores: Any, alice: Person) -> Client:
    return Client(stores)
