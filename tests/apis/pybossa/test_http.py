"""What holds of every URL of the account pages (contract 1, 3, 4, 6, 7, 16)."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.apis.pybossa.presenters import age
from accountsapp.domain.clock import now
from accountsapp.testing.people import PASSWORD, Person
from tests.support.front_end import JSON, Browser, FrontEnd

ORIGIN = "https://front.example.org"
Make = Callable[..., Any]
PART = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nalice\r\n--x--\r\n'


def test_who_gets_json(app: TestApp) -> None:
    for headers, query, wants_json in (
        ({"Content-Type": "application/json"}, "", True),
        ({"Content-Type": "application/json; charset=utf-8"}, "", True),
        ({"Content-Type": "APPLICATION/JSON"}, "", True),
        ({"Content-Type": "text/plain"}, "", False),
        ({}, "?response_format=json", True),
        ({}, "?response_format=JSON", False),
        ({"Accept": "application/json"}, "", True),
        ({"Accept": "application/json, text/plain, */*"}, "", True),
        ({"Accept": "application/json, text/html"}, "", True),
        ({"Accept": "text/html, application/json"}, "", False),
        ({"Accept": "text/html;q=0.5, application/json"}, "", True),
        ({"Accept": "application/json;q=0.5, */*"}, "", False),
        ({"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, "", False),
        ({"Accept": "*/*"}, "", False),
        ({"Accept": "application/*"}, "", False),
        ({"Accept": "§;;q=,,"}, "", False),
        ({}, "", False),
    ):
        answer = app.get(f"/account/signin{query}", headers=headers)
        expected = "application/json" if wants_json else "text/html"
        assert answer.content_type == expected, (headers, query)
        assert answer.charset in (None, "utf-8", "UTF-8")
        named = {name.strip() for vary in answer.headers.getall("Vary") for name in vary.split(",")}
        assert {"Accept", "Content-Type", "Cookie"} <= named
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if not wants_json:
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.text.lstrip().startswith("<!DOCTYPE html>")


def test_bodies(front_end: FrontEnd, alice: Person) -> None:
    front_end.get("/account/signin")
    app, token = front_end.app, {"X-CSRFToken": front_end.token}
    path = "/account/signin?response_format=json"

    def post(body: bytes, content_type: str) -> Any:
        return app.post(path, body, headers={**token, "Content-Type": content_type}, expect_errors=True)

    for body, content_type, status in (
        (b'{"email": "alice"}', "application/json", 200),
        (b"email=alice", "application/x-www-form-urlencoded", 200),
        (PART, "multipart/form-data; boundary=x", 200),
        (b"", "application/json", 200),
        (b"", "text/plain", 200),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"email": "\xff"}', "application/json", 400),
        (b"[" * 100_0 + b"]" * 100_0, "application/json", 400),
        (b'{"email": "a", "email": "b"}', "application/json", 400),
        (b"email=%FF", "application/x-www-form-urlencoded", 400),
        (b"--x", "multipart/form-data; boundary=x", 400),
        (b"email=alice", "text/plain", 415),
        (b"<a/>", "application/xml", 415),
        (b"a=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
    ):
        answer = post(body, content_type)
        assert answer.status_int == status, (body[:40], content_type)
        if status == 200:
            assert answer.json["form"]["email"] == ("alice" if body else None)
        else:
            assert answer.json.keys() == {"code", "description", "template"}
            assert (answer.json["code"], answer.json["template"]) == (status, f"{status}.html")
            assert answer.json["description"]
    sent = {"email": "alice", "password": PASSWORD, "errors": {}, "id": 7, "csrf": "x", "unknown": [1]}
    assert app.post_json(path, sent, headers=token).json["status"] == "success"


def test_csrf(wsgi: Any, alice: Person, bob: Person) -> None:
    front_end, other = FrontEnd(wsgi), FrontEnd(wsgi)
    front_end.sign_in(alice)
    other.sign_in(bob)
    path = "/account/alice/update"
    app, good = front_end.app, front_end.token
    body = {"btn": "External", "ckan_api": "k"}
    for fields, headers in (
        (body, {}),
        ({**body, "csrf": good, "csrf_token": good}, {}),
        (body, {"X-CSRFToken": ""}),
        (body, {"X-CSRFToken": "wrong"}),
        (body, {"X-CSRFToken": "§"}),
        (body, {"X-CSRFToken": other.token}),
        (body, {"X-CSRFToken": good, "Origin": "https://evil.example"}),
        (body, {"X-CSRFToken": good, "Origin": "null"}),
    ):
        answer = app.post_json(path, fields, headers=headers, expect_errors=True)
        assert (answer.status_int, answer.json["code"]) == (400, 400), headers
        assert "CSRF validation failed" in answer.json["description"]
        page = app.post(path, {**body, "csrf_token": "wrong"}, expect_errors=True)
        assert (page.status_int, page.content_type) == (400, "text/html")
    assert front_end.get(path)["form"]["ckan_api"] is None
    for number, (fields, headers) in enumerate(
        [({"csrf_token": good}, {}), ({}, {"X-CSRFToken": good}), ({}, {"X-CSRFToken": good, "Origin": ""})][
            :2
        ]
    ):
        app.post(path, {**body, **fields, "ckan_api": f"k{number}"}, headers=headers, status=303)
        assert front_end.get(path)["form"]["ckan_api"] == f"k{number}"
    visitor = FrontEnd(wsgi)
    for path in ("/account/signin", "/account/register", "/account/signout", "/account/forgot-password"):
        assert visitor.app.post_json(path, {}, status=400).json["code"] == 400


def test_keys_and_tokens_are_ignored(app: TestApp, alice: Person) -> None:
    for headers, query in (
        ({}, f"?api_key={alice.api_key}"),
        ({"X-Api-Key": alice.api_key}, ""),
        ({"Authorization": alice.api_key}, ""),
        ({"Authorization": f"Bearer {alice.api_key}"}, ""),
    ):
        answer = app.get(f"/account/alice/update{query}", headers={**JSON, **headers}, status=401)
        assert answer.json.keys() == {"code", "description", "template", "next", "status"}
        assert (answer.json["next"], answer.json["status"]) == ("/account/signin", "not_signed_in")


def test_paths(front_end: FrontEnd, browser: Browser, alice: Person) -> None:
    front_end.sign_in(alice)
    browser.sign_in(alice)
    for path in (
        "/account/signin/x",
        "/account/page",
        "/account/page/0",
        "/account/page/-1",
        "/account/page/1/x",
        "/account/page/x",
        "/account/page/2",
        "/account/page/" + "9" * 400,
        "/account/page/%C2%B2",
        "/account/alice/nothing",
        "/account/alice/update/x",
        "/account/alice/@@update",
        "/account/@@signin",
        "/account//signin",
        "/account/signin//",
        "/account/nobody/update",
        "/account/%00/update",
        "/account/a%00b",
        "/account/" + "x" * 3000,
        "/account/~alice",
        "/account/~signin",
        "/account/Signin",
    ):
        for client in (front_end.app, browser.app):
            headers = JSON if client is front_end.app else {}
            answer = client.get(path, headers=headers, expect_errors=True)
            assert answer.status_int in (400, 404), path
            if headers:
                assert answer.json["code"] == answer.status_int
            else:
                assert answer.html.h1.text
                assert answer.html.find("a", href="/")
    front_end.get("/account/ALICE/update/")


def test_methods(front_end: FrontEnd, alice: Person) -> None:
    front_end.sign_in(alice)
    headers = {**JSON, "X-CSRFToken": front_end.token}
    for path, allowed in (
        ("/account/signin", "GET, HEAD, OPTIONS, POST"),
        ("/account/alice/update", "GET, HEAD, OPTIONS, POST"),
        ("/account/alice/delete", "DELETE, GET, HEAD, OPTIONS, POST"),
    ):
        answer = front_end.app.request(path, method="PATCH", headers=headers, expect_errors=True)
        assert (answer.status_int, answer.json["code"]) == (405, 405)
        assert answer.headers["Allow"] == allowed
    head = front_end.app.head("/account/alice/update", headers=JSON)
    assert (head.status_int, head.body) == (200, b"")


def test_reserved_names(
    front_end: FrontEnd, wsgi: Any, register: Callable[..., Person], browser: Browser
) -> None:
    person = register("SignIn")
    front_end.post("/account/signin", email="signin", password=PASSWORD)
    path = "/account/~SignIn/update"
    front_end.get("/account/~signin/update")
    answer = front_end.send(path, btn="External", ckan_api="k")
    assert answer["next"] == path
    assert front_end.get("/account/signin") == {"next": "/"}
    front_end.get("/account/confirm-email")
    assert front_end.get("/account/confirm-email")["next"] == "/account/~SignIn/"
    browser.fill("/account/signin", email=person.email, password=PASSWORD)
    links = {link["href"] for link in browser.get("/").html.find_all("a")}
    assert path in links


def test_cors(make_app: Make) -> None:
    app = TestApp(make_app(**{"accountsapp.cors_origins": ORIGIN}))
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-csrftoken, x-new",
    }
    answer = app.options("/account/signin", headers={"Origin": ORIGIN, **asked}, status=204)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert {"GET", "POST"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert {"content-type", "x-csrftoken", "x-new"} <= {name.strip() for name in allowed.split(",")}
    for path, status in (("/account/signin", 200), ("/account/nobody/update", 401), ("/account/x/y", 404)):
        answer = app.get(path, headers={**JSON, "Origin": ORIGIN}, status=status)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
        assert "Origin" in answer.headers.getall("Vary")
        for origin in ("https://evil.example", "null", f"{ORIGIN}.evil.example"):
            other = app.get(path, headers={**JSON, "Origin": origin}, status=status)
            assert "Access-Control-Allow-Origin" not in other.headers


def test_wrong_passwords_are_limited(make_app: Make, alice: Person) -> None:
    front_end = FrontEnd(make_app(**{"accountsapp.rate_limit": "true"}))
    front_end.get("/account/signin")
    headers = {"X-CSRFToken": front_end.token}
    statuses = []
    for password in ["wrong one"] * 20 + [PASSWORD]:
        sent = {"email": "alice", "password": password}
        answer = front_end.app.post_json("/account/signin", sent, headers=headers, expect_errors=True)
        statuses.append(answer.status_int)
    assert statuses[:5] == [200] * 5
    assert statuses[-1] == 429
    assert int(answer.headers["Retry-After"]) > 0
    page = front_end.app.post(
        "/account/signin", {"email": "alice", "password": PASSWORD}, headers=headers, expect_errors=True
    )
    assert (page.status_int, page.content_type) == (429, "text/html")


def test_faults_of_ours(front_end: FrontEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("accountsapp.apis.pybossa.visitor_views.sign_in_form", fail)
    answer = front_end.get("/account/signin", status=500)
    assert (answer["code"], answer["template"]) == (500, "500.html")
    assert "secret" not in json.dumps(answer)


def test_logs_have_no_keys(app: TestApp, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        app.get("/account/reset-password?key=a-very-secret-key", status=403)
        app.get("/account/register/confirmation?key=a-very-secret-key", status=403)
    assert "a-very-secret-key" not in caplog.text


def test_the_age_of_an_account() -> None:
    moment = now()
    for passed, words in (
        (timedelta(seconds=-5), ""),
        (timedelta(seconds=9), "just now"),
        (timedelta(seconds=10), "10 seconds ago"),
        (timedelta(seconds=60), "a minute ago"),
        (timedelta(seconds=120), "2 minutes ago"),
        (timedelta(seconds=3600), "an hour ago"),
        (timedelta(seconds=7200), "2 hours ago"),
        (timedelta(days=1), "Yesterday"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "1 week ago"),
        (timedelta(days=13), "1 week ago"),
        (timedelta(days=30), "4 weeks ago"),
        (timedelta(days=31), "1 month ago"),
        (timedelta(days=59), "1 month ago"),
        (timedelta(days=60), "2 months ago"),
        (timedelta(days=364), "12 months ago"),
        (timedelta(days=365), "1 year ago"),
        (timedelta(days=729), "1 year ago"),
        (timedelta(days=730), "2 years ago"),
    ):
        assert age(moment - passed, moment) == words
