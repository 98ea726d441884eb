"""``examples/browser-extension``, unpacked in a real browser against a real server."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import By
from accountsapp.domain.rules import key_scopes
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.mailserver import free_port
from tests.support.servers import ROOT, Server, own_site

FOLDER = ROOT / "examples" / "browser-extension"


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def key_limit() -> str:
    """How often a key may be used; empty for any number."""
    return ""


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path, key_limit: str) -> Iterator[Server]:
    with own_site(tmp_path, ini | {"accountsapp.keys.rate_limit": key_limit}) as site:
        yield site


@pytest.fixture
def key(stores: Process, alice: Person) -> str:
    """A named key of alice, as the page makes it for an extension."""
    with stores.transaction() as store:
        new = named_keys.add(
            store,
            alice.id,
            name="browser",
            scopes=key_scopes.PRESETS["extension"],
            lifetime=None,
            by=By.CLI,
            most=20,
        )
    return new.api_key


class Extension:
    """The extension in a browser of its own.

    Nobody can press *Allow* in a browser without a window, so the copy that is loaded has the permission for
    the server from the beginning. That it asks, and what it does when it is not allowed, is tested apart.
    """

    def __init__(self, context: BrowserContext, folder: Path) -> None:
        self._context = context
        digest = hashlib.sha256(str(folder).encode()).hexdigest()[:32]
        self.id = "".join(chr(ord("a") + int(digit, 16)) for digit in digest)
        """As Chromium makes it of the path."""

    def open(self, page_name: str) -> Page:
        page = self._context.new_page()
        page.goto(f"chrome-extension://{self.id}/{page_name}.html")
        page.locator("[data-ready]").wait_for()
        return page

    def stored(self, page: Page) -> Any:
        return page.evaluate("chrome.storage.local.get('account')")["account"]


@pytest.fixture
def extension(tmp_path: Path, server: Server, playwright: Playwright) -> Iterator[Extension]:
    folder = tmp_path / "extension"
    shutil.copytree(FOLDER, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"host_permissions": [f"{server.url}/*"]}))
    context = playwright.chromium.launch_persistent_context(
        tmp_path / "profile",
        executable_path="/usr/bin/chromium",
        headless=False,
        args=[
            "--headless=new",
            "--no-sandbox",
            f"--disable-extensions-except={folder}",
            f"--load-extension={folder}",
        ],
    )
    yield Extension(context, folder)
    context.close()


def save(page: Page, server: str, username: str, key: str) -> None:
    page.get_by_label("Server").fill(server)
    page.get_by_label("User name").fill(username)
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Check and save").click()


def check(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_from_the_options_to_a_new_key(extension: Extension, server: Server, key: str) -> None:
    options = extension.open("options")
    check(options)
    save(options, f"{server.url}/", "alice", f" {key}\n")
    status = options.get_by_role("status")
    expect(status).to_have_text(f"Saved. alice is known at {server.url}.")
    expect(options.get_by_role("link", name="/keys")).to_have_attribute("href", f"{server.url}/keys")

    popup = extension.open("popup")
    expect(popup.locator("#username")).to_have_text("alice")
    expect(popup.locator("#email")).to_have_text("alice@example.com")
    check(popup)
    popup.get_by_role("button", name="Replace the API key").click()
    expect(popup.get_by_role("status")).to_have_text("The key was replaced; the old one is dead.")
    stored = extension.stored(popup)
    assert stored["key"] != key
    assert popup.request.get(f"{server.url}/api/v1/alice/account?api_key={key}").status == 403
    assert popup.request.get(f"{server.url}/api/v1/alice/account?api_key={stored['key']}").status == 200
    assert key not in server.log.read_text()

    again = extension.open("options")
    assert again.get_by_label("API key").input_value() == stored["key"]
    again.get_by_role("button", name="Forget it").click()
    expect(again.get_by_role("status")).to_contain_text("Forgotten")
    assert again.evaluate("chrome.storage.local.get()") == {}
    expect(extension.open("popup").get_by_role("status")).to_have_text(
        "Say in the options where your account is."
    )


def test_what_is_refused(extension: Extension, server: Server, key: str) -> None:
    options = extension.open("options")
    status = options.get_by_role("status")
    save(options, server.url, "alice", f"{key}x")
    expect(status).to_contain_text("The key is not good for this account.")
    save(options, "ftp://127.0.0.1", "alice", key)
    expect(status).to_have_text("no web address")
    options.evaluate("chrome.permissions.request = async () => true")
    save(options, f"http://127.0.0.1:{free_port()}", "alice", key)
    expect(status).to_contain_text("does not answer.")
    options.evaluate("chrome.permissions.request = async () => false")
    save(options, server.url, "alice", key)
    expect(status).to_have_text("Without permission for that site nothing can be read from it.")
    assert options.evaluate("chrome.storage.local.get()") == {}


def test_the_permission_is_for_one_site(extension: Extension, server: Server, key: str) -> None:
    assert "host_permissions" not in json.loads((FOLDER / "manifest.json").read_text())
    options = extension.open("options")
    options.evaluate("chrome.permissions.request = async (wanted) => { window.wanted = wanted; return true }")
    save(options, server.url, "alice", key)
    expect(options.get_by_role("status")).to_contain_text("Saved.")
    assert options.evaluate("window.wanted") == {"origins": [f"{server.url}/*"]}


class TestWaiting:
    @pytest.fixture
    def key_limit(self) -> str:
        return "2/second"

    def test_it_waits_as_it_is_told(self, extension: Extension, server: Server, key: str) -> None:
        popup = extension.open("popup")
        account = {"server": server.url, "username": "alice", "key": key}
        popup.evaluate("account => chrome.storage.local.set({ account })", account)
        popup = extension.open("popup")
        statuses: list[int] = []
        popup.on("response", lambda response: statuses.append(response.status))
        # A period of the limit is a second: it may be over before the press that it is to refuse.
        while 429 not in statuses:
            old = extension.stored(popup)["key"]
            url = f"{server.url}/api/v1/alice/ping?api_key={old}"
            while popup.request.get(url).status != 429:
                continue
            statuses.clear()
            popup.get_by_role("button", name="Replace the API key").click()
            expect(popup.get_by_role("status")).to_have_text("The key was replaced; the old one is dead.")
            popup.evaluate("document.querySelector('#said').textContent = ''")
        assert statuses[-2:] == [429, 200]
        assert extension.stored(popup)["key"] != old
