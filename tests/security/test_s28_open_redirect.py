"""S27, S28: after the forms of the authorization server one is on a page of this site, whatever was sent.

No parameter says where to go next: the form posts to where it stands. Other redirects lead to registered
redirect URIs alone (``tests/oauth/test_authorize.py``).
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.oauth import APPLICATIONS, Client
from accountsapp.testing.people import PASSWORD, Person
from tests.support.targets import TARGETS

NAMES = ("next", "came_from", "return_to", "redirect", "redirect_url", "url", "continue", "goto", "target")
PLACES = ("query", "form", "json")


@pytest.fixture
def client(stores: Process, alice: Person) -> Client:
    return Client(stores)


def post(app: TestApp, url: str, place: str, target: str, fields: dict[str, str]) -> Any:
    """A form's fields, and beside them a target under every name that could mean one."""
    added = dict.fromkeys(NAMES, target)
    if place == "query":
        url += ("&" if "?" in url else "?") + urlencode(added)
    sent = fields if place == "query" else {**fields, **added}
    # In JSON the token is a header: a member of that name proves nothing.
    headers = {"X-CSRFToken": fields["csrf_token"]} if place == "json" else {}
    return (app.post_json if place == "json" else app.post)(url, sent, headers=headers, status=303)


def sign_in(app: TestApp, url: str, place: str = "form", target: str = "") -> Any:
    token = app.get(url).form["csrf_token"].value
    fields = {"username": "alice", "password": PASSWORD, "csrf_token": token}
    return post(app, url, place, target, fields)


@pytest.mark.parametrize("place", PLACES)
def test_s28_no_target_is_gone_to(wsgi: Any, client: Client, place: str) -> None:
    assert len(set(TARGETS)) >= 60
    for target in TARGETS:
        app = TestApp(wsgi)
        assert sign_in(app, client.query(), place, target).location == client.query()
        token = app.get(client.query()).form["csrf_token"].value
        fields = {"csrf_token": token, "client_id": target}
        assert post(app, APPLICATIONS, place, target, fields).location == APPLICATIONS
        fields = {"csrf_token": token, "session": target}
        assert post(app, "/sessions", place, target, fields).location == "/sessions/"
        assert sign_in(TestApp(wsgi), "/sessions", place, target).location == "/sessions/"


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_HOST": "evil.example"},
        {"HTTP_HOST": "evil.example:80", "wsgi.url_scheme": "https"},
        {"HTTP_HOST": "evil.example/x?"},
        {"SERVER_NAME": "evil.example", "HTTP_X_HOST": "evil.example"},
        {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_SERVER": "evil.example"},
        {"HTTP_FORWARDED": "host=evil.example;proto=https", "HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_X_ORIGINAL_URL": "//evil.example", "HTTP_X_REWRITE_URL": "//evil.example"},
    ],
    ids=lambda environ: next(iter(environ.items()))[1],
)
def test_s27_host_decides_nothing(wsgi: Any, client: Client, environ: dict[str, str]) -> None:
    app = TestApp(wsgi, extra_environ=environ)
    assert sign_in(app, client.query()).location == client.query()
    page = app.get(client.query())
    assert "evil" not in page.text
    fields = {"csrf_token": page.form["csrf_token"].value, "client_id": client.client_id}
    assert app.post(APPLICATIONS, fields, status=303).location == APPLICATIONS


def test_s28_a_path_of_site_url_stays_in_front(make_app: Callable[..., Any], client: Client) -> None:
    app = TestApp(make_app(**{"accountsapp.site_url": "http://site.example/accounts/"}))
    assert sign_in(app, client.query()).location == "/accounts" + client.query()
