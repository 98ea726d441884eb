"""A site below a path, such as https://example.org/accounts: every link, form and redirect has it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.oauth import Client
from accountsapp.testing.people import PASSWORD, Person
from tests.support.mailserver import free_port
from tests.support.servers import Server

SITE = "https://example.org/accounts"
LINK = re.compile(r'(?:href|src|action)="([^"]*)"')


def below_the_path(text: str) -> set[str]:
    """The paths of a page's links that do not begin with that of the site."""
    links = {link for link in LINK.findall(text) if link and not link.startswith("#")}
    assert links
    return {link for link in links if not link.startswith("/accounts/")}


@pytest.fixture
def site(make_app: Callable[..., Any]) -> Any:
    return make_app(**{"accountsapp.site_url": SITE})


@pytest.mark.parametrize("script_name", ["", "/accounts"], ids=["taken away", "handed on"])
def test_every_link_has_the_path(site: Any, stores: Process, alice: Person, script_name: str) -> None:
    """Whoever takes the path away, WSGI has it in SCRIPT_NAME or nowhere, and the rest in PATH_INFO."""

    def browser() -> TestApp:
        return TestApp(site, extra_environ={"SCRIPT_NAME": script_name, "wsgi.url_scheme": "https"})

    def at(path: str) -> str:
        return script_name + path

    client = Client(stores)
    for path in ("/", "/sessions", "/applications", "/keys", client.query(), "/recovery/alice/reset/none"):
        answer = browser().get(at(path), expect_errors=True)
        assert below_the_path(answer.text) == set(), path
    accepted = {"Accept": "text/html"}
    assert below_the_path(browser().get(at("/nowhere"), headers=accepted, status=404).text) == set()

    app = browser()
    form = app.get(at("/sessions")).form
    form["username"], form["password"] = "alice", PASSWORD
    assert form.action == ""
    signed_in = form.submit(status=303)
    assert signed_in.location == "/accounts/sessions/"
    (session,) = (
        cookie for cookie in signed_in.headers.getall("Set-Cookie") if cookie.startswith("sessionid=")
    )
    listed = app.get(at("/sessions"), headers={"Cookie": session.partition(";")[0]})
    assert "Where you are signed in" in listed.text
    keys = app.get(at("/keys"), headers={"Cookie": session.partition(";")[0]})
    assert "Default key" in keys.text
    assert below_the_path(listed.text) == below_the_path(keys.text) == set()


class TestServer:
    @pytest.fixture
    def backend(self) -> str:
        """Nothing here depends on the database."""
        return "sqlite"

    @pytest.fixture
    def url(self, ini: dict[str, str], tmp_path: Path) -> Iterator[str]:
        port = free_port()
        settings = {**ini, "accountsapp.site_url": f"http://127.0.0.1:{port}/accounts"}
        server = Server(tmp_path, settings, port=port)
        yield server.wait().url
        server.stop()

    def test_the_path_may_be_handed_on_or_taken_away(self, url: str) -> None:
        pages = set()
        for path in ("/", "/accounts", "/accounts/"):
            with urlopen(url + path, timeout=10) as answer:
                pages.add(answer.read())
        (page,) = pages
        links = LINK.findall(page.decode())
        style = next(link for link in links if "style.css" in link)
        for path in (style, style.removeprefix("/accounts")):
            with urlopen(url + path, timeout=10) as answer:
                assert answer.headers["Content-Type"].startswith("text/css")
        assert urlsplit(style).path == "/accounts/static/style.css"
