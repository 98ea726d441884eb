"""Paths, methods and headers."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.testing.credentials import Holder
from accountsapp.testing.people import SITE_URL
from tests.support.amo import BASE, Amo

METHODS = {
    "/account/1": "DELETE, GET, HEAD, OPTIONS, PATCH",
    "/account/1/picture": "DELETE, OPTIONS",
    "/account/1/notifications": "GET, HEAD, OPTIONS, POST",
    "/profile": "GET, HEAD, OPTIONS",
    "/unsubscribe": "OPTIONS, POST",
    "/super-create": "OPTIONS, POST",
    "/session": "DELETE, OPTIONS",
    "/login/start": "GET, HEAD, OPTIONS",
}


def test_methods_and_both_forms_of_a_path(amo: Amo, user: Holder) -> None:
    for path, allowed in METHODS.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - set(allowed.split(", ")):
            first, second = (amo(method, path + end) for end in ("", "/"))
            assert (first.status_int, first.headers["Allow"]) == (405, allowed)
            assert first.json.keys() == {"detail"}
            assert (second.status_int, second.headers["Allow"], second.body) == (405, allowed, first.body)
        assert amo("OPTIONS", path).headers["Allow"] == allowed
    for path in ("", "/nothing", "/account", "/account/1/nothing", "/profile/1", "/login", "/account//1"):
        assert amo("GET", path, user).status_int == 404, path


def test_head_is_get_without_a_body(amo: Amo, user: Holder) -> None:
    for path in ("/profile/", "/account/user", "/account/user/notifications/"):
        got, head = amo("GET", path, user), amo("HEAD", path, user)
        assert (head.status_int, head.body) == (200, b"")
        assert head.headers["Content-Length"] == got.headers["Content-Length"]
        assert head.headers["Content-Type"] == "application/json"


def test_cors(make_app: Callable[..., Any]) -> None:
    ours = "https://front.example"
    amo = Amo(TestApp(make_app(**{"accountsapp.cors_origins": ours})))
    for method, path in (("GET", "/profile/"), ("GET", "/account/1/"), ("GET", "/nothing")):
        answer = amo(method, path, headers={"Origin": ours})
        assert answer.headers["Access-Control-Allow-Origin"] == ours
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]
        other = amo(method, path, headers={"Origin": "https://evil.example"})
        assert not [name for name in other.headers if name.startswith("Access-Control")]
    asks = {
        "Origin": ours,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,x-further",
    }
    for path in METHODS:
        preflight = amo("OPTIONS", path, headers=asks)
        assert preflight.status_int in (200, 204)
        assert preflight.headers["Access-Control-Allow-Methods"] == METHODS[path]
        headers = preflight.headers["Access-Control-Allow-Headers"].lower().split(", ")
        assert {"authorization", "content-type", "x-country-code", "x-further"} <= set(headers)


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("/en-US/firefox/?x=1", "?next=%2Fen-US%2Ffirefox%2F%3Fx%3D1"),
        (f"{SITE_URL}/a", "?next=%2Fa"),
        ("//evil.example", ""),
        ("https://evil.example/", ""),
        ("/\\evil", ""),
        (None, ""),
    ],
)
def test_login_start_leads_to_the_sign_in_page(to: str | None, location: str, app: TestApp) -> None:
    values = {"config": "default", **({"to": to} if to is not None else {})}
    answer = app.get(f"{BASE}/login/start/", values)
    assert answer.status_int == 302
    path, _, query = answer.headers["Location"].partition("?")
    assert path.startswith("/")
    assert (f"?{query}" if query else "") == location
    assert b'name="password"' in app.get(path).body


def test_it_is_not_there_where_it_is_not_mounted(make_app: Callable[..., Any]) -> None:
    app = TestApp(make_app(**{"accountsapp.apis": "bookie"}))
    for path in (f"{BASE}/profile/", f"{BASE}/account/1/", "/users/unsubscribe/a/b/new_review/"):
        assert app.get(path, expect_errors=True).status_int == 404
