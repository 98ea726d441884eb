"""What holds of the markup of every page and of its states: headings, labels, ties, purposes, links."""

from collections.abc import Iterable
from typing import Any

import pytest

from accountsapp.testing.people import Person
from tests.support.front_end import Browser
from tests.support.keys_page import KeysPage

HTML = {"Accept": "text/html"}
FOR_STRANGERS = (
    *("/", "/sessions", "/account", "/account/alice", "/account/signin", "/account/register"),
    *("/account/forgot-password", "/account/reset-password?key=dead"),
    *("/account/register/confirmation?key=dead", "/recovery/alice/reset/dead", "/confirm/email/dead"),
    *("/nowhere", "/account/nobody", "/exports/dead"),
)
OWN = (
    *("/", "/account", "/account/alice", "/account/alice/projects", "/account/alice/update"),
    *("/account/alice/resetapikey", "/account/alice/export", "/account/alice/delete", "/account/newsletter"),
    *("/account/confirm-email", "/account/bob", "/account/bob/update", "/sessions", "/applications", "/keys"),
    "/nowhere",
)
AUTOCOMPLETE = {
    "fullname": {"name"},
    "name": {"username", "off"},
    "email": {"username"},
    "username": {"username"},
    "email_addr": {"email"},
    "password": {"current-password", "new-password"},
    "current_password": {"current-password"},
    "new_password": {"new-password"},
    "confirm": {"new-password"},
}
"""What the fields with which people say who they are (WCAG 2.2, 1.3.5) may say."""
TIES = ("aria-describedby", "aria-labelledby", "aria-controls", "for")
REFUSED = (400, 403, 404, 409)


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def browser(wsgi: Any) -> Browser:
    return Browser(wsgi)


def faults(page: Any) -> Iterable[str]:
    html = page.html
    for name in ("h1", "main", "title"):
        if len(html.find_all(name)) != 1:
            yield f"{len(html.find_all(name))} × {name}"
    if not html.html.get("lang"):
        yield "no language"
    ids = [place["id"] for place in html.find_all(id=True)]
    yield from (f"two of #{each}" for each in {each for each in ids if ids.count(each) > 1})
    for place in html.find_all(True):
        tied = {each for tie in TIES for each in place.get(tie, "").split()}
        yield from (f"#{each} is missing" for each in tied - set(ids))
    for field in html.select("input:not([type=hidden]), select, textarea"):
        label = html.find("label", attrs={"for": field.get("id")})
        if label is None or not label.text.strip():
            yield f"no label: {field.get('name')}"
        if field.get("name") in AUTOCOMPLETE and field.get("autocomplete") not in AUTOCOMPLETE[field["name"]]:
            yield f"autocomplete: {field['name']}"
        if field.get("aria-invalid") and f"{field['id']}-error" not in field.get("aria-describedby", ""):
            yield f"error not tied: {field['name']}"
    if html.select("[aria-invalid], .group[aria-describedby]") and len(html.select("[autofocus]")) != 1:
        yield f"{len(html.select('[autofocus]'))} × focus"
    yield from (f"no text: {act}" for act in html.select("button, a") if not act.text.strip())
    yield from ("no alt" for image in html.find_all("img") if image.get("alt") is None)


def dead_links(browser: Browser, pages: Iterable[Any]) -> set[str]:
    links = {link["href"] for page in pages for link in page.html.find_all("a", href=True)}
    local = {link for link in links if link.startswith("/") and "signout" not in link and "/docs" not in link}
    answers = {link: browser.app.get(link, headers=HTML, expect_errors=True) for link in local}
    return {link for link, answer in answers.items() if answer.status_int not in (200, 303)}


def test_pages_of_strangers(browser: Browser, alice: Person) -> None:
    pages = {path: browser.app.get(path, headers=HTML, expect_errors=True) for path in FOR_STRANGERS}
    wrong = {path: found for path, page in pages.items() if (found := list(faults(page)))}
    assert wrong == {}
    assert {page.status_int for page in pages.values()} <= {200, *REFUSED}
    assert dead_links(browser, pages.values()) == set()
    titles = [page.html.title.text for page in pages.values() if page.status_int == 200]
    assert len(set(titles)) == len(titles) - 1  # /sessions is a second place to sign in


def test_pages_of_the_signed_in(browser: Browser, alice: Person, bob: Person) -> None:
    browser.sign_in(alice)
    pages = {path: browser.app.get(path, headers=HTML, expect_errors=True) for path in OWN}
    wrong = {path: found for path, page in pages.items() if (found := list(faults(page)))}
    assert wrong == {}
    assert dead_links(browser, pages.values()) == set()
    titles = [page.html.title.text for page in pages.values() if page.status_int == 200]
    assert len(set(titles)) == len(titles)


def test_what_is_wrong_is_tied_to_its_field(browser: Browser, wsgi: Any, alice: Person, bob: Person) -> None:
    shown = [
        browser.fill("/account/signin"),
        browser.fill("/account/signin", email="alice", password="wrong"),
        browser.fill("/account/register", fullname="x", name="bob", email_addr="no", password="x"),
        browser.fill("/account/forgot-password", email_addr="no"),
    ]
    browser.sign_in(alice)
    settings = "/account/alice/update"
    shown += [
        browser.fill(settings, "Profile", fullname="x", name="bob", email_addr=bob.email),
        browser.fill(settings, "Upload", x1="-1", x2="x"),
        browser.fill(settings, "Password", current_password="x", new_password="y", confirm="z"),
    ]
    page = KeysPage(wsgi, alice)
    made = page.add("Laptop").id
    shown += [
        page.post("add", {"name": "Laptop", "preset": "custom", "expires_in": "x"}),
        page.post("add", {"name": "Phone", "preset": "full"}),
        page.post(f"{made}/rotate", {"overlap": "x"}),
        page.post("confirm", {"password": "wrong"}),
    ]
    wrong = {number: found for number, each in enumerate(shown) if (found := list(faults(each)))}
    assert wrong == {}
    errors = [len(each.html.select(".error")) for each in shown]
    assert errors == [2, 0, 4, 1, 3, 4, 2, 3, 0, 1, 1]
