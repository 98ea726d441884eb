"""The pages that belong to no API, as people meet them: by eye, by screen reader, by keyboard."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from accountsapp.domain.credentials import sessions
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import EmailAddress
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.process import Process
from accountsapp.testing.oauth import Client
from accountsapp.testing.people import PASSWORD, Person
from tests.support.servers import Server, own_site

LANGUAGES = ("el", "fr", "it")
"""Those beside English that have words such as *e-mail*."""
ENDS_WITHIN_A_WORD = """
() => [...document.querySelectorAll("h1, h2, h3, button, .button")].some(element => {
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    for (const word of texts.currentNode.data.matchAll(/\\b\\w-\\w+/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (range.getClientRects().length > 1) return true;
    }
  return false;
})
"""
SIZES = ({"width": 390, "height": 800}, {"width": 1280, "height": 800})


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    with own_site(tmp_path, {**ini, "accountsapp.site_colour": "#ffd500"}) as site:
        yield site


@pytest.fixture
def code(stores: Process, alice: Person) -> Callable[[Purpose], str]:
    def make(purpose: Purpose) -> str:
        with stores.transaction() as store:
            return links.make(store.session, lock(store.session, alice.id), purpose, alice.email, 60)

    return make


def faults(page: Page) -> list[str]:
    """What is wrong with a page: for assistive technology, and in width."""
    found = [violation["id"] for violation in Axe().run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append("wider than the window")
    if page.evaluate(ENDS_WITHIN_A_WORD):
        found.append("a line of a heading or a button ends within a word")
    return found


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/sessions")
    page.get_by_label("User name or e-mail address").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Where you are signed in").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(
    stores: Process, server: Server, browser: Browser, code: Callable[..., str], scheme: Any
) -> None:
    client = Client(stores, redirect_uris=["http://127.0.0.1/callback"])
    reset, proof = code(Purpose.RESET), code(Purpose.VERIFY_EMAIL)
    open_pages = ("/", "/sessions", "/recovery/alice/reset/dead", f"/recovery/alice/reset/{reset}")
    own_pages = (
        *("/", "/sessions", "/applications", client.query(redirect_uri=None), "/nowhere"),
        "/account/confirm-email",
    )
    wrong = {}
    for size in SIZES:
        context = browser.new_context(color_scheme=scheme, viewport=size, bypass_csp=True)
        page = context.new_page()
        for path in (*open_pages, f"/confirm/address/{proof}"):
            page.goto(server.url + path)
            wrong[path, size["width"]] = faults(page)
        for language in LANGUAGES:
            page.set_extra_http_headers({"Accept-Language": language})
            page.reload()
            wrong[language, size["width"]] = faults(page)
        page.set_extra_http_headers({"Accept-Language": "en"})
        sign_in(page, server.url)
        for path in own_pages:
            page.goto(server.url + path)
            wrong[f"signed in: {path}", size["width"]] = faults(page)
        context.close()
    assert {where: found for where, found in wrong.items() if found} == {}


def test_account_pages_and_their_states_are_accessible(
    stores: Process, alice: Person, bob: Person, server: Server, browser: Browser
) -> None:
    """With what is wrong in each form, and what is empty; the colours in both schemes are those of above."""
    page = browser.new_context(color_scheme="dark", viewport=SIZES[0], bypass_csp=True).new_page()
    wrong = {}

    def look(state: str, path: str, button: str = "", **fields: str) -> None:
        if path:
            page.goto(server.url + path)
        for name, value in fields.items():
            page.locator(f"[name={name}]:visible").fill(value)
        if button:
            page.get_by_role("main").get_by_role("button", name=button, exact=True).click()
            page.wait_for_load_state()
        wrong[state] = faults(page)

    def send_signed_out() -> None:
        """End the session elsewhere; the browser keeps the cookie."""
        with stores.transaction() as store:
            sessions.end_all(store.session, alice.id)
        page.get_by_role("button", name="Save").first.click()
        page.get_by_text("what you typed is kept").wait_for()

    look("community", "/account")
    look("profile", "/account/bob")
    people = {"fullname": "x", "name": "bob", "email_addr": bob.email, "password": "x", "confirm": "y"}
    look("registration", "/account/register", "Register", **people)
    look("no such account", "/account/signin", "Sign in", email="nobody", password="x")
    look("mailed", "/account/forgot-password", "Send the link", email_addr=alice.email)
    look("signed in", "/account/signin", "Sign in", email="alice", password=PASSWORD)
    for name in ("", "/projects", "/resetapikey", "/export", "/delete"):
        look(f"own{name}", f"/account/alice{name}")
    settings = "/account/alice/update"
    look("profile refused", settings, fullname="x", name="bob", email_addr=bob.email)
    page.get_by_role("button", name="Save").first.click()
    page.get_by_text("already taken").first.wait_for()
    look("profile refused", "")
    page.get_by_text("Only a part of the image").click()
    look("picture refused", "", "Upload", x1="-1", x2="x")
    passwords = {"current_password": "x", "new_password": "y", "confirm": "z"}
    look("password refused", settings, "Change password", **passwords)
    look("newsletter", "/account/newsletter", "Subscribe")
    look("subscribed", "/account/newsletter")
    look("typed", settings, fullname="Alice Anew")
    send_signed_out()
    look("signed out", "", "Sign in", email="alice", password=PASSWORD)
    assert page.evaluate("document.activeElement.value") == "Alice Anew"
    assert {state: found for state, found in wrong.items() if found} == {}


def test_sign_in_by_keyboard_alone(alice: Person, server: Server, browser: Browser) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{server.url}/sessions")
    assert page.evaluate("document.activeElement.name") == "username"
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert page.evaluate("document.activeElement.name") == "password"
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Where you are signed in").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_a_password_can_be_shown(alice: Person, server: Server, browser: Browser) -> None:
    """By a script of ours, under the page's own policy."""
    page = browser.new_context().new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{server.url}/sessions")
    field = page.get_by_label("Password", exact=True)
    show = page.get_by_role("button", name="Show")
    assert (field.get_attribute("type"), show.get_attribute("aria-pressed")) == ("password", "false")
    show.click()
    assert (field.get_attribute("type"), show.get_attribute("aria-pressed")) == ("text", "true")
    field.fill(PASSWORD)
    page.get_by_label("User name or e-mail address").fill("alice")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Where you are signed in").wait_for()
    assert said == []


def test_a_word_that_is_kept_together_keeps_its_spaces(
    stores: Process, alice: Person, server: Server, browser: Browser
) -> None:
    with stores.transaction() as store:
        store.session.query(EmailAddress).update({"verified": False})
    page = browser.new_context(viewport=SIZES[0]).new_page()
    sign_in(page, server.url)
    page.goto(f"{server.url}/account/alice/export")
    leads = page.get_by_role("main").get_by_role("link").first
    assert leads.inner_text() == "Confirm your e-mail address"
    box = leads.bounding_box()
    assert box is not None
    assert 44 <= box["height"] <= 48


def test_consent_as_somebody_else(
    stores: Process, alice: Person, bob: Person, server: Server, browser: Browser
) -> None:
    client = Client(stores, redirect_uris=["http://127.0.0.1/callback"])
    page = browser.new_context().new_page()
    sign_in(page, server.url)
    page.goto(server.url + client.query(redirect_uri=None))
    assert "alice" in page.get_by_role("main").inner_text()
    page.get_by_role("button", name="Sign in as somebody else").click()
    page.get_by_label("User name or e-mail address").fill("bob")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Allow access?").wait_for()
    asked = page.get_by_role("main").inner_text()
    assert "bob" in asked
    assert "alice" not in asked
