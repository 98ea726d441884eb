"""A page of another origin does code with PKCE by ``fetch`` (dockerhub 7.3)."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page

from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from accountsapp.testing.oauth import Client
from accountsapp.testing.people import PASSWORD, Person
from tests.support.mailserver import free_port
from tests.support.page_server import origin_of
from tests.support.servers import Server

FOLDER = Path(__file__).parent / "client_page"


@pytest.fixture
def origin() -> Iterator[str]:
    """Of the page."""
    with origin_of(FOLDER) as origin:
        yield origin


def sign_in_and_allow(page: Page) -> None:
    page.get_by_label("User name or e-mail address").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Allow").click()


@pytest.mark.parametrize("listed", [False, True])
def test_code_with_pkce_by_fetch(
    ini: dict[str, str],
    tmp_path: Path,
    stores: Process,
    alice: Person,
    browser: Browser,
    origin: str,
    listed: bool,
) -> None:
    """The origin of a redirect URI has tokens; reading accounts too needs the operator's word."""
    port = free_port()
    settings = {**ini, "accountsapp.site_url": f"http://127.0.0.1:{port}"}
    if listed:
        settings["accountsapp.cors_origins"] = origin
    server = Server(tmp_path, settings, port).wait()
    try:
        client = Client(stores, redirect_uris=[f"{origin}/"], scopes=[Scope.PROFILE_READ])
        page = browser.new_context().new_page()
        start = {"server": server.url, "client_id": client.client_id, "username": "alice"}
        page.goto(f"{origin}/?{urlencode(start)}")
        sign_in_and_allow(page)
        page.wait_for_function("document.querySelector('#said')?.textContent")
        said = json.loads(page.locator("#said").inner_text())
    finally:
        server.kill()
    assert said["sameState"]
    assert said["sameIssuer"]
    assert said["authorize"] == {"error": "TypeError"}  # never across origins
    assert (said["wrong"]["status"], said["wrong"]["body"]["error"]) == (400, "invalid_grant")
    assert said["wrong"]["id"]
    assert said["first"]["body"]["username"] == "alice"
    assert said["second"]["body"]["access_token"] != said["first"]["body"]["access_token"]
    assert (said["revoked"]["status"], said["revoked"]["body"]) == (200, None)
    if listed:
        assert (said["user"]["status"], said["user"]["body"]["id"]) == (200, alice.id)
        assert said["after"]["status"] == 401
    else:
        assert said["user"] == said["after"] == {"error": "TypeError"}
