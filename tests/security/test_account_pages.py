"""S09, S10, S23, S24, S27, S28, S33, S44, R26: attacks on the account pages."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select
from webtest import TestApp

from accountsapp.apis.pybossa.resources import Community
from accountsapp.domain.data.models import Account, Job
from accountsapp.domain.rules.usernames import RESERVED
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from accountsapp.tree import rows
from accountsapp.web.next_path import safe_path
from tests.support.activity import add_project, contribute
from tests.support.front_end import JSON, Browser, FrontEnd
from tests.support.outbox import Outbox, text_of
from tests.support.targets import TARGETS

NEW = "a new and longer one"
SCRIPT = "<script>alert(1)</script>"
DAISY = {
    "fullname": "Daisy Duck",
    "name": "daisy",
    "email_addr": "daisy@example.org",
    "password": PASSWORD,
    "confirm": PASSWORD,
}
Make = Callable[..., Any]


@pytest.fixture
def front_end(wsgi: Any) -> FrontEnd:
    return FrontEnd(wsgi)


def test_s09_words_of_urls_are_no_names(front_end: FrontEnd, alice: Person, admin: Person) -> None:
    app = front_end.app
    words = {row.path.split("/")[1] for row in rows(app.app.registry)} | set(Community.children) | RESERVED
    words = {word for word in words if word and "{" not in word}
    assert {"page", "confirm-email", "accounts", "save_metadata", "otpvalidation"} <= words
    front_end.sign_in(alice)
    for word in sorted(words):
        for name in (word, word.upper(), word.title()):
            answer = front_end.send("/account/register", **{**DAISY, "name": name})
            assert answer["form"]["errors"].keys() == {"name"}, name
            answer = front_end.send("/account/alice/update", btn="Profile", name=name)
            assert answer["form"]["errors"].keys() == {"name"}, name
        sent = {"username": word, "email": "x@example.org", "api_key": admin.api_key}
        assert app.post("/api/v1/a/users/add", sent, expect_errors=True).status_int in (400, 404, 406), word


def test_s10_no_script_tag_reads_an_answer(front_end: FrontEnd, alice: Person) -> None:
    front_end.sign_in(alice)
    for path in (
        "/account/alice",
        "/account/profile",
        "/account/alice/update",
        "/account",
        "/account/signin",
    ):
        plain = front_end.app.get(f"{path}?response_format=json")
        asked = front_end.app.get(f"{path}?response_format=json&callback=f&jsonp=f")
        assert asked.content_type == "application/json"
        assert asked.body[:1] == b"{"
        assert json.loads(asked.body).keys() == plain.json.keys()
        assert asked.headers["X-Content-Type-Options"] == "nosniff"


def test_s23_cookies_and_links_tell_nothing(
    front_end: FrontEnd, wsgi: Any, outbox: Outbox, alice: Person
) -> None:
    browser = Browser(wsgi)
    browser.sign_in(alice)
    front_end.post("/account/forgot-password", email_addr=alice.email)
    (line,) = [word for word in text_of(outbox.to(alice.email)).split() if "key=" in word]
    values = [*(browser.app.cookies[name] for name in ("sessionid", "flash")), line.partition("key=")[2]]
    for value in values:
        assert len(value) >= 32
        decoded = urlsafe_b64decode(value + "=" * (-len(value) % 4))
        for told in (b"alice", b"Alice", b"example", PASSWORD.encode(), alice.api_key.encode(), b"Welcome"):
            assert told not in decoded


def test_s24_who_registers_the_address_of_another(
    wsgi: Any, outbox: Outbox, stores: Process, front_end: FrontEnd
) -> None:
    attacker = front_end
    attacker.post("/account/register", **DAISY)
    attacker.get("/account/daisy/update")
    owner = FrontEnd(wsgi)
    owner.post("/account/forgot-password", email_addr="daisy@example.org")
    (line,) = [word for word in text_of(outbox.to("daisy@example.org")).split() if "key=" in word]
    path = line.removeprefix(SITE_URL)
    owner.get(path)
    assert owner.send(path, new_password=NEW, confirm=NEW)["status"] == "success"
    attacker.get("/account/daisy/update", status=401)
    assert owner.post("/account/signin", email="daisy", password=PASSWORD)["status"] == "error"
    assert owner.post("/account/signin", email="daisy", password=NEW)["status"] == "success"


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_HOST": "evil.example"},
        {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_HOST": "evil.example"},
        {"HTTP_FORWARDED": "host=evil.example;proto=https", "SERVER_NAME": "evil.example"},
        {"HTTP_X_ORIGINAL_URL": "//evil.example", "HTTP_X_REWRITE_URL": "//evil.example"},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_s27_links_begin_with_the_sites_own_address(
    make_app: Make, outbox: Outbox, alice: Person, environ: dict[str, str]
) -> None:
    front_end = FrontEnd(make_app(**{"accountsapp.registration": "confirm"}))
    front_end.app.extra_environ.update(environ)
    front_end.post("/account/register", **DAISY)
    front_end.send("/account/forgot-password", email_addr=alice.email)
    front_end.sign_in(alice)
    front_end.send("/account/alice/update", btn="Profile", email_addr="new@example.org")
    texts = [text_of(message) for message in outbox.take()]
    links = [word for text in texts for word in text.split() if "://" in word]
    assert len(links) == 3
    assert [link for link in links if not link.startswith(f"{SITE_URL}/account/")] == []
    assert "evil" not in "".join(texts)
    page = front_end.app.get("/account/signin")
    assert "evil" not in page.text


def test_s28_next_leads_to_this_site_alone(wsgi: Any, alice: Person) -> None:
    for target in TARGETS:
        query = urlencode({"next": target})
        front_end = FrontEnd(wsgi)
        asked = front_end.get(f"/account/signin?{query}")["next"]
        sent = {"email": "alice", "password": PASSWORD, "next": target}
        gone = front_end.send(f"/account/signin?{query}", **sent)["next"]
        assert gone == (asked or "/")
        assert gone.startswith("/"), target
        assert not gone.startswith(("//", "/\\")), target
        assert gone.isascii(), target
        assert gone.isprintable(), target
        subscribed = front_end.get(f"/account/newsletter?subscribe=true&{query}")["next"]
        assert subscribed == gone
        browser = Browser(wsgi)
        answer = browser.fill(f"/account/signin?{query}", email="alice", password=PASSWORD)
        assert answer.location == gone


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/about", "/about"),
        ("/about?a=b&c=d%20e", "/about?a=b&c=d%20e"),
        ("/", "/"),
        (f"{SITE_URL}/about?x#y", "/about?x"),
        (f"{SITE_URL}//evil.example", None),
        (f"{SITE_URL}.evil.example/", None),
        (f"{SITE_URL}:81/", None),
        (SITE_URL.upper() + "/", None),
        (SITE_URL, None),
        ("/" + "x" * 3999, "/" + "x" * 3999),
        ("/" + "x" * 4000, None),
        ("/\u00e9 x", "/%C3%A9%20x"),
        ("about", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_s28_what_is_on_this_site(asked: object, path: str | None) -> None:
    assert safe_path(asked, SITE_URL) == path


def test_s33_texts_of_others_are_text(
    wsgi: Any, register: Callable[..., Person], stores: Process, alice: Person
) -> None:
    mallory = register("mallory", name=SCRIPT, locale=SCRIPT, info={"avatar_url": f"javascript:{SCRIPT}"})
    with stores.transaction() as store:
        session = store.session
        evil = {"thumbnail_url": f"javascript:{SCRIPT}"}
        project = add_project(session, "evil", mallory.id, name=SCRIPT, description=SCRIPT, info=evil)
        contribute(session, project, mallory.id, [1])
    browser = Browser(wsgi)
    pages = [browser.get(path) for path in ("/account", "/account/mallory")]
    pages.append(browser.sign_in(mallory).follow())
    pages += [browser.get(f"/account/mallory{path}") for path in ("", "/projects", "/update", "/delete")]
    pages.append(browser.fill("/account/mallory/update", "Profile", fullname=f"{SCRIPT}\u202e"))
    pages.append(browser.get(f"/account/signin?next=/%22%3E{SCRIPT}", 303))
    pages.append(Browser(wsgi).get(f"/account/signin?next=/%22%3E{SCRIPT}"))
    for page in pages:
        assert SCRIPT not in page.text
        assert "javascript:" not in page.text
    content = browser.app.get("/account/mallory", headers=JSON)
    assert content.content_type == "application/json"
    assert content.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("site_url", ["http://accounts.example.org", "https://accounts.example.org"])
def test_s44_cookies(make_app: Make, alice: Person, site_url: str) -> None:
    wsgi = make_app(**{"accountsapp.site_url": site_url})
    front_end = FrontEnd(wsgi)
    front_end.get("/account/signin")
    before = front_end.app.cookies["sessionid"]
    # Over plain HTTP the client of the test would keep a cookie for https to itself.
    headers = {"X-CSRFToken": front_end.token, "Cookie": f"sessionid={before}"}
    sent = {"email": "alice", "password": PASSWORD}
    answer = front_end.app.post_json("/account/signin", sent, headers=headers)
    (cookie,) = [value for value in answer.headers.getall("Set-Cookie") if value.startswith("sessionid=")]
    assert not cookie.startswith(f"sessionid={before}")
    flags = {flag.strip() for flag in cookie.split(";")[1:]}
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= flags
    assert ("secure" in {flag.lower() for flag in flags}) is site_url.startswith("https")
    assert not any(flag.lower().startswith("domain") for flag in flags)
    other = TestApp(wsgi)
    other.get("/account/alice/update", headers={**JSON, "Cookie": f"sessionid={before}"}, status=401)


def test_r26_sent_twice(front_end: FrontEnd, alice: Person, stores: Process, outbox: Outbox) -> None:
    front_end.sign_in(alice)
    update = "/account/alice/update"
    for fields in (
        {"btn": "Profile", "fullname": "Alice L."},
        {"btn": "External", "ckan_api": "k"},
        {"btn": "Profile", "email_addr": "new@example.org"},
    ):
        assert [front_end.send(update, **fields)["status"] for _ in range(2)] == ["success"] * 2
    assert sorted(str(message["To"]) for message in outbox.take()) == ["alice@example.com", "new@example.org"]
    for path in ("/account/newsletter", "/account/confirm-email", "/account/alice/export"):
        answers = [front_end.send(path, subscribe="true") for _ in range(2)]
        assert answers[0] == answers[1]
    with stores.transaction() as store:
        exports = select(func.count()).select_from(Job).where(Job.name == "export")
        before = store.connection.scalar(exports)
    cookie = front_end.app.cookies["sessionid"]
    headers = {**JSON, "X-CSRFToken": front_end.token, "Cookie": f"sessionid={cookie}"}
    statuses = []
    for _ in range(2):
        front_end.app.reset()
        answer = front_end.app.post("/account/alice/delete", headers=headers, expect_errors=True)
        statuses.append(answer.status_int)
    assert statuses == [200, 401]
    outbox.take()
    with stores.transaction() as store:
        assert store.connection.scalar(select(func.count()).select_from(Account)) == 0
        assert before is not None
        assert before <= 1
