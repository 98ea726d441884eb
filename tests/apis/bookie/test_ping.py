"""Bookie 2.1: ping, as the browser extensions call it."""

from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.bookie import Bookie

GOOD = {"success": True, "message": "Looks good"}
BAD = {"success": False, "message": "API key is invalid.", "error": "Not authorized for request."}
NAMELESS = {"success": False, "message": "Missing username in your api url."}
STRAY = {"success": False, "message": "The API url should be /api/v1"}


@pytest.mark.parametrize("slash", ["", "/"])
def test_ping(bookie: Bookie, alice: Person, bob: Person, admin: Person, slash: str) -> None:
    def ping(name: str, **query: Any) -> tuple[int, Any]:
        answer = bookie("GET", f"/{name}/ping{slash}", query=query)
        return answer.status_int, answer.json

    assert ping("alice", api_key=alice.api_key) == (200, GOOD)
    assert ping("ALICE", api_key=alice.api_key, username="Alice") == (200, GOOD)
    for name, query in (
        ("alice", {}),
        ("alice", {"api_key": ""}),
        ("alice", {"api_key": "wrong"}),
        ("alice", {"api_key": bob.api_key}),
        ("alice", {"api_key": admin.api_key}),
        ("nobody", {"api_key": alice.api_key}),
        ("alice", {"api_key": alice.api_key, "username": "bob"}),
    ):
        assert ping(name, **query) == (403, BAD), (name, query)


def test_the_key_of_a_deactivated_account(bookie: Bookie, alice: Person, stores: Process) -> None:
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    answer = bookie("GET", "/alice/ping", query={"api_key": alice.api_key})
    assert (answer.status_int, answer.json) == (403, {**BAD, "error": "Deactivated account."})


@pytest.mark.parametrize("slash", ["", "/"])
def test_ping_without_a_name_looks_at_no_key(bookie: Bookie, app: TestApp, alice: Person, slash: str) -> None:
    for query in ("", f"api_key={alice.api_key}", "api_key=wrong", "api_key=a&api_key=b"):
        answer = bookie("GET", f"/ping{slash}", query=query)
        assert (answer.status_int, answer.json) == (200, NAMELESS)
        stray = app.get(f"/ping{slash}?{query}")
        assert (stray.status_int, stray.json) == (200, STRAY)


def test_methods(bookie: Bookie, app: TestApp, alice: Person) -> None:
    for path in ("/api/v1/alice/ping", "/api/v1/nobody/ping/", "/api/v1/ping", "/ping", "/ping/"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = app.request(path, method=method, expect_errors=True)
            assert (answer.status_int, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS"), path
            assert list(answer.json) == ["error"]
        answer = app.request(path, method="OPTIONS")
        assert (answer.status_int, answer.body) == (204, b"")
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    for path, status in (
        (f"/api/v1/alice/ping?api_key={alice.api_key}", 200),
        ("/api/v1/alice/ping", 403),
        ("/ping", 200),
    ):
        answer = app.request(path, method="HEAD", expect_errors=True)
        assert (answer.status_int, answer.body) == (status, b"")


def test_paths_that_are_none(app: TestApp, alice: Person) -> None:
    for path in (
        "/ping/x",
        "/PING",
        "/api/ping",
        "/api/v1/PING",
        "/api/v1/alice/Ping",
        "/api/v1/alice/ping/x",
        "/api/v1/alice/ping//",
        "/api/v1/alice/ping.json",
    ):
        answer = app.get(f"{path}?api_key={alice.api_key}", expect_errors=True)
        assert (answer.status_int, answer.json) == (404, {"error": "Not found."}), path


def test_jsonp_and_headers(bookie: Bookie, app: TestApp, alice: Person) -> None:
    good = bookie("GET", "/alice/ping", query={"api_key": alice.api_key, "callback": "f"})
    assert good.text == '/**/f({"success": true, "message": "Looks good"});'
    bad = bookie("GET", "/alice/ping", query={"callback": "a.b[0]"})
    assert bad.status_int == 403
    assert bad.text.startswith('/**/a.b[0]({"success": false')
    assert app.get("/ping?callback=f").text.startswith("/**/f(")
    for path in ("/ping", "/api/v1/ping"):
        answer = app.get(f"{path}?callback=f(", expect_errors=True)
        assert (answer.status_int, answer.json) == (400, {"error": "Invalid callback."})
    for answer in (good, bad, app.get("/ping"), app.get("/api/v1/ping")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers


def test_as_the_firefox_extension_asks(bookie: Bookie, alice: Person) -> None:
    answer = bookie(
        "GET",
        "/alice/ping",
        query=f"api_key={alice.api_key}",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_int == 200
    assert "error" not in answer.json
