"""The pages behind mailed links: GET shows one form, POST uses the code, nothing else does."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import AccountState
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.bookie import Bookie
from tests.support.front_end import Browser
from tests.support.outbox import Outbox

NEW = "a new and better one"


@pytest.fixture
def page_of(stores: Process) -> Callable[..., str]:
    """The path of the page where a person sets a password."""

    def path(person: Person, *, pending: bool = False) -> str:
        with stores.transaction() as store:
            account = lock(store.session, person.id)
            if pending:
                account.state = AccountState.PENDING
            code = links.make(store.session, account, Purpose.RESET, person.email, 60)
        return f"/recovery/{quote(person.username, safe='')}/reset/{code}"

    return path


def check_headers(answer: Any) -> None:
    assert answer.content_type == "text/html"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_set_a_password(app: TestApp, alice: Person, stores: Process, page_of: Callable[..., str]) -> None:
    path = page_of(alice)
    for _ in range(2):
        opened = app.get(path)
        check_headers(opened)
    assert list(opened.forms) == [0]
    form = opened.form
    assert (form.method.upper(), form.action) == ("POST", "")
    assert [name for name in form.fields if name] == ["new_password"]
    assert "alice" in opened.text
    form["new_password"] = NEW
    done = form.submit()
    check_headers(done)
    assert "Password set" in done.text
    with stores.transaction() as store:
        assert stores.passwords.verify(NEW, store.reader.password_hash(alice.id))
    for again in (app.get(path, expect_errors=True), form.submit(expect_errors=True)):
        assert again.status_int == 404
        check_headers(again)


def test_a_refused_password_shows_the_form_again(
    app: TestApp, alice: Person, page_of: Callable[..., str]
) -> None:
    form = app.get(page_of(alice)).form
    for password in ("", "short", "password1", "alice@example.com", "x" * 73):
        form["new_password"] = password
        refused = form.submit(expect_errors=True)
        assert refused.status_int == 400
        check_headers(refused)
        assert refused.html.find(role="alert").text
        field = refused.html.find(id="new_password")
        assert field["aria-invalid"] == "true"
        assert field.has_attr("autofocus")
        described = [refused.html.find(id=part) for part in field["aria-describedby"].split()]
        assert described[0]["role"] == "alert"
        assert None not in described
        assert not password or password not in refused.text.replace("alice@example.com", "x")
        form = refused.form
    form["new_password"] = NEW
    assert form.submit().status_int == 200


def test_a_pending_account_chooses_a_name(
    app: TestApp, alice: Person, bob: Person, page_of: Callable[..., str], stores: Process
) -> None:
    form = app.get(page_of(alice, pending=True)).form
    assert [name for name in form.fields if name] == ["new_username", "new_password"]
    form["new_username"], form["new_password"] = 'bob"><b>', NEW
    form["new_username"] = "bob"
    refused = form.submit(expect_errors=True)
    assert refused.status_int == 400
    assert "taken" in refused.html.find(role="alert").text
    assert refused.html.find(id="new_username")["aria-invalid"] == "true"
    form = refused.form
    assert form["new_username"].value == "bob"
    form["new_username"] = 'x/"><script>'
    form["new_password"] = NEW
    refused = form.submit(expect_errors=True)
    assert "<script>" not in refused.text
    form = refused.form
    for name in ("bob", "x/y"):
        form["new_username"], form["new_password"] = name, "short"
        refused = form.submit(expect_errors=True)
        assert refused.status_int == 400
        wrong = refused.html.find_all(attrs={"aria-invalid": "true"})
        assert [field["name"] for field in wrong] == ["new_username", "new_password"]
        assert [field.has_attr("autofocus") for field in wrong] == [True, False]
        assert all(refused.html.find(id=f"{field['name']}-error").text for field in wrong)
        form = refused.form
    form["new_username"], form["new_password"] = "Alicia", NEW
    assert form.submit().status_int == 200
    with stores.transaction() as store:
        row = store.reader.by_username("alicia")
        assert row is not None
        assert (row.id, row.state) == (alice.id, AccountState.ACTIVE)


def test_every_field_has_its_label(app: TestApp, alice: Person, page_of: Callable[..., str]) -> None:
    html = app.get(page_of(alice, pending=True)).html
    for field in html.find_all("input"):
        assert html.find("label", attrs={"for": field["id"]}).text.strip()
    assert html.html["lang"] == "en"
    assert len(html.find_all("h1")) == 1
    assert html.title.text
    for tag in html.find_all(["script", "img", "iframe"]):
        pytest.fail(f"{tag} on a page with a code in its address")
    loaded = {link["href"] for link in html.find_all("link")}
    assert {href.partition("?v=")[0] for href in loaded} == {"/static/style.css", "/favicon.ico"}


def test_links_that_lead_nowhere_are_one_page(
    app: TestApp, alice: Person, bob: Person, stores: Process, page_of: Callable[..., str]
) -> None:
    good = page_of(alice)
    code = good.rpartition("/")[2]
    dead = page_of(bob)
    with stores.transaction() as store:
        lifecycle.deactivate(store, bob.id)
    bodies = set()
    for path in (
        f"/recovery/nobody/reset/{code}",
        f"/recovery/bob/reset/{code}",
        "/recovery/alice/reset/wrong",
        f"/recovery/alice/reset/{code}x",
        "/recovery/alice/reset/%00",
        dead,
        "/confirm/email/wrong",
        f"/confirm/email/{code}",
    ):
        for method in ("get", "post"):
            answer = getattr(app, method)(
                path, expect_errors=True, **({"params": {"new_password": NEW}} if method == "post" else {})
            )
            assert answer.status_int == 404, path
            check_headers(answer)
            bodies.add(answer.body)
    assert len(bodies) == 1
    assert app.get(good).status_int == 200


def test_a_dead_link_leads_to_where_another_is_to_be_had(wsgi: Any, alice: Person) -> None:
    browser = Browser(wsgi)
    for person in (None, alice):
        if person is not None:
            browser.sign_in(person)
        settings = "/account/alice/update" if person is not None else "/account/signin"
        for path, leads_to in (
            ("/recovery/alice/reset/dead", "/account/forgot-password"),
            ("/confirm/registration/dead", "/account/register"),
            ("/confirm/address/dead", settings),
            ("/exports/dead", settings),
        ):
            buttons = browser.get(path, 404).html.select("main a.button")
            assert buttons[0]["href"] == leads_to, (path, person)


def test_paths_and_methods(app: TestApp, alice: Person, page_of: Callable[..., str]) -> None:
    path = page_of(alice)
    assert app.get(path + "/").status_int == 200
    assert app.head(path).body == b""
    for method in ("PUT", "PATCH", "DELETE"):
        answer = app.request(path, method=method, expect_errors=True)
        assert (answer.status_int, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
        check_headers(answer)
    options = app.request(path, method="OPTIONS")
    assert (options.status_int, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    for nowhere in (
        f"{path}/x",
        "/recovery",
        "/recovery/alice",
        "/recovery/alice/reset",
        "/confirm",
        "/confirm/email",
    ):
        answer = app.get(nowhere, expect_errors=True)
        assert answer.status_int == 404, nowhere
        check_headers(answer)


def test_only_the_body_sets_a_password(app: TestApp, alice: Person, page_of: Callable[..., str]) -> None:
    path = page_of(alice)
    assert app.post(f"{path}?new_password=a+good+password", expect_errors=True).status_int == 400
    assert app.post_json(path, {"new_password": NEW}).status_int == 200


def test_confirm_an_address(app: TestApp, alice: Person, outbox: Outbox) -> None:
    given = {"api_key": alice.api_key, "email": "new@example.com"}
    assert Bookie(app)("POST", "/alice/account", form=given).status_int == 200
    path = outbox.link_to("new@example.com")
    opened = app.get(path)
    check_headers(opened)
    assert list(opened.forms) == [0]
    assert "new@example.com" in opened.text
    assert [name for name in opened.form.fields if name] == []
    done = opened.form.submit()
    check_headers(done)
    assert "Address confirmed" in done.text
    assert app.get(path, expect_errors=True).status_int == 404


def test_what_people_wrote_is_escaped(
    app: TestApp, register: Callable[..., Person], page_of: Callable[..., str]
) -> None:
    person = register("<b>x&y", "x@example.com")
    opened = app.get(page_of(person))
    assert "<b>x" not in opened.text
    assert "&lt;b&gt;x&amp;y" in opened.text


def test_home_and_stylesheet(app: TestApp) -> None:
    home = app.get("/")
    check_headers(home)
    tags = {tag.text: tag.get("href") for tag in home.html.find_all(class_="tag")}
    assert {"bookie", "pybossa", "amo"} <= tags.keys()
    for name, path in tags.items():
        assert path == f"/docs/{name}"
        assert app.get(path).status_int == 200
    style = app.get("/static/style.css")
    assert (style.content_type, style.headers["X-Content-Type-Options"]) == ("text/css", "nosniff")
    assert app.get("/static/other.css", expect_errors=True).status_int == 404
