"""Refusals as pages: in words, with the status and headers that they have anyway, and with a way on."""

from typing import Any

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.credentials import hold
from accountsapp.testing.people import PASSWORD, SITE_URL, Person

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
AS_PAGES = (BROWSER["Accept"], "text/html", "TEXT/HTML", "application/json;q=0.5, text/html")
AS_JSON = (
    "*/*",
    "",
    "application/json",
    "text/html;q=0.1, application/json",
    "text/html;q=0",
    "text/*",
    "\0",
)


def has_a_way_on(answer: Any) -> bool:
    return bool(answer.html.select("main a.button[href], main form"))


def test_where_no_api_rules_a_browser_gets_a_page(app: TestApp) -> None:
    refused = {
        ("GET", "/nowhere"): 404,
        ("GET", "/.well-known/nothing"): 404,
        ("GET", "/.well-known/security.txt"): 404,
        ("GET", "/static/nothing.css"): 404,
        ("POST", "/"): 405,
        ("DELETE", "/healthz"): 405,
        ("GET", "/%ff"): 404,
        ("GET", "/a//b"): 404,
    }
    for (method, path), status in refused.items():
        for accept in AS_PAGES:
            answer = app.request(path, method=method, headers={"Accept": accept}, expect_errors=True)
            assert (answer.status_int, answer.content_type) == (status, "text/html"), (path, accept)
            assert len(answer.html.select("main")) == len(answer.html.select("h1")) == 1
            assert has_a_way_on(answer)
            assert ("Allow" in answer.headers) is (status == 405)
            assert "Set-Cookie" not in answer.headers
        for accept in AS_JSON if not path.startswith("/static") else ():
            answer = app.request(path, method=method, headers={"Accept": accept}, expect_errors=True)
            assert (answer.status_int, answer.content_type) == (status, "application/json"), (path, accept)


def test_an_api_keeps_its_own_format(app: TestApp) -> None:
    for path in ("/api/v1/nobody/account", "/api/v1/nowhere/x/y", "/api/v1.1/users/nobody"):
        answer = app.get(path, headers=BROWSER, expect_errors=True)
        assert answer.status_int >= 400
        assert answer.content_type == "application/json"


def test_too_many_attempts_say_how_long_to_wait(throttled: TestApp, register: Any) -> None:
    register("carol")
    for _ in range(25):
        form = throttled.get("/sessions").form
        form["username"], form["password"] = "carol", "wrong"
        answer = form.submit(expect_errors=True)
        if answer.status_int == 429:
            break
    assert answer.status_int == 429
    minutes = -(-int(answer.headers["Retry-After"]) // 60)
    assert (f"{minutes} minutes" if minutes > 1 else "a minute") in answer.text
    assert has_a_way_on(answer)


def test_a_database_that_is_away_is_a_page(app: TestApp, alice: Person, monkeypatch: Any) -> None:
    """Also for who has a session, which cannot be looked at then."""
    holder = hold(app.app.registry.process, alice)
    database = app.app.registry.database

    def fail(*_: object) -> None:
        from accountsapp.domain.errors import Busy

        raise Busy

    monkeypatch.setattr(type(database.read_connections), "take", fail)
    headers = {"Cookie": f"sessionid={holder.cookie}", **BROWSER}
    home = app.get("/", headers=headers)
    assert "alice" not in home.text
    busy = app.get("/sessions", headers=headers, status=503)
    assert busy.headers["Retry-After"]
    assert has_a_way_on(busy)


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:6543"], ids=["cookie gone", "another name"])
def test_a_form_that_is_not_taken_comes_back(app: TestApp, alice: Person, origin: str | None) -> None:
    """What was typed is kept, the password is not; sent again it works."""
    form = app.get("/sessions").form
    form["username"], form["password"] = "alice", PASSWORD
    headers = {"Origin": origin} if origin else {}
    if origin is None:
        app.reset()
    again = form.submit(status=400, headers=headers)
    assert "CSRF" not in again.text
    problem = again.html.find(role="alert").text
    assert ("cookie" in problem) is (origin is None)
    if origin is not None:
        assert SITE_URL in problem
        assert again.html.find("a", href=f"{SITE_URL}/sessions")
    assert again.form["username"].value == "alice"
    assert again.form["password"].value == ""
    again.form["password"] = PASSWORD
    assert again.form.submit(status=303).location == "/sessions/"


def test_a_form_of_a_signed_in_person_that_is_not_taken_leads_back(
    app: TestApp, stores: Process, alice: Person
) -> None:
    holder = hold(stores, alice)
    headers = {"Cookie": f"sessionid={holder.cookie}"}
    for token, origin in (("wrong", None), (holder.csrf_token, "https://evil.example")):
        sent = {**headers, "Origin": origin} if origin else headers
        refused = app.post(
            "/sessions?a=<b>", {"csrf_token": token, "session": "others"}, headers=sent, status=400
        )
        assert "CSRF" not in refused.text
        assert refused.html.find(id="stale-form")
        again = refused.html.select_one("main a.button")["href"]
        assert again == ("" if origin is None else f"{SITE_URL}/sessions?a=<b>")
    assert app.get("/sessions", headers=headers).status_int == 200
