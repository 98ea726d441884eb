"""GETs that act (contract 5), by every kind of request, and deletion (13)."""

from collections.abc import Callable
from typing import Any

import pytest

from accountsapp.domain.data.models import EmailAddress
from accountsapp.process import Process
from accountsapp.testing.everywhere import dump
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.front_end import JSON, Browser, FrontEnd
from tests.support.outbox import Outbox, text_of

ORIGIN = "https://front.example.org"
JSON_ONLY = {"Accept": "application/json"}
OWN_SCRIPT = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
SUBSCRIBE = "/account/newsletter?subscribe=true"
TOKEN = "the session's token"

PROOFS = (
    JSON,
    {"Content-Type": "application/json; charset=utf-8"},
    JSON_ONLY,
    {"Accept": "application/json, text/plain, */*"},
    {**OWN_SCRIPT, "Accept": "application/json, text/html"},
    {"X-CSRFToken": TOKEN, "Accept": "application/json, text/html"},
    {**JSON, "Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
    {**JSON, "Sec-Fetch-Site": "cross-site", "X-CSRFToken": TOKEN},
    {**JSON, "Sec-Fetch-Site": "none"},
)
REFUSED = (
    {"Accept": "application/json, text/html;q=0.5"},
    {"Accept": "application/json, text/html;q=0.5", "X-CSRFToken": "wrong"},
    {"Accept": "application/json, text/html", "Sec-Fetch-Site": "same-origin"},
    {**OWN_SCRIPT, "Sec-Fetch-Mode": "navigate", **JSON_ONLY},
    {**JSON, "Sec-Fetch-Site": "cross-site"},
    {**JSON, "Sec-Fetch-Site": "same-site"},
    {**JSON, "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {**JSON, "Sec-Fetch-Site": "cross-site", "X-CSRFToken": "wrong"},
    {**JSON, "Sec-Fetch-Mode": "navigate"},
    {**JSON, "Sec-Fetch-Mode": "navigate", "X-CSRFToken": TOKEN},
    {**JSON, "Sec-Purpose": "prefetch"},
    {**JSON, "Sec-Purpose": "prefetch;prerender"},
    {**JSON, "Purpose": "prefetch"},
    {**JSON, "X-Moz": "prefetch"},
)
PAGES: tuple[dict[str, str], ...] = (
    {},
    {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
    {"Accept": "*/*"},
    {"Accept": "text/html, application/json"},
    {"Accept": "application/json;q=0.2, text/html"},
    {"Accept": "application/json;q=0"},
    {"X-CSRFToken": TOKEN},
    OWN_SCRIPT,
    {"Sec-Fetch-Site": "cross-site"},
)


@pytest.fixture
def alices(make_app: Callable[..., Any], alice: Person) -> FrontEnd:
    """Where Alice is signed in, whose address is not proved."""
    wsgi = make_app(**{"accountsapp.cors_origins": ORIGIN})
    with wsgi.registry.process.transaction() as store:
        store.session.query(EmailAddress).update({"verified": False})
    front_end = FrontEnd(wsgi)
    front_end.sign_in(alice)
    return front_end


def sent(front_end: FrontEnd, headers: dict[str, str]) -> dict[str, str]:
    return {name: front_end.token if value == TOKEN else value for name, value in headers.items()}


def unsubscribe(front_end: FrontEnd) -> None:
    front_end.send("/account/alice/update", btn="Profile", subscribed=False)


def is_subscribed(front_end: FrontEnd) -> bool:
    return bool(front_end.get("/account/alice/update")["form"]["subscribed"])


def test_what_acts(alices: FrontEnd) -> None:
    for headers in PROOFS:
        unsubscribe(alices)
        answer = alices.app.get(SUBSCRIBE, headers=sent(alices, headers))
        assert answer.json == {
            "flash": "You are subscribed to our newsletter",
            "next": "/",
            "status": "success",
        }, headers
        assert is_subscribed(alices), headers


@pytest.mark.parametrize(
    "path",
    [
        SUBSCRIBE,
        "/account/confirm-email",
        "/account/alice/delete",
        "/account/alice/export",
        "/account/signout",
    ],
)
def test_what_does_not_act(alices: FrontEnd, path: str) -> None:
    app = alices.app
    query = "&" if "?" in path else "?"
    before = dump(app)
    for headers in REFUSED:
        answer = app.get(path, headers=sent(alices, headers), expect_errors=True)
        assert (answer.status_int, answer.json["code"]) == (403, 403), headers
    answer = app.get(f"{path}{query}response_format=json", expect_errors=True)
    assert answer.status_int == 403
    if path != "/account/signout":
        for headers in PAGES:
            page = app.get(path, headers=sent(alices, headers))
            assert page.content_type == "text/html", headers
            assert page.form.method == "post"
            assert page.form["csrf_token"].value == alices.token
    for headers in (JSON, JSON_ONLY, {}):
        app.head(path, headers=headers, expect_errors=True)
    assert dump(app) == before


def test_the_newsletter(alices: FrontEnd, wsgi: Any, alice: Person) -> None:
    assert alices.get("/account/newsletter") == {
        "next": "/",
        "template": "account/newsletter.html",
        "title": "Subscribe to our Newsletter",
    }
    assert alices.get("/account/newsletter?next=/about")["next"] == "/about"
    assert alices.get("/account/newsletter?subscribe=false&next=/about") == {"next": "/about"}
    assert not is_subscribed(alices)
    assert alices.get("/account/newsletter?subscribe=TRUE")["status"] == "success"
    unsubscribe(alices)
    assert alices.send("/account/newsletter", subscribe="true")["status"] == "success"
    assert alices.get("/account/newsletter?subscribe=false") == {"next": "/"}
    assert is_subscribed(alices)
    browser = Browser(wsgi)
    assert browser.get("/account/newsletter", 303).location == "/account/signin?next=/account/newsletter"
    browser.sign_in(alice)
    form = browser.get("/account/newsletter?next=/about").form
    for value, told in (("true", "You are subscribed to our newsletter"), ("false", None)):
        answer = form.submit("subscribe", value=value)
        assert (answer.status_int, answer.location) == (303, "/about")
        message = browser.get("/account/confirm-email").html.find(role="status")
        assert (message.text if message else None) == told
    main = browser.get("/account/newsletter").html.main
    assert main.find(class_="lead").text == "You are subscribed to our newsletter"
    assert main.find("a", href="/account/alice/update") is not None
    assert main.find("button", value="true").text.strip() == "Stay subscribed"


def test_confirming_the_address(alices: FrontEnd, wsgi: Any, outbox: Outbox, alice: Person) -> None:
    browser = Browser(wsgi)
    browser.sign_in(alice)
    assert browser.get("/account/confirm-email").html.main.find("form")
    answer = alices.get("/account/confirm-email")
    assert answer == {
        "flash": "An email has been sent to validate your e-mail address.",
        "next": "/account/alice/",
        "status": "info",
    }
    message = outbox.to("alice@example.com")
    (link,) = [word for word in text_of(message).split() if "key=" in word]
    path = link.removeprefix(SITE_URL)
    assert path.startswith("/account/register/confirmation?key=")
    assert alices.get(path)["next"] == "/account/signin"
    alices.get(path, status=403)
    answer = alices.send("/account/confirm-email")
    assert answer["flash"] == "Your e-mail address is already valid."
    assert answer["status"] == "info"
    page = browser.get("/account/confirm-email").html.main
    assert "already valid" in page.text
    assert page.find("form") is None
    assert page.find("a", href="/account/alice") is not None
    assert outbox.take() == []


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_deletion(
    front_end: FrontEnd, wsgi: Any, alice: Person, outbox: Outbox, stores: Process, method: str
) -> None:
    front_end.sign_in(alice)
    other = FrontEnd(wsgi)
    other.sign_in(alice)
    headers = {**JSON, "X-CSRFToken": front_end.token} if method != "GET" else JSON
    answer = front_end.app.request("/account/alice/delete", method=method, headers=headers)
    assert answer.json == {"job": "enqueued", "template": None}
    assert "sessionid" not in front_end.app.cookies
    other.get("/account/alice/update", status=401)
    front_end.token = ""
    assert front_end.post("/account/signin", email="alice", password=PASSWORD)["status"] == "info"
    front_end.app.get(f"/api/v1/alice/account?api_key={alice.api_key}", status=403)
    assert [message["To"] for message in outbox.take()] == ["alice@example.com"]
    with stores.transaction() as store:
        assert store.session.query(EmailAddress).count() == 0


def test_deletion_as_a_page(browser: Browser, alice: Person, bob: Person) -> None:
    browser.sign_in(bob)
    browser.get("/account/alice/delete", 403)
    browser.get("/account/signout", 303)
    browser.sign_in(alice)
    answer = browser.fill("/account/ALICE/delete")
    assert (answer.status_int, answer.location) == (303, "/")
    assert "deleted" in answer.follow().html.find(role="status").text
    browser.get("/account/alice/update", 303)


@pytest.mark.one_server
def test_every_question_has_a_way_back(browser: Browser, alice: Person, stores: Process) -> None:
    """Who is signed in is not sent to sign in."""
    browser.sign_in(alice)
    for page in ("delete", "export", "resetapikey"):
        links = browser.get(f"/account/alice/{page}").html.main.find_all("a")
        assert [link["href"] for link in links] == ["/account/alice/update"], page
    with stores.transaction() as store:
        store.session.query(EmailAddress).update({"verified": False})
    (back,) = browser.get("/account/confirm-email").html.main.find_all("a")
    assert back["href"] == "/account/alice"
    unproved = browser.get("/account/alice/export").html.main
    assert unproved.find(role="status").text == "Please validate your e-mail address first"
    assert [link["href"] for link in unproved.find_all("a")] == [
        *("/account/confirm-email", "/account/alice/update"),
    ]
    dead = browser.get("/account/register/confirmation?key=dead", 403).html.main
    assert [link["href"] for link in dead.find_all("a")] == ["/account/alice"]


def test_export(
    front_end: FrontEnd, browser: Browser, alice: Person, outbox: Outbox, stores: Process
) -> None:
    front_end.sign_in(alice)
    started = {"flash": "GDPR export started", "next": "/account/alice/", "status": "success"}
    assert front_end.get("/account/alice/export") == started
    assert front_end.send("/account/alice/export") == started
    (message,) = outbox.take()
    assert message["To"] == "alice@example.com"
    assert f"{SITE_URL}/" in text_of(message)
    browser.sign_in(alice)
    on_page = browser.fill("/account/alice/export").follow()
    assert "We mail you the links" in on_page.html.find(role="status").text
    outbox.take()
    with stores.transaction() as store:
        store.session.query(EmailAddress).update({"verified": False})
    answer = front_end.get("/account/alice/export")
    assert (answer["status"], answer["next"]) == ("error", "/account/alice/")
    assert outbox.take() == []
    answer = browser.fill("/account/alice/export")
    assert (answer.status_int, answer.location) == (303, "/account/alice/")
    assert "validate" in answer.follow().html.find(role="alert").text
