"""Sign in, deny, allow, withdraw: in a browser without scripts of ours, and looked at for accessibility."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from accountsapp.stores import Stores
from tests.conftest import PASSWORD, Person
from tests.mailserver import free_port
from tests.oauthtools import APPLICATIONS, Client
from tests.servers import Server


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    own = free_port()
    made = Server(tmp_path, {**ini, "accountsapp.site_url": f"http://127.0.0.1:{own}"}, port=own)
    yield made.wait()
    made.stop()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(
    stores: Stores, alice: Person, server: Server, browser: Browser, scheme: Any
) -> None:
    client = Client(stores, redirect_uris=[f"{server.url}/healthz"])
    url = server.url + client.query(redirect_uri=None)
    page = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
    page.goto(url)
    check(page)
    sign_in(page, "wrong")
    check(page)
    sign_in(page, PASSWORD)
    assert page.get_by_role("heading", level=1).inner_text() == "Allow access?"
    check(page)
    page.goto(server.url + APPLICATIONS)
    check(page)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_without_scripts_and_by_keyboard(
    stores: Stores, alice: Person, server: Server, browser: Browser
) -> None:
    client = Client(stores, confidential=True, redirect_uris=[f"{server.url}/healthz"])
    pkce = {"code_challenge": None, "code_challenge_method": None}
    url = server.url + client.query(redirect_uri=None, **pkce)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(url)
    sign_in(page, PASSWORD)
    assert page.url.partition("?")[2]  # back with all parameters
    page.get_by_role("button", name="Deny").press("Enter")
    page.wait_for_url("**/healthz?error=access_denied**")
    page.goto(url)
    page.get_by_role("button", name="Allow").press("Enter")
    page.wait_for_url("**/healthz?code=**")
    code = page.url.split("code=")[1].split("&")[0]
    fields = {"grant_type": "authorization_code", "code": code, **client.identity}
    assert page.request.post(f"{server.url}/api/v1.1/o/token/", form=fields).status == 200
    page.goto(server.url + APPLICATIONS)
    page.get_by_role("button", name="End access").click()
    page.get_by_text("No application has access").wait_for()


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("User name or e-mail address").fill("alice")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


def check(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
