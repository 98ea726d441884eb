"""``examples/jsonp-page`` and ``examples/spa-oauth``: pages of another origin, in a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from accountsapp.domain.oauth import applications
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from accountsapp.testing.oauth import Client
from accountsapp.testing.people import PASSWORD, Person
from tests.support.mailserver import free_port
from tests.support.page_server import origin_of
from tests.support.servers import ROOT, Server, own_site

EXAMPLES = ROOT / "examples"


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.new_page()


class TestJsonp:
    @pytest.fixture
    def jsonp_page(self, page: Page, server: Server, alice: Person) -> Iterator[Page]:
        with origin_of(EXAMPLES / "jsonp-page") as origin:
            page.goto(origin)
            page.get_by_label("Server").fill(server.url)
            page.get_by_label("User name").fill("alice")
            page.get_by_label("API key").fill(alice.api_key)
            yield page

    @pytest.mark.parametrize("way", ["By JSONP", "By fetch"])
    def test_the_account(self, jsonp_page: Page, way: str) -> None:
        jsonp_page.get_by_role("button", name=way).click()
        expect(jsonp_page.get_by_role("status")).to_have_text("This is Alice Liddell.")
        expect(jsonp_page.locator("pre")).to_contain_text('"email": "alice@example.com"')
        assert jsonp_page.evaluate("Object.keys(window).filter(name => name.startsWith('account_'))") == []

    @pytest.mark.parametrize(
        ("way", "said"),
        [
            ("By JSONP", "Refused, or no answer. A script cannot learn which: try fetch."),
            ("By fetch", "Not authorized for request."),
        ],
    )
    def test_a_refused_key(self, jsonp_page: Page, way: str, said: str) -> None:
        jsonp_page.get_by_label("API key").fill("wrong")
        jsonp_page.get_by_role("button", name=way).click()
        expect(jsonp_page.get_by_role("status")).to_have_text(said)
        expect(jsonp_page.locator("pre")).to_be_hidden()

    def test_no_server(self, jsonp_page: Page) -> None:
        jsonp_page.get_by_label("Server").fill(f"http://127.0.0.1:{free_port()}")
        jsonp_page.get_by_role("button", name="By fetch").click()
        expect(jsonp_page.get_by_role("status")).to_have_text("No answer.")


class TestOAuth:
    @pytest.fixture
    def origin(self, tmp_path: Path) -> Iterator[str]:
        folder = shutil.copytree(EXAMPLES / "spa-oauth", tmp_path / "page")
        with origin_of(folder) as origin:
            yield origin

    @pytest.fixture
    def server(self, ini: dict[str, str], tmp_path: Path, origin: str) -> Iterator[Server]:
        with own_site(tmp_path, ini | {"accountsapp.cors_origins": origin}) as site:
            yield site

    @pytest.fixture
    def client_id(self, stores: Process, server: Server, origin: str, tmp_path: Path) -> str:
        """Of the page, which is told of it as its ``README.rst`` says."""
        client = Client(stores, redirect_uris=[f"{origin}/"], scopes=[Scope.PROFILE_READ])
        config = tmp_path / "page" / "config.js"
        text = config.read_text().replace("CLIENT_ID", client.client_id)
        config.write_text(text.replace("http://127.0.0.1:6543", server.url))
        return client.client_id

    def begin(self, page: Page, origin: str, answer: str) -> None:
        page.goto(origin)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("User name or e-mail address").fill("alice")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name=answer).click()
        page.locator("[data-ready]").wait_for()

    def test_in_and_out(
        self, page: Page, origin: str, client_id: str, alice: Person, stores: Process
    ) -> None:
        self.begin(page, origin, "Allow")
        expect(page.get_by_role("status")).to_have_text("Hello Alice Liddell.")
        expect(page.locator("pre")).to_contain_text(f'"id": {alice.id}')
        assert page.url == f"{origin}/"

        page.evaluate("sessionStorage.oauth = sessionStorage.oauth.replace(/acat_\\w+/, 'acat_over')")
        page.reload()
        expect(page.get_by_role("status")).to_have_text("Hello Alice Liddell.")  # by a refreshed token

        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("status")).to_have_text("Signed out.")
        assert page.evaluate("sessionStorage.length") == 0
        with stores.transaction() as store:
            assert not list(applications.listing(store.connection, alice.id))

    def test_who_says_no(self, page: Page, origin: str, client_id: str, alice: Person) -> None:
        self.begin(page, origin, "Deny")
        expect(page.get_by_role("status")).to_have_text("You said no.")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()

    def test_an_answer_to_nothing(self, page: Page, origin: str, client_id: str) -> None:
        page.goto(f"{origin}/?code=stolen&state=x")
        expect(page.get_by_role("status")).to_contain_text("That is no answer to a question of this page.")
