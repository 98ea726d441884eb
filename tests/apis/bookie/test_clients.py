"""Bookie part 3: what existing clients send for the five calls, replayed byte for byte."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from webtest import TestApp, TestResponse

from accountsapp.testing.people import PASSWORD, Person

NEW_PASSWORD = "another good one"


class JsClient:
    """``api.js`` of the web UI and the Chrome extension: data in the query of GET, in JSON on POST."""

    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-Requested-With": "XMLHttpRequest",
        "Origin": "chrome-extension://abcdefghijklmnop",
    }

    def __init__(self, app: TestApp, username: str, api_key: str) -> None:
        self.app = app
        self.username = username
        self.api_key = api_key

    def get(self, path: str, **fields: str) -> Any:
        data = {"api_key": self.api_key, "username": self.username, **fields}
        query = "&".join(f"{name}={quote(value)}" for name, value in data.items())
        return self.outcome(self.send("GET", f"{path}?{query}"))

    def post(self, path: str, **fields: str) -> Any:
        data = {"api_key": self.api_key, "username": self.username, **fields}
        self.preflight(path)
        return self.outcome(self.send("POST", path, json.dumps(data).encode()))

    def send(self, method: str, path: str, body: bytes = b"") -> TestResponse:
        url = f"/api/v1/{quote(self.username)}{path}"
        return self.app.request(url, method=method, headers=self.headers, body=body, expect_errors=True)

    def preflight(self, path: str) -> None:
        """What the browser asks before it lets the script post JSON to another origin."""
        asked = {
            "Origin": self.headers["Origin"],
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-requested-with",
        }
        answer = self.app.options(f"/api/v1/{quote(self.username)}{path}", headers=asked)
        names = answer.headers["Access-Control-Allow-Headers"].lower()
        assert "content-type" in names
        assert "x-requested-with" in names
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", self.headers["Origin"])

    @staticmethod
    def outcome(answer: TestResponse) -> tuple[str, Any]:
        """Which callback is called, with what."""
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return ("success" if 200 <= answer.status_int < 300 else "error"), json.loads(answer.body)


def test_the_account_page(app: TestApp, register: Callable[..., Person]) -> None:
    for number, username in enumerate(("alice", "Jürgen", "who@example.com", "a+b")):
        email = f"mail{number}@example.com"
        person = register(username, email)
        client = JsClient(app, username, person.api_key)

        called, body = client.post("/account", name="Somebody", email=email)
        assert (called, body["username"], body["name"]) == ("success", username, "Somebody")

        assert client.get("/api_key") == ("success", {"username": username, "api_key": person.api_key})

        called, body = client.post("/api_key")
        assert called == "success"
        assert body["message"].startswith("API key was")
        client.api_key = body["api_key"]

        passwords = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        called, body = client.post("/password", **passwords)
        assert (called, body["message"]) == ("success", "done")


def test_what_the_account_page_shows_on_failure(app: TestApp, alice: Person) -> None:
    client = JsClient(app, "alice", alice.api_key)
    outcomes = [
        client.post("/password", current_password="wrong", new_password=NEW_PASSWORD),
        client.post("/password", current_password=PASSWORD, new_password="ab"),
        client.post("/account", name="Somebody", email="x"),
    ]
    client.api_key = "wrong"
    outcomes += [client.post("/api_key"), client.get("/api_key")]
    assert [called for called, _ in outcomes] == ["error"] * 5
    assert [body["error"] for _, body in outcomes] == [
        "There was a typo somewhere. Please check your request",
        "A password needs at least 8 characters",
        "Invalid email address.",
        "Not authorized for request.",
        "Not authorized for request.",
    ]


def test_a_base_url_with_a_final_slash_is_unknown(app: TestApp, alice: Person) -> None:
    """As on the real server: the JavaScript client then makes ``//``."""
    answer = app.get(f"/api/v1//alice/account?api_key={alice.api_key}", expect_errors=True)
    assert (answer.status_int, answer.json) == (404, {"error": "Not found."})


def test_ping(app: TestApp, alice: Person) -> None:
    good = JsClient(app, "alice", alice.api_key).get("/ping")
    bad = JsClient(app, "alice", "wrong").get("/ping")
    assert good == ("success", {"success": True, "message": "Looks good"})
    assert (bad[0], bad[1]["message"]) == ("error", "API key is invalid.")


def test_the_firefox_extension(app: TestApp, alice: Person) -> None:
    """Form content type without a body; a failure is no 200, no JSON, or ``error``."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    got = []
    for key in (alice.api_key, "wrong"):
        answer = app.get(f"/api/v1/alice/ping?api_key={key}", headers=headers, expect_errors=True)
        failed = answer.status_int != 200 or "error" in answer.json
        got.append((failed, answer.json["message"]))
    assert got == [(False, "Looks good"), (True, "API key is invalid.")]


def test_the_python_client(app: TestApp, alice: Person) -> None:
    """The key in the query, unescaped; ``requests`` sends no content type."""
    headers = {"Accept": "*/*", "User-Agent": "python-requests/2.31.0"}
    answer = app.get(f"/api/v1/alice/ping?api_key={alice.api_key}", headers=headers)
    assert answer.json["success"] is True


def test_the_requirements_own_examples(app: TestApp, register: Callable[..., Person]) -> None:
    """``requests`` with the key in the query; parameters posted as a form."""
    register("admin", "testing@dummy.com", api_key="12345")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    key = "api_key=12345"

    account = app.get(f"/api/v1/admin/account?{key}")
    assert account.json.keys() == {"username", "name", "signup", "activated", "last_login", "email"}
    # requests.post(url) without data: no body, no content type
    unchanged = app.request(f"/api/v1/admin/account?{key}", method="POST")
    assert unchanged.json == account.json
    changed = app.request(f"/api/v1/admin/account?{key}", method="POST", headers=form, body=b"name=New+Name")
    assert changed.json == account.json | {"name": "New Name"}
    assert app.get(f"/api/v1/admin/api_key?{key}").json == {"username": "admin", "api_key": "12345"}
    password = app.request(
        f"/api/v1/admin/password?{key}",
        method="POST",
        headers=form,
        body=f"current_password={quote(PASSWORD)}&new_password={quote(NEW_PASSWORD)}".encode(),
    )
    assert password.json == {"username": "admin", "api_key": "12345", "message": "done"}
    reset = app.request(
        "/api/v1/admin/reset_api_key", method="POST", headers=form, body=f"{key}&username=admin".encode()
    )
    assert reset.json["message"].startswith("API key was")
    example = app.request(f"/api/v1/admin/api_key?api_key={reset.json['api_key']}", method="POST")
    assert example.json.keys() == {"api_key", "message"}


def test_a_page_by_script(app: TestApp, alice: Person) -> None:
    """jQuery's ``dataType: "jsonp"``: a callback of its own and a cache buster."""
    url = "/api/v1/alice/account?callback=jQuery1102_1355&api_key={}&_=1355000000000"
    headers = {"Accept": "*/*", "Sec-Fetch-Dest": "script", "Sec-Fetch-Mode": "no-cors"}
    answer = app.get(url.format(alice.api_key), headers=headers)
    body = answer.text.removeprefix("/**/jQuery1102_1355(").removesuffix(");")
    assert json.loads(body)["username"] == "alice"
    assert answer.headers.get("Cross-Origin-Resource-Policy") in (None, "cross-origin")
    refused = app.get(url.format("wrong"), headers=headers, expect_errors=True)
    assert refused.status_int == 403
