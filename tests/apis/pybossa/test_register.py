"""Registering (contract 10.2, 11), in its three modes, as JSON and as pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from webtest import TestApp

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.registration_models import PendingRegistration
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.front_end import JSON, Browser, FrontEnd
from tests.support.outbox import Outbox, text_of

CONFIRM = {"accountsapp.registration": "confirm"}
DAISY = {
    "fullname": "Daisy Duck",
    "name": "daisy",
    "email_addr": "daisy@example.org",
    "password": PASSWORD,
    "confirm": PASSWORD,
}
BAD_NAMES = [
    *("", "ab", "x" * 36, "a b", "a$b", ".abc", "12345", "ünder", "a/b", "a@b.org", "~abc"),
    *("register", "SignIn", "Save_Metadata", "account", 7, None, ["abc"]),
]
FORM_KEYS = {"confirm", "csrf", "email_addr", "errors", "fullname", "name", "password"}
Make = Callable[..., Any]


def key_in(message: Any) -> str:
    """The key in the only link of a mail."""
    (line,) = [line for line in text_of(message).split() if "key=" in line]
    assert line.startswith(f"{SITE_URL}/account/register/confirmation?key=")
    return line.partition("key=")[2]


def test_the_empty_form(front_end: FrontEnd) -> None:
    content = front_end.get("/account/register")
    assert content["form"].keys() == FORM_KEYS
    assert {value for name, value in content["form"].items() if name not in ("csrf", "errors")} == {None}
    assert content["form"]["errors"] == {}
    assert (content["template"], content["title"]) == ("account/register.html", "Register")
    assert content.keys() == {"form", "template", "title"}


def test_open(front_end: FrontEnd, stores: Process, bob: Person) -> None:
    front_end.sign_in(bob)
    before = front_end.app.cookies["sessionid"]
    answer = front_end.send("/account/register?next=/about", **DAISY, is_admin=True, valid_email=True, id=7)
    assert answer == {"flash": "Thanks for signing up", "next": "/about", "status": "success"}
    assert front_end.app.cookies["sessionid"] != before
    front_end.get("/account/daisy/update")
    with stores.transaction() as store:
        row = store.reader.by_username("daisy")
        assert row is not None
        assert (row.email_verified, row.is_admin, row.email) == (False, False, "daisy@example.org")
    again = front_end.send("/account/register", **DAISY)
    assert again["form"]["errors"].keys() == {"name", "email_addr"}


def test_everything_wrong_is_told_at_once(front_end: FrontEnd, alice: Person) -> None:
    answer = front_end.post(
        "/account/register",
        fullname="xy",
        name="ALICE",
        email_addr="alice@EXAMPLE.com",
        password="short",
        confirm="other",
    )
    assert answer.keys() == {"form", "template", "title", "flash", "status"}
    assert (answer["flash"], answer["status"]) == ("Please correct the errors", "error")
    assert answer["form"]["errors"] == {
        "fullname": ["Full name must be between 3 and 35 characters long"],
        "name": ["The user name is already taken"],
        "email_addr": ["That e-mail address is already taken."],
        "password": ["A password needs at least 8 characters"],
    }
    form = answer["form"]
    assert (form["fullname"], form["name"], form["email_addr"]) == ("xy", "ALICE", "alice@EXAMPLE.com")
    assert (form["password"], form["confirm"]) == (None, None)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "fullname",
            [
                "",
                "  ab ",
                "x" * 36,
                "a\nbcd",
                "abc\u202edef",
                "\u200b" * 3,
                "\u3164\u2800 \u0301",
                7,
                None,
                ["abc"],
                {"a": 1},
                True,
            ],
        ),
        (
            "name",
            BAD_NAMES,
        ),
        (
            "email_addr",
            [
                *("", "a@", "daisy", "daisy@localhost", "a b@example.org", "x" * 250 + "@example.org"),
                *("a@b@example.org", "a\n@example.org", 7, None, []),
            ],
        ),
        (
            "password",
            ["", "1234567", " " * 9, "password1", "daisy@example.org", "x" * 73, "12\x0034567", 7, None],
        ),
        ("confirm", ["", "another one that is long", None, 7]),
    ],
)
def test_rules_of_fields(front_end: FrontEnd, stores: Process, field: str, values: list[Any]) -> None:
    for value in values:
        sent = {**DAISY, field: value}
        if field == "password":
            sent["confirm"] = value
        answer = front_end.post("/account/register", **sent)
        wrong = answer["form"]["errors"]
        assert wrong.keys() == {"password" if field == "confirm" else field}, (value, wrong)
        assert all(isinstance(text, str) and text for text in next(iter(wrong.values())))
        missing = {name: sent[name] for name in sent if name != field}
        if field != "confirm" or value == "":
            assert front_end.post("/account/register", **missing)["status"] == "error"
    with stores.transaction() as store:
        assert store.connection.scalar(select(func.count()).select_from(Account)) == 0


def test_confirmed(make_app: Make, outbox: Outbox, stores: Process) -> None:
    wsgi = make_app(**CONFIRM)
    front_end = FrontEnd(wsgi)
    sent = {"status": "sent", "template": "account/account_validation.html", "title": "Account validation"}
    assert front_end.post("/account/register", **DAISY) == sent
    assert front_end.post("/account/signin", email="daisy", password=PASSWORD)["status"] == "info"
    front_end.get("/account/daisy/update", status=401)
    TestApp(wsgi).get("/api/v1/daisy/account", status="4*")
    (message,) = outbox.take()
    assert message["To"] == "daisy@example.org"
    assert PASSWORD not in text_of(message)
    key = key_in(message)
    taken = front_end.post("/account/register", **DAISY)["form"]["errors"]
    assert taken.keys() == {"name", "email_addr"}
    path = f"/account/register/confirmation?key={key}"
    for _ in range(2):
        page = Browser(wsgi).get(path)
        assert "daisy" in page.text
        assert page.headers["Referrer-Policy"] == "same-origin"
    answer = front_end.get(path)
    assert (answer["next"], answer["status"]) == ("/account/signin", "success")
    front_end.get("/account/daisy/update", status=401)
    front_end.get(path, status=403)
    assert front_end.post("/account/signin", email="daisy", password=PASSWORD)["status"] == "success"
    with stores.transaction() as store:
        row = store.reader.by_username("daisy")
        assert row is not None
        assert row.email_verified
        assert store.connection.scalar(select(func.count()).select_from(PendingRegistration)) == 0


def test_bad_links(make_app: Make, outbox: Outbox, register: Callable[..., Person], stores: Process) -> None:
    wsgi = make_app(**CONFIRM)
    front_end, browser = FrontEnd(wsgi), Browser(wsgi)
    for query in ("", "?key=", "?key=x", "?key=%00", "?key=%C3%A9", "?key=" + "x" * 5000):
        front_end.get(f"/account/register/confirmation{query}", status=403)
        page = browser.get(f"/account/register/confirmation{query}", 403)
        ways = [link["href"] for link in page.html.select("main a.button")]
        assert ways == ["/account/signin", "/account/register"]
        front_end.post(f"/account/register/confirmation{query}", 403)
    front_end.post("/account/register", **DAISY)
    key = key_in(outbox.to("daisy@example.org"))
    register("somebody", email="daisy@example.org")
    front_end.get(f"/account/register/confirmation?key={key}", status=403)
    front_end.get("/account/daisy/update", status=401)


def test_an_expired_one_blocks_nothing(make_app: Make, outbox: Outbox, stores: Process) -> None:
    front_end = FrontEnd(make_app(**CONFIRM))
    front_end.post("/account/register", **DAISY)
    first = key_in(outbox.to("daisy@example.org"))
    with stores.transaction() as store:
        past = now() - timedelta(seconds=1)
        store.session.execute(update(PendingRegistration).values(expires=past))
    front_end.get(f"/account/register/confirmation?key={first}", status=403)
    assert front_end.post("/account/register", **DAISY)["status"] == "sent"
    second = key_in(outbox.to("daisy@example.org"))
    front_end.get(f"/account/register/confirmation?key={first}", status=403)
    front_end.get(f"/account/register/confirmation?key={second}")


def test_closed(make_app: Make) -> None:
    wsgi = make_app(**{"accountsapp.registration": "closed"})
    front_end, browser = FrontEnd(wsgi), Browser(wsgi)
    front_end.get("/account/register", status=403)
    front_end.post("/account/register", 403, **DAISY)
    browser.get("/account/register", 403)
    assert "/account/register" not in browser.get("/account/signin").text


def test_a_front_end_with_pages_of_its_own(make_app: Make, outbox: Outbox, alice: Person) -> None:
    site = "https://front.example.org/app"
    front_end = FrontEnd(make_app(**CONFIRM, **{"accountsapp.frontend_url": site}))
    front_end.post("/account/register", **DAISY)
    front_end.post("/account/forgot-password", email_addr="alice@example.com")
    texts = [text_of(message) for message in outbox.take()]
    assert f"{site}/account/register/confirmation?key=" in texts[0]
    assert f"{site}/account/reset-password?key=" in texts[1]


def test_pages(browser: Browser, make_app: Make, outbox: Outbox) -> None:
    answer = browser.fill("/account/register?next=/account/daisy/update", **{**DAISY, "name": "a b"})
    assert answer.status_int == 200
    field = answer.html.find(id="name")
    assert answer.html.find(id=field["aria-describedby"].split()[0]).text == (
        "The user name has symbols that are not allowed"
    )
    form = answer.form
    assert (form["password"].value, form["fullname"].value) == ("", "Daisy Duck")
    form["name"], form["password"], form["confirm"] = "daisy", PASSWORD, PASSWORD
    answer = form.submit()
    assert (answer.status_int, answer.location) == (303, "/account/daisy/update")
    assert answer.follow().html.find(role="status").text == "Thanks for signing up"
    confirming = Browser(make_app(**CONFIRM))
    other = {**DAISY, "name": "minnie", "email_addr": "minnie@example.org"}
    answer = confirming.fill("/account/register", **other)
    assert (answer.status_int, "mail" in answer.text) == (200, True)
    assert answer.html.main.strong.text == "minnie@example.org"
    assert [link["href"] for link in answer.html.main.find_all("a")] == ["/"]
    key = key_in(outbox.to("minnie@example.org"))
    answer = confirming.fill(f"/account/register/confirmation?key={key}")
    assert (answer.status_int, answer.location) == (303, "/account/signin")
    assert "ready" in answer.follow().html.find(role="status").text


def test_where_the_form_leads(browser: Browser, alice: Person) -> None:
    """The focus to the first field that is wrong, the link to where somebody wanted to go."""
    page = browser.fill(
        "/account/register?next=/about%3Fa%3Db",
        fullname="Alice Again",
        name="ALICE",
        email_addr="nowhere",
        password=PASSWORD,
        confirm=PASSWORD,
    )
    assert [field["name"] for field in page.html.find_all("input", attrs={"autofocus": True})] == ["name"]
    assert [field["name"] for field in page.html.find_all("input", attrs={"aria-invalid": "true"})] == [
        *("name", "email_addr"),
    ]
    (leads,) = page.html.main.find_all(class_="leads")
    assert leads.a["href"] == "/account/signin?next=/about%3Fa%3Db"


def test_registrations_are_limited(throttled: TestApp) -> None:
    front_end = FrontEnd(throttled.app)
    statuses = []
    for number in range(31):
        sent = {**DAISY, "name": f"daisy{number}", "email_addr": f"daisy{number}@example.org"}
        front_end.get("/account/register")
        answer = front_end.app.post_json(
            "/account/register", sent, headers={"X-CSRFToken": front_end.token}, expect_errors=True
        )
        statuses.append(answer.status_int)
    assert statuses[:10] == [200] * 10
    assert statuses[-1] == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["code"] == 429


def test_json_is_never_html(front_end: FrontEnd) -> None:
    answer = front_end.app.post_json(
        "/account/register",
        {**DAISY, "fullname": "<script>alert(1)</script>"},
        headers={"X-CSRFToken": front_end.get("/account/register")["form"]["csrf"]},
    )
    assert answer.content_type == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert front_end.app.get("/account/register", headers=JSON).headers["Cache-Control"] == "no-store"
