"""A form whose cookie is gone, or whose token is too old, comes back with what was typed (contract 4)."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp, Upload

from accountsapp.domain.credentials import sessions
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.front_end import Browser, FrontEnd
from tests.support.outbox import Outbox, text_of

NEW = "a quite new password"
REGISTRATION = {
    "fullname": 'Carol "C" Ångström',
    "name": "carol",
    "email_addr": "carol@example.org",
    "password": NEW,
    "confirm": NEW,
}


def spoil(browser: Browser, form: Any) -> Any:
    """Send the form from a browser that has lost its cookies."""
    browser.app.reset()
    return form.submit(status=400)


def filled(form: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        form[name] = value
    return form


def assert_told(page: Any, *, kept: dict[str, str]) -> None:
    """It says why, has the values, and no password; nothing of it is in the cookies or kept anywhere."""
    assert "CSRF" not in page.text
    assert "cookie" in page.html.find(id="stale-form").find(role="alert").text
    assert {name: page.form[name].value for name in kept} == kept
    assert PASSWORD not in page.text
    assert NEW not in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_visitors_type_nothing_twice(browser: Browser, alice: Person) -> None:
    register = filled(browser.get("/account/register?next=/about").form, **REGISTRATION)
    again = spoil(browser, register)
    assert_told(again, kept={name: REGISTRATION[name] for name in ("fullname", "name", "email_addr")})
    answer = filled(again.form, password=NEW, confirm=NEW).submit(status=303)
    assert answer.location == "/about"

    browser.app.reset()
    sign_in = filled(browser.get("/account/signin?next=/about").form, email="alice", password=PASSWORD)
    again = spoil(browser, sign_in)
    assert_told(again, kept={"email": "alice"})
    assert filled(again.form, password=PASSWORD).submit(status=303).location == "/about"

    browser.app.reset()
    forgotten = filled(browser.get("/account/forgot-password").form, email_addr=alice.email)
    again = spoil(browser, forgotten)
    assert_told(again, kept={"email_addr": alice.email})
    assert again.form.submit().html.find(class_="good")


def test_a_password_is_set_after_all(browser: Browser, alice: Person, outbox: Outbox) -> None:
    browser.fill("/account/forgot-password", email_addr=alice.email)
    (link,) = [line for line in text_of(outbox.to(alice.email)).split() if "key=" in line]
    path = link.removeprefix(SITE_URL)
    again = spoil(browser, filled(browser.get(path).form, new_password=NEW, confirm=NEW))
    assert_told(again, kept={})
    assert again.headers["Referrer-Policy"] == "same-origin"
    filled(again.form, new_password=NEW, confirm=NEW).submit(status=303)
    dead = browser.app.post(path, {"csrf_token": "old"}, headers={"Accept": "text/html"}, status=400)
    assert dead.html.find(id="stale-form")


def test_settings_come_back_to_who_is_signed_in(
    browser: Browser, alice: Person, bob: Person, front_end: FrontEnd
) -> None:
    browser.sign_in(alice)
    forms = browser.get("/account/alice/update").forms
    profile = filled(forms[0], fullname="Alice Anew", name="alicia")
    profile["privacy_mode"], profile["csrf_token"] = False, "of the day before"
    again = profile.submit("btn", status=400)
    assert_told(again, kept={})
    form = again.forms[0]
    assert (form["fullname"].value, form["name"].value) == ("Alice Anew", "alicia")
    assert not form["privacy_mode"].checked
    assert form.submit("btn", status=303).location == "/account/alicia/update"

    browser.app.reset()
    for person in (None, bob):
        if person is not None:
            browser.sign_in(person)
        sent = {"btn": "Profile", "csrf_token": "old", "fullname": "Somebody Else"}
        headers = {"Accept": "text/html"}
        refused = browser.app.post("/account/alicia/update", sent, headers=headers, status=400)
        assert "Alice" not in refused.text
        assert "Somebody" not in refused.text
        assert alice.email not in refused.text


def test_settings_that_are_sent_signed_out_can_be_sent_once_more(browser: Browser, alice: Person) -> None:
    """After signing in, in another window of the same browser."""
    browser.sign_in(alice)
    form = filled(browser.get("/account/alice/update").forms[0], fullname="Alice <Anew>")
    browser.app.reset()
    again = form.submit("btn", headers={"Origin": SITE_URL}, status=400)
    assert "cookie" in again.html.find(id="stale-form").find(role="alert").text
    assert again.html.select_one("main a.button")["href"] == "/account/signin"
    assert (again.form["fullname"].value, again.form["btn"].value) == ("Alice <Anew>", "Profile")
    assert "csrf_token" in again.form.fields

    browser.sign_in(alice)
    settings = again.form.submit(headers={"Origin": SITE_URL}, status=400)
    assert settings.forms[0]["fullname"].value == "Alice <Anew>"
    assert settings.forms[0].submit("btn", status=303).location == "/account/alice/update"
    assert browser.get("/account/alice/update").forms[0]["fullname"].value == "Alice <Anew>"


def end_sessions(stores: Process, person: Person) -> None:
    """As another browser of theirs does: this one still has the cookie."""
    with stores.transaction() as store:
        sessions.end_all(store.session, person.id)


def test_settings_of_a_session_that_was_ended_come_back_after_signing_in(
    browser: Browser, stores: Process, alice: Person, bob: Person, front_end: FrontEnd
) -> None:
    settings = "/account/alice/update"
    for form, button, fields in (
        (0, "Profile", {"fullname": "Alice <Anew>", "name": "alicia", "locale": "fr"}),
        (3, "External", {"ckan_api": "a-key-of-another-site"}),
    ):
        browser.app.reset()
        browser.sign_in(alice)
        sent = filled(browser.get(settings).forms[form], **fields)
        if button == "Profile":
            sent["privacy_mode"], sent["subscribed"] = False, True
        end_sessions(stores, alice)
        refused = sent.submit("btn", value=button, status=303)
        assert refused.location == f"/account/signin?next={settings}"
        sign_in = browser.get(refused.location)
        assert "is kept" in sign_in.html.find(role="status").text
        sign_in.form["email"], sign_in.form["password"] = "alice", PASSWORD
        assert sign_in.form.submit(status=303).location == settings
        again = browser.get(settings)
        assert "not saved yet" in again.html.main.text
        form_again = again.forms[form]
        assert {name: form_again[name].value for name in fields} == fields
        assert len(again.html.select("[autofocus]")) == 1
        if button == "Profile":
            assert (form_again["privacy_mode"].checked, form_again["subscribed"].checked) == (False, True)
        assert browser.get(settings).forms[form][next(iter(fields))].value not in fields.values()
    sent = filled(browser.get(settings).forms[0], fullname="Alice Anew")
    end_sessions(stores, alice)
    sent.submit("btn", status=303)
    browser.sign_in(bob)
    assert "Alice Anew" not in browser.get(settings, 403).text
    assert "Alice Anew" not in browser.get("/account/bob/update").text
    end_sessions(stores, bob)
    browser.sign_in(alice)
    as_json = browser.app.get(settings, headers={"Accept": "application/json"}).json
    assert as_json["form"]["fullname"] != "Alice Anew"
    assert browser.get(settings).forms[0].submit("btn", status=303)
    assert browser.get(settings).forms[0]["fullname"].value == "Alice Anew"


def test_who_signs_out_leaves_no_form_behind(browser: Browser, stores: Process, alice: Person) -> None:
    settings = "/account/alice/update"
    for path in ("/account/signout", "/sessions"):
        browser.app.reset()
        browser.sign_in(alice)
        sent = filled(browser.get(settings).forms[0], fullname="Alice Anew")
        end_sessions(stores, alice)
        sent.submit("btn", status=303)
        browser.sign_in(alice)
        assert "kept_form" in browser.app.cookies
        page = browser.app.get(path, headers={"Accept": "text/html"})
        if path == "/sessions":
            page.form.submit(status=303)
        assert "kept_form" not in browser.app.cookies
        browser.sign_in(alice)
        assert "Alice Anew" not in browser.get(settings).text


def test_what_is_kept_fits_into_a_head_of_4096_bytes(browser: Browser) -> None:
    """A proxy takes no longer one, unless it is told to."""
    is_kept = set()
    for length in range(1000, 3200, 100):
        browser.app.reset()
        token = browser.get("/account/signin").form["csrf_token"].value
        sent = {"csrf_token": token, "btn": "Profile", "fullname": "x" * length}
        answer = browser.app.post("/account/alice/update", sent, headers={"Accept": "text/html"}, status=303)
        assert sum(len(f"{name}: {value}\r\n") for name, value in answer.headerlist) < 3800
        is_kept.add("kept_form" in browser.app.cookies)
    assert is_kept == {True, False}


def test_what_is_not_kept_for_later(browser: Browser, stores: Process, alice: Person) -> None:
    """Passwords, files, and what is too long for a cookie; it says that nothing was changed."""
    password = {"current_password": PASSWORD, "new_password": NEW, "confirm": NEW}
    for form, fields in ((2, password), (1, {"avatar": Upload("a.png", b"png")}), (0, {"name": "x" * 4000})):
        browser.sign_in(alice)
        sent = filled(browser.get("/account/alice/update").forms[form], **fields)
        end_sessions(stores, alice)
        refused = sent.submit("btn", status=303)
        assert "kept_form" not in browser.app.cookies
        assert "nothing was changed" in browser.get(refused.location).html.find(role="status").text


def test_what_no_page_keeps(browser: Browser, alice: Person) -> None:
    """Passwords, what did not stand on a page of ours, and what nobody typed."""
    path = "/account/alice/update"
    password = {"btn": "Password", "current_password": PASSWORD, "new_password": NEW, "confirm": NEW}
    profile = {"btn": "Profile", "fullname": "Somebody Else"}
    own, other, none = {"Origin": SITE_URL}, {"Origin": "https://evil.example"}, {"Origin": "null"}
    for sent, headers in (
        (password, own),
        ({**profile, "confirm": ""}, own),
        ({"btn": "Profile", "fullname": ""}, own),
        (profile, other),
        (profile, none),
        (profile, {}),
    ):
        headers = {"Accept": "text/html", **headers}
        refused = browser.app.post(path, {"csrf_token": "old", **sent}, headers=headers, status=400)
        assert not refused.forms
        assert not {NEW, PASSWORD, "Somebody Else"} & {*refused.text.split('"')}
    upload = [("avatar", "a.png", b"png")]
    headers = {"Accept": "text/html", **own}
    sent = {"csrf_token": "old", "btn": "Upload", "x1": "5"}
    assert not browser.app.post(path, sent, headers=headers, upload_files=upload, status=400).forms


def test_under_another_name_of_the_site(browser: Browser) -> None:
    """The form works at the site's own name alone, and it says where; what another site put in does not come
    back.
    """
    here = {"Host": "127.0.0.1:6543"}
    for origin, is_own in (
        ("http://127.0.0.1:6543", True),
        ("https://evil.example", False),
        ("null", False),
        ("http://[", False),
    ):
        form = browser.get("/account/register", headers=here).form
        sent = {"csrf_token": form["csrf_token"].value, **REGISTRATION}
        headers = {"Accept": "text/html", "Origin": origin, **here}
        page = browser.app.post("/account/register?next=/a", sent, headers=headers, status=400)
        assert ("carol" in page.text) is is_own
        assert page.html.find("a", href=f"{SITE_URL}/account/register?next=/a")
        assert page.html.find(id="stale-form").find(role="alert").text.count(SITE_URL) == 1
        assert "CSRF" not in page.text


def test_a_browser_that_hides_where_a_form_stood(browser: Browser) -> None:
    """It is not sent to the name of the site, where it is already."""
    sent = {"csrf_token": browser.get("/account/register").form["csrf_token"].value, **REGISTRATION}
    headers = {"Accept": "text/html", "Origin": "null", "Host": SITE_URL.partition("://")[2]}
    page = browser.app.post("/account/register", sent, headers=headers, status=400)
    problem = page.html.find(id="stale-form")
    assert "open the page again" in problem.find(role="alert").text
    assert problem.find("a") is None
    assert "carol" not in page.text
    assert page.html.select_one("main a.button") is not None


def test_json_is_told_as_ever(front_end: FrontEnd) -> None:
    refused = front_end.send("/account/register", 400, **REGISTRATION)
    assert sorted(refused) == ["code", "description", "template"]
    assert "CSRF" in refused["description"]


def test_closed(make_app: Callable[..., Any]) -> None:
    """Nobody is shown a form that cannot be sent."""
    wsgi = make_app(**{"accountsapp.registration": "closed"})
    app = TestApp(wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1"})
    page = app.post("/account/register", REGISTRATION, headers={"Accept": "text/html"}, status=400)
    assert not page.html.select("main form")


@pytest.mark.parametrize("name", ["privacy_mode", "subscribed"])
def test_a_flag_that_was_taken_off_stays_off(browser: Browser, alice: Person, name: str) -> None:
    """Also in a form that comes back because of another field."""
    browser.sign_in(alice)
    form = filled(browser.get("/account/alice/update").forms[0], fullname="Alice")
    form[name] = True
    form.submit("btn", status=303)
    form = filled(browser.get("/account/alice/update").forms[0], fullname="x")
    form[name] = False
    again = form.submit("btn", status=200)
    assert again.html.find(class_="error")
    assert not again.forms[0][name].checked
