"""Signing in and out (contract 10.3, 10.4), as JSON and as pages."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.data.models import AccountState
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.front_end import JSON, Browser, FrontEnd

FORM_KEYS = {"csrf", "email", "errors", "password"}
KEYS = {"auth", "form", "next", "template", "title"}


def test_the_empty_form(front_end: FrontEnd) -> None:
    content = front_end.get("/account/signin/?next=/about")
    assert content.keys() == KEYS
    assert content["auth"] == {"facebook": False, "google": False, "twitter": False}
    assert content["form"].keys() == FORM_KEYS
    assert (content["form"]["email"], content["form"]["password"], content["form"]["errors"]) == (
        None,
        None,
        {},
    )
    assert (content["next"], content["template"], content["title"]) == (
        "/about",
        "account/signin.html",
        "Sign in",
    )


def test_right(front_end: FrontEnd, alice: Person, stores: Process) -> None:
    former = front_end.get("/account/signin")["form"]["csrf"]
    visitor = front_end.app.cookies["sessionid"]
    answer = front_end.send("/account/signin?next=/about", email=" ALICE@example.com ", password=PASSWORD)
    assert answer == {"flash": "Welcome back Alice Liddell", "next": "/about", "status": "success"}
    assert front_end.app.cookies["sessionid"] != visitor
    assert front_end.get("/account/alice/update")["form"]["csrf"] != former
    assert front_end.get("/account/signin") == {"next": "/"}
    with stores.transaction() as store:
        row = store.connection.exec_driver_sql("SELECT last_login, last_login_ip FROM account").one()
    assert row[0] is not None
    assert row[1] == "127.0.0.1"


@pytest.mark.parametrize("typed", ["alice", "ALICE", "alice@example.com"])
def test_by_name_or_address_without_case(front_end: FrontEnd, alice: Person, typed: str) -> None:
    assert front_end.post("/account/signin", email=typed, password=PASSWORD)["next"] == "/"


def test_refusals(
    front_end: FrontEnd, alice: Person, register: Callable[..., Person], stores: Process
) -> None:
    register("locked")
    register("invited", state=AccountState.PENDING)
    register("keyless", password=None)
    with stores.transaction() as store:
        lifecycle.deactivate(store, store.reader.by_username("locked").id)  # type: ignore[union-attr]
    wrong = ("error", "Wrong e-mail address or password", {})
    unknown = ("info", "We do not know that account. Did you sign up?", {})
    cases = [
        ({}, "Please correct the errors"),
        ({"email": "alice", "password": ""}, "Please correct the errors"),
        ({"email": 7, "password": []}, "Please correct the errors"),
    ]
    for sent, flash in cases:
        answer = front_end.post("/account/signin", **sent)
        assert (answer["flash"], answer["status"]) == (flash, "error")
        assert answer.keys() == KEYS | {"flash", "status"}
    assert front_end.post("/account/signin")["form"]["errors"] == {
        "email": ["This field is needed"],
        "password": ["You must provide a password"],
    }
    for email, password, (status, flash, errors) in (
        ("nobody@example.com", PASSWORD, unknown),
        ("invited", PASSWORD, unknown),
        ("invited", "another", unknown),
        ("alice", "another", wrong),
        ("keyless", "another", wrong),
        ("locked", "another", wrong),
        ("locked", PASSWORD, ("error", "This account is not active", {})),
    ):
        answer = front_end.post("/account/signin", email=email, password=password)
        got = (answer["status"], answer["flash"], answer["form"]["errors"])
        assert got == (status, flash, errors), email
        assert answer["form"]["email"] == email
        assert answer["form"]["password"] is None
    front_end.get("/account/alice/update", status=401)


def test_hide_unknown(make_app: Callable[..., Any], alice: Person, register: Callable[..., Person]) -> None:
    register("invited", state=AccountState.PENDING)
    front_end = FrontEnd(make_app(**{"accountsapp.hide_unknown": "true"}))
    seen = set()
    for email in ("nobody@example.com", "alice", "invited"):
        answer = front_end.post("/account/signin", email=email, password="another")
        answer["form"]["email"] = None
        seen.add(str(answer))
    assert len(seen) == 1


def test_social_links(make_app: Callable[..., Any]) -> None:
    wsgi = make_app(**{"accountsapp.social.google": "https://login.example.org/google"})
    assert FrontEnd(wsgi).get("/account/signin")["auth"] == {
        "facebook": False,
        "google": True,
        "twitter": False,
    }
    assert 'href="https://login.example.org/google"' in Browser(wsgi).get("/account/signin").text


def test_signing_out(front_end: FrontEnd, wsgi: Any, alice: Person) -> None:
    signed_out = {
        "flash": "You are now signed out",
        "message": "You are now signed out",
        "next": "/",
        "status": "success",
    }
    assert front_end.get("/account/signout") == signed_out
    front_end.sign_in(alice)
    copied = front_end.app.cookies["sessionid"]
    assert front_end.get("/account/signout/") == signed_out
    other = TestApp(wsgi)
    other.set_cookie("sessionid", copied)
    other.get("/account/alice/update", headers=JSON, status=401)


def test_pages(browser: Browser, alice: Person) -> None:
    answer = browser.fill("/account/signin?next=/account/alice/update", email="alice", password="another")
    assert answer.status_int == 200
    assert answer.html.find(role="alert").text == "Wrong e-mail address or password"
    assert answer.form["password"].value == ""
    assert answer.form["email"].value == "alice"
    answer.form["password"] = PASSWORD
    answer = answer.form.submit()
    assert (answer.status_int, answer.location) == (303, "/account/alice/update")
    page = answer.follow()
    assert page.html.find(role="status").text == "Welcome back Alice Liddell"
    assert "Welcome back" not in browser.get("/account/alice/update").text
    assert browser.get("/account/signin", 303).location == "/"
    answer = browser.get("/account/signout", 303)
    assert answer.location == "/"
    assert answer.follow().html.find(role="status").text == "You are now signed out"
    assert browser.get("/account/alice/update?a=b", 303).location == (
        "/account/signin?next=/account/alice/update%3Fa%3Db"
    )


def test_a_page_asks_before_it_signs_out_because_of_another_site(browser: Browser, alice: Person) -> None:
    browser.sign_in(alice)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}):
        page = browser.get("/account/signout", headers=headers)
        assert page.form.method == "post"
        browser.get("/account/alice/update")
    assert page.form.submit().status_int == 303
    browser.get("/account/alice/update", 303)


def test_the_mark_of_a_session_goes_on_under_a_new_password(
    front_end: FrontEnd, wsgi: Any, alice: Person
) -> None:
    front_end.sign_in(alice)
    loaded, cookie = front_end.token, front_end.app.cookies["sessionid"]
    other = FrontEnd(wsgi)
    other.sign_in(alice)
    first, second = "a new and longer one", "another one after it"
    for current, new in ((PASSWORD, first), (first, second)):
        fields = {"btn": "Password", "current_password": current, "new_password": new, "confirm": new}
        answer = front_end.send("/account/alice/update", **fields)
        assert answer["status"] == "success", answer
    assert front_end.app.cookies["sessionid"] != cookie
    assert front_end.get("/account/alice/update")["form"]["csrf"] != loaded
    front_end.token = loaded
    assert front_end.send("/account/alice/update", btn="External", ckan_api="k")["status"] == "success"
    other.get("/account/alice/update", status=401)
    front_end.token = other.token
    front_end.send("/account/alice/update", 400, btn="External", ckan_api="k")
