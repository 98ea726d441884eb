"""The page of one's API keys in a browser: made, copied, rotated, revoked; with and without scripts."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy import update

from accountsapp.domain.data.models import SignInSession
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.servers import Server

SIZES = {"phone": {"width": 390, "height": 800}, "desk": {"width": 1280, "height": 900}}


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def grow_stale(stores: Process) -> Callable[[], None]:
    """Makes every session one in which the password was not entered lately."""

    def do() -> None:
        with stores.transaction() as store:
            store.session.execute(update(SignInSession).values(password_entered=None))

    return do


def check(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/keys")
    page.get_by_label("User name or e-mail address").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="API keys").wait_for()


def make(page: Page, name: str, preset: str) -> str:
    """Make a key; what the page shows."""
    page.get_by_label("Device or program").fill(name)
    page.get_by_label(preset).check()
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("heading", name=f"The new key “{name}”").wait_for()
    return page.locator("#api-key").inner_text()


def status_of(page: Page, server: Server, api_key: str) -> int:
    return page.request.get(f"{server.url}/api/v1/alice/account?api_key={api_key}").status


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_life_of_a_key(
    alice: Person,
    server: Server,
    browser: Browser,
    grow_stale: Callable[[], None],
    scheme: Any,
    size: str,
) -> None:
    context = browser.new_context(
        color_scheme=scheme, viewport=SIZES[size], bypass_csp=True, permissions=["clipboard-read"]
    )
    page = context.new_page()
    sign_in(page, server.url)
    check(page)
    first = make(page, "Laptop", "Extension")
    check(page)
    assert status_of(page, server, first) == 200
    page.get_by_label("Only what I choose").check()
    page.get_by_label("See your account").check()
    check(page)
    make(page, "Backup", "Only what I choose")
    laptop = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Laptop"))
    laptop.get_by_text("Replace", exact=True).click()
    laptop.get_by_label("How long the old key works on").select_option("24")
    check(page)
    laptop.get_by_role("button", name="Make the new key").click()
    page.get_by_text("The old key works until").wait_for()
    check(page)
    second = page.locator("#api-key").inner_text()
    assert [status_of(page, server, key) for key in (first, second)] == [200, 200]
    retiring = page.get_by_role("listitem").filter(has_text="being replaced")
    assert retiring.get_by_text("Replace", exact=True).count() == 0
    retiring.get_by_text("Revoke", exact=True).click()
    check(page)
    retiring.get_by_role("button", name="Revoke this key").click()
    page.get_by_text("being replaced").wait_for(state="detached")
    assert [status_of(page, server, key) for key in (first, second)] == [403, 200]
    assert first not in page.content()
    assert second not in page.content()
    grow_stale()
    page.reload()
    check(page)
    assert page.get_by_text("Revoke", exact=True).count() == 0
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("That is not your password.").wait_for()
    check(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("Revoke", exact=True).first.wait_for()


def test_a_key_is_copied(alice: Person, server: Server, browser: Browser) -> None:
    """By a script of ours, under the page's own policy; shown again it is not."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    sign_in(page, server.url)
    assert page.get_by_role("button", name="Copy").count() == 0
    api_key = make(page, "Laptop", "Everything")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("status").filter(has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == api_key
    page.goto(f"{server.url}/keys")
    assert api_key not in page.content()
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("heading", name="Your default key").wait_for()
    assert page.locator("#api-key").inner_text() == alice.api_key
    assert said == []


def test_without_scripts_and_by_keyboard(
    alice: Person, server: Server, browser: Browser, grow_stale: Callable[[], None]
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, server.url)
    page.get_by_label("Device or program").fill("Laptop")
    page.get_by_label("Only what I choose").press("Space")
    page.get_by_label("See your account").press("Space")
    page.get_by_role("button", name="Make the key").press("Enter")
    page.get_by_role("heading", name="The new key").wait_for()
    api_key = page.locator("#api-key").inner_text()
    assert page.get_by_role("button", name="Copy").count() == 0
    assert status_of(page, server, api_key) == 200
    grow_stale()
    revoke(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").press("Enter")
    revoke(page)
    page.get_by_text("acct_").wait_for(state="detached")
    assert status_of(page, server, api_key) == 403


def revoke(page: Page) -> None:
    """By keyboard: the question first, then the answer."""
    page.locator("summary", has_text="Revoke").press("Enter")
    page.get_by_role("button", name="Revoke this key").press("Enter")
