"""Sign in, deny, allow, withdraw: in a browser without scripts of ours, and looked at for accessibility."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from accountsapp.process import Process
from accountsapp.testing.oauth import APPLICATIONS, TOKEN, VERIFIER, Client
from accountsapp.testing.people import PASSWORD, Person
from tests.support.servers import Server


class ClientSite(BaseHTTPRequestHandler):
    """A client's site, at an origin of its own, whose callback leads on to another origin."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/callback":
            _, port = self.server.server_address[:2]
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{port}/landed?{query}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def callback() -> Iterator[str]:
    """The redirect URI of a client."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), ClientSite)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{site.server_port}/callback"
    site.shutdown()
    site.server_close()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(
    stores: Process, alice: Person, server: Server, browser: Browser, callback: str, scheme: Any
) -> None:
    client = Client(stores, redirect_uris=[callback])
    url = server.url + client.query(redirect_uri=None)
    page = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
    page.goto(url)
    check(page)
    sign_in(page, "wrong")
    check(page)
    sign_in(page, PASSWORD)
    assert page.get_by_role("heading", level=1).inner_text() == "Allow access?"
    check(page)
    page.get_by_role("button", name="Allow").click()
    fetch_tokens(page, server, client, code_verifier=VERIFIER)
    page.goto(server.url + APPLICATIONS)
    check(page)
    page.get_by_role("button", name="End access").click()
    page.get_by_text("No application has access").wait_for()
    check(page)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_without_scripts_and_by_keyboard(
    stores: Process, alice: Person, server: Server, browser: Browser, callback: str
) -> None:
    client = Client(stores, confidential=True, redirect_uris=[callback])
    pkce = {"code_challenge": None, "code_challenge_method": None}
    url = server.url + client.query(redirect_uri=None, **pkce)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(url)
    sign_in(page, PASSWORD)
    assert page.url.partition("?")[2]  # back with all parameters
    page.get_by_role("button", name="Deny").press("Enter")
    page.wait_for_url("http://localhost:*/landed?error=access_denied**")
    page.goto(url)
    page.get_by_role("button", name="Allow").press("Enter")
    fetch_tokens(page, server, client)
    page.goto(server.url + APPLICATIONS)
    page.get_by_role("button", name="End access").click()
    page.get_by_text("No application has access").wait_for()


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("User name or e-mail address").fill("alice")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


def fetch_tokens(page: Page, server: Server, client: Client, **more: str) -> None:
    """What the client does with the code, once the browser has brought it."""
    page.wait_for_url("http://localhost:*/landed?code=**")
    code = dict(parse_qsl(urlsplit(page.url).query))["code"]
    fields = {"grant_type": "authorization_code", "code": code, **client.identity, **more}
    assert page.request.post(server.url + TOKEN, form=fields).status == 200


def check(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
