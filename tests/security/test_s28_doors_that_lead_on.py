"""S28: every door that takes a place to go on to leads to a page of this site, whatever it is given."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from webtest import TestApp

from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.front_end import JSON
from tests.support.targets import TARGETS, origin_of

PAGE = {"Accept": "text/html"}
GOOD = "/applications?a=b%20c"
Door = Callable[[TestApp, str], Iterator[str]]
"""What a client is told to open next, after it asked for that target."""


def _sign_in(app: TestApp, target: str) -> Iterator[str]:
    """The pages and the JSON of signing in; afterwards somebody is signed in."""
    query = urlencode({"next": target})
    page = app.get(f"/account/signin?{query}", headers=PAGE)
    yield page.form.action
    yield page.html.select_one('main a[href*="register"]')["href"]
    yield app.get(f"/account/signin?{query}", headers=JSON).json["next"] or "/"
    page.form["email"], page.form["password"] = "alice", "wrong"
    page = page.form.submit(status=200)
    yield page.form.action
    page.form["email"], page.form["password"] = "alice", PASSWORD
    yield page.form.submit(status=303).headers["Location"]
    yield app.get(f"/account/signin?{query}", headers=PAGE, status=303).headers["Location"]


def _sign_in_by_json(app: TestApp, target: str) -> Iterator[str]:
    token = app.get("/account/signin", headers=JSON).json["form"]["csrf"]
    fields = {"email": "alice", "password": PASSWORD, "next": target}
    url = f"/account/signin?{urlencode({'next': target})}"
    yield app.post_json(url, fields, headers={"X-CSRFToken": token}).json["next"]


def _register(app: TestApp, target: str) -> Iterator[str]:
    page = app.get(f"/account/register?{urlencode({'next': target})}", headers=PAGE)
    yield page.form.action
    name = f"new{TARGETS.index(target) if target in TARGETS else 'comer'}"
    fields = {"fullname": "New Comer", "name": name, "email_addr": f"{name}@example.org"}
    for field, value in {**fields, "password": PASSWORD, "confirm": PASSWORD}.items():
        page.form[field] = value
    yield page.form.submit(status=303).headers["Location"]


def _newsletter(app: TestApp, target: str) -> Iterator[str]:
    list(_sign_in(app, "/"))
    query = urlencode({"next": target})
    page = app.get(f"/account/newsletter?{query}", headers=PAGE)
    yield page.form.action
    yield page.form.submit("subscribe", status=303).headers["Location"]
    for subscribe in ("true", "false", ""):
        answer = app.get(f"/account/newsletter?{query}&subscribe={subscribe}", headers=JSON)
        yield answer.json["next"]


def _sign_out(app: TestApp, target: str) -> Iterator[str]:
    for name in ("next", "redirect_url"):
        query = urlencode({name: target})
        yield app.get(f"/account/signout?{query}", headers=JSON).json["next"]
        yield app.get(f"/account/signout?{query}", headers=PAGE, status=303).headers["Location"]


def _start_login(app: TestApp, target: str) -> Iterator[str]:
    """And on from there: the target is handed to the page for signing in."""
    answer = app.get(f"/api/v5/accounts/login/start/?{urlencode({'to': target})}", status=302)
    location = answer.headers["Location"]
    yield location
    yield app.get(location, headers=JSON).json["next"] or "/"


def _login_session(app: TestApp, target: str) -> Iterator[str]:
    for place in ("query", "form"):
        token = app.get("/csrf/api/v1/token").json["csrfToken"]
        fields = {"email_or_username": "alice", "password": PASSWORD}
        asked = {"next": target}
        url = LOGIN_SESSION + (f"?{urlencode(asked)}" if place == "query" else "")
        sent = fields if place == "query" else {**fields, **asked}
        yield app.post(url, sent, headers={"X-CSRFToken": token}).json["redirect_url"] or "/"


LOGIN_SESSION = "/api/user/v1/account/login_session/"
DOORS: tuple[Door, ...] = (
    _sign_in,
    _sign_in_by_json,
    _register,
    _newsletter,
    _sign_out,
    _start_login,
    _login_session,
)


@pytest.mark.parametrize("door", DOORS)
def test_s28_every_door_leads_to_this_site(wsgi: Any, alice: Person, door: Door) -> None:
    leads = [*door(TestApp(wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1"}), GOOD)]
    assert any(GOOD in lead or urlencode({"next": GOOD}) in lead for lead in leads), leads
    for target in TARGETS:
        app = TestApp(wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1"})
        for lead in door(app, target):
            assert lead.startswith("/"), (target, lead)
            assert lead.isascii(), (target, lead)
            assert origin_of(lead, SITE_URL) == SITE_URL, (target, lead)
