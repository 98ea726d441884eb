"""Bookie 1.5: the headers of every answer, OPTIONS, the form of errors, JSONP."""

import json
import re
import string
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp, TestResponse

from accountsapp.domain.credentials import api_keys
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie

SAID_BY_ALL = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": "*",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": None,
    "Access-Control-Allow-Credentials": None,
    "Set-Cookie": None,
    "Location": None,
}
JSON_TYPES = ("application/json", "application/json; charset=utf-8")
JAVASCRIPT = "application/javascript; charset=utf-8"

ANSWERS: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    # status, method, path, arguments; KEY stands for the good key
    "read": (200, "GET", "/alice/account", {"query": "KEY"}),
    "update": (200, "POST", "/alice/account", {"query": "KEY&name=Other"}),
    "update with JSON": (200, "POST", "/alice/account", {"query": "KEY", "json": {"name": "Other"}}),
    "key": (200, "GET", "/alice/api_key", {"query": "KEY"}),
    "no key": (403, "GET", "/alice/account", {}),
    "unknown account": (403, "POST", "/nobody/account", {"query": "KEY"}),
    "unknown call": (404, "GET", "/alice/unknown", {"query": "KEY"}),
    "no call": (404, "GET", "/alice", {"query": "KEY"}),
    "nothing": (404, "GET", "", {"query": "KEY"}),
    "alias": (404, "GET", "/alice//account", {"query": "KEY"}),
    "undecodable path": (404, "GET", "/%ff/account", {"query": "KEY"}),
    "other method": (405, "DELETE", "/alice/account", {"query": "KEY"}),
    "bad JSON": (
        400,
        "POST",
        "/alice/account",
        {"query": "KEY", "body": b"{", "content_type": "application/json"},
    ),
    "large body": (413, "POST", "/alice/account", {"query": "KEY", "body": b"x" * (1024 * 1024 + 1)}),
    "other type": (
        415,
        "POST",
        "/alice/account",
        {"query": "KEY", "body": b"x", "content_type": "text/plain"},
    ),
    "bad value": (406, "POST", "/alice/account", {"query": "KEY&email=x"}),
    "weak password": (406, "POST", "/alice/password", {"query": "KEY", "form": {"new_password": "x"}}),
    "wrong password": (
        403,
        "POST",
        "/alice/password",
        {"query": "KEY", "form": {"current_password": "x", "new_password": "another good one"}},
    ),
}


def ask(bookie: Bookie, person: Person, case: str, callback: str | None = None, **more: Any) -> TestResponse:
    _, method, path, arguments = ANSWERS[case]
    query = arguments.get("query", "").replace("KEY", f"api_key={person.api_key}")
    if callback is not None:
        query += f"&callback={callback}"
    return bookie(method, path, **{**arguments, "query": query, **more})


def said(headers: Mapping[str, str]) -> dict[str, str | None]:
    return {name: headers.get(name) for name in SAID_BY_ALL}


def unwrapped(answer: TestResponse, callback: str) -> Any:
    text = answer.body.decode("ascii")
    start, end = f"/**/{callback}(", ");"
    assert text.startswith(start)
    assert text.endswith(end)
    return json.loads(text[len(start) : -len(end)])


def test_headers_of_every_answer(bookie: Bookie, alice: Person) -> None:
    for case, (status, *_) in ANSWERS.items():
        answer = ask(bookie, alice, case)
        assert (case, answer.status_int) == (case, status)
        assert answer.headers["Content-Type"] in JSON_TYPES, case
        assert said(answer.headers) == SAID_BY_ALL, case
        assert allowed_headers(answer) >= {"x-requested-with", "content-type", "x-api-key"}, case
        assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After, X-Request-Id", case
        names = [name for name, _ in answer.headerlist]
        assert len(names) == len(set(names)), case


def allowed_headers(answer: TestResponse) -> set[str]:
    return {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}


def test_headers_of_a_fault_of_ours(bookie: Bookie, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"secret {alice.api_key}")

    monkeypatch.setattr(api_keys, "reveal", fail)
    plain = ask(bookie, alice, "key")
    assert (plain.status_int, said(plain.headers)) == (500, SAID_BY_ALL)
    assert set(plain.json) == {"error"}
    assert b"Traceback" not in plain.body
    assert alice.api_key.encode() not in plain.body
    wrapped = ask(bookie, alice, "key", callback="f")
    assert (wrapped.status_int, unwrapped(wrapped, "f")) == (500, plain.json)


def test_the_origin_changes_nothing(make_app: Callable[..., Any], alice: Person) -> None:
    listed = "https://app.example.org"
    bookie = Bookie(TestApp(make_app(**{"accountsapp.cors_origins": listed})))
    for origin in (listed, "https://evil.example", "null", "chrome-extension://abcdef", "file://", "x"):
        for case in ("read", "no key", "unknown call"):
            answer = ask(bookie, alice, case, headers={"Origin": origin})
            assert said(answer.headers) == SAID_BY_ALL, (origin, case)


OPTIONS = {
    "/account": "GET, HEAD, OPTIONS, POST",
    "/api_key": "DELETE, GET, HEAD, OPTIONS, POST",
    "/reset_api_key": "OPTIONS, POST",
    "/password": "OPTIONS, POST",
    "/account/password": "OPTIONS, POST",
}


def test_options(bookie: Bookie, alice: Person) -> None:
    preflight = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-requested-with",
    }
    answers = {}
    for path, methods in OPTIONS.items():
        for name in ("alice", "nobody", "__parent__"):
            for key in ("", f"api_key={alice.api_key}", "api_key=wrong", "callback=!", "callback=f"):
                for headers in ({}, preflight):
                    for slash in ("", "/"):
                        answer = bookie("OPTIONS", f"/{name}{path}{slash}", query=key, headers=headers)
                        assert answer.status_int == 204
                        assert answer.body == b""
                        assert said(answer.headers) == SAID_BY_ALL
                        assert answer.headers["Allow"] == methods
                        assert answer.headers["Access-Control-Allow-Methods"] == methods
                        assert allowed_headers(answer) >= {"x-requested-with", "content-type"}
                        assert int(answer.headers["Access-Control-Max-Age"]) > 0
                        answers[path, name, key] = answer
    assert len(answers) == len(OPTIONS) * 3 * 5


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/alice",
        "/alice/unknown",
        "/alice/account/x",
        "/a/users/x",
        "/a/b/c/d/e",
        "//account",
        "/./x",
        "/%ff/x",
    ],
)
def test_a_preflight_of_what_there_is_not(bookie: Bookie, alice: Person, path: str) -> None:
    """The page is to see the 404, not a network error."""
    for method in ("GET", "POST", "PUT", "PROPFIND", "patch", "OPTIONS"):
        headers = {"Origin": "https://reader.example", "Access-Control-Request-Method": method}
        answer = bookie("OPTIONS", path, headers=headers)
        assert (answer.status_int, answer.body) == (204, b"")
        assert said(answer.headers) == SAID_BY_ALL
        assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
        assert allowed_headers(answer) >= {"x-requested-with", "content-type", "x-api-key"}
        assert int(answer.headers["Access-Control-Max-Age"]) > 0
        assert bookie("GET", path, headers=headers).status_int == 404
    for headers in (
        {"Origin": "null"},
        {"Access-Control-Request-Method": "GET"},
        {"Origin": "null", "Access-Control-Request-Method": ""},
        {"Origin": "null", "Access-Control-Request-Method": "GET, PUT"},
        {"Origin": "null", "Access-Control-Request-Method": "G" * 21},
        {"Origin": "null", "Access-Control-Request-Method": "GET;x"},
    ):
        answer = bookie("OPTIONS", path, headers=headers)
        assert (answer.status_int, answer.json) == (404, {"error": "Not found."})


def test_a_page_can_read_how_long_to_wait(make_app: Callable[..., Any], alice: Person) -> None:
    bookie = Bookie(TestApp(make_app(**{"accountsapp.rate_limit": "true"})))
    answers = [
        bookie(
            "GET", "/alice/account", query={"api_key": "wrong"}, headers={"Origin": "https://reader.example"}
        )
        for _ in range(300)
    ]
    assert answers[-1].status_int == 429
    for answer in (answers[0], answers[-1]):
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert exposed == "Retry-After, X-Request-Id"
        assert answer.headers["X-Request-Id"]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_an_error_is_an_object_with_a_sentence(bookie: Bookie, alice: Person) -> None:
    with_username = {"bad value", "weak password", "wrong password"}
    for case, (status, *_) in ANSWERS.items():
        if status == 200:
            continue
        body = ask(bookie, alice, case).json
        assert set(body) == ({"username", "error"} if case in with_username else {"error"}), case
        assert isinstance(body["error"], str), case
        assert body["error"], case
        assert body.get("username", "alice") == "alice", case


def test_errors_echo_nothing_secret(bookie: Bookie, alice: Person) -> None:
    secret = "CanaryCanary1"
    bodies = [
        bookie("POST", "/alice/account", query={"api_key": secret}),
        bookie("POST", "/alice/account", query={"api_key": alice.api_key, "callback": secret + "!"}),
        bookie("POST", "/alice/account", query={"api_key": alice.api_key}, form={"email": secret}),
        bookie(
            "POST",
            "/alice/password",
            query={"api_key": alice.api_key},
            form={"current_password": secret, "new_password": "short"},
        ),
        bookie(
            "POST",
            "/alice/password",
            query={"api_key": alice.api_key},
            form={"current_password": secret, "new_password": secret * 9},
        ),
        bookie("POST", "/alice/password", query={"api_key": alice.api_key}, json={"new_password": [secret]}),
        bookie(
            "POST",
            "/alice/password",
            query={"api_key": alice.api_key},
            form={"current_password": secret, "new_password": secret},
        ),
        bookie("POST", "/alice/account", body=secret.encode(), content_type="application/json"),
        bookie("POST", "/alice/account", body=secret.encode(), content_type=secret),
        bookie("GET", f"/{secret}/account", query={"api_key": secret}),
        bookie("GET", f"/{secret}", query={"api_key": secret}),
    ]
    assert all(answer.status_int >= 400 for answer in bodies)
    assert [answer for answer in bodies if secret.encode() in answer.body] == []


def test_jsonp_wraps_every_answer_and_keeps_its_status(bookie: Bookie, alice: Person) -> None:
    for case, (status, *_) in ANSWERS.items():
        plain = ask(bookie, alice, case)
        wrapped = ask(bookie, alice, case, callback="jQuery1102_13")
        assert (case, wrapped.status_int) == (case, status)
        assert wrapped.headers["Content-Type"] == JAVASCRIPT, case
        assert said(wrapped.headers) == SAID_BY_ALL, case
        assert allowed_headers(wrapped) >= {"x-requested-with", "content-type"}, case
        assert unwrapped(wrapped, "jQuery1102_13") == plain.json, case


def test_jsonp_of_the_calls_that_change_keys_and_passwords(bookie: Bookie, alice: Person) -> None:
    form = {"current_password": PASSWORD, "new_password": "another good one"}
    query = {"api_key": alice.api_key, "callback": "f"}
    password = unwrapped(bookie("POST", "/alice/password", query=query, form=form), "f")
    reset = unwrapped(bookie("POST", "/alice/api_key", query=query), "f")
    assert (password["message"], reset["message"]) == ("done", "API key was successfully changed")


def test_a_callback_of_a_body_is_ignored(bookie: Bookie, alice: Person) -> None:
    for arguments in ({"form": {"callback": "f"}}, {"json": {"callback": "f"}}, {"form": {"callback": "!"}}):
        answer = bookie("POST", "/alice/account", query={"api_key": alice.api_key}, **arguments)
        assert (answer.status_int, answer.headers["Content-Type"]) == (200, "application/json")


def test_the_json_inside_is_ascii_without_a_less_than(bookie: Bookie, alice: Person) -> None:
    name = "</script><!-- \u00e9 \U0001f600 & > ' \" \\ -->"
    query = {"api_key": alice.api_key, "callback": "f", "name": name}
    answer = bookie("POST", "/alice/account", query=query)
    assert answer.body.isascii()
    assert b"<" not in answer.body
    assert unwrapped(answer, "f")["name"] == name
    plain = bookie("GET", "/alice/account", query={"api_key": alice.api_key})
    assert plain.json["name"] == name


VALID = (
    "f",
    "cb",
    "$",
    "_",
    "$_1",
    "jQuery1102_13",
    "YUI.Env.JSONP.yui_3_1",
    "angular.callbacks._0",
    "a[0]",
    "a.b[0].c",
    "a[007].b",
    "function",
    "x" * 128,
    "x." * 63 + "xx",
)
INVALID = (
    "",
    "1",
    "1a",
    "abc;",
    "abc(",
    "abc<",
    "abc)",
    "a b",
    " a",
    "a ",
    "a+b",
    "a.",
    ".a",
    "a..b",
    "a.1",
    "a[",
    "a[]",
    "a[x]",
    "a['x']",
    "a[0",
    "a]0[",
    "a[0]b",
    "[0]",
    "a.[0]",
    "a[-1]",
    "a[0][12]",
    "a[1.0]",
    "a[1]..b",
    "a-b",
    "a/b",
    "/**/a",
    "a//",
    "a,b",
    "a=b",
    "a&",
    "a?b",
    "a\n",
    "a\r\nX: 1",
    "\na",
    "a\0",
    "a\u2028",
    "a\u2029b",
    "é",
    "ａ",
    "a\u0661",
    "a[\u0661]",
    "CWSMIKI0hCD0Up0IZUnnnnnnnn\x7f",
    "<script>alert(1)</script>",
    "alert(1);//",
    "x" * 129,
    "a." * 64 + "a",
    "😀",
)


def test_valid_callbacks(bookie: Bookie, alice: Person) -> None:
    got = {}
    for name in VALID:
        answer = bookie("GET", "/alice/account", query={"api_key": alice.api_key, "callback": name})
        got[name] = (answer.status_int, unwrapped(answer, name)["username"])
    assert got == dict.fromkeys(VALID, (200, "alice"))


def test_invalid_callbacks_do_nothing(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    key = ("api_key", alice.api_key)
    queries = {
        **{name: [key, ("callback", name)] for name in INVALID},
        "twice": [key, ("callback", "f"), ("callback", "f")],
        "twice, other": [key, ("callback", "f"), ("callback", "g")],
        "good and empty": [key, ("callback", "f"), ("callback", "")],
    }
    form = {"name": "Other", "current_password": PASSWORD, "new_password": "another good one"}
    for case, query in queries.items():
        for method, call in (
            ("GET", "/account"),
            ("POST", "/account"),
            ("POST", "/api_key"),
            ("POST", "/password"),
        ):
            answer = bookie(method, f"/alice{call}", query=query, form=form)
            assert (case, answer.status_int, answer.body) == (case, 400, b'{"error": "Invalid callback."}')
            assert answer.headers["Content-Type"] == "application/json"
            assert said(answer.headers) == SAID_BY_ALL
    assert snapshot() == before


def test_an_invalid_callback_is_refused_whoever_asks(bookie: Bookie) -> None:
    answer = bookie("GET", "/nobody/account", query={"callback": "!"})
    assert (answer.status_int, answer.json) == (400, {"error": "Invalid callback."})


def test_an_invalid_callback_is_never_echoed(bookie: Bookie, alice: Person) -> None:
    for case in ANSWERS:
        answer = ask(bookie, alice, case, callback="Canary!")
        assert b"Canary" not in answer.body, case
        assert answer.headers["Content-Type"] in JSON_TYPES, case


def test_jsonp_without_the_key_shows_nothing(bookie: Bookie, alice: Person) -> None:
    anonymous = bookie("GET", "/alice/account", query={"callback": "f"})
    signed_in = bookie(
        "GET",
        "/alice/account",
        query={"callback": "f"},
        headers={"Cookie": "sessionid=" + "x" * 43, "Authorization": f"Bearer {alice.api_key}"},
    )
    assert (anonymous.status_int, unwrapped(anonymous, "f")) == (
        403,
        {"error": "Not authorized for request."},
    )
    assert signed_in.body == anonymous.body


def is_callback(name: str) -> bool:
    """The grammar of the contract, read character by character."""
    return 1 <= len(name) <= 128 and all(is_part(part) for part in name.split("."))


def is_part(part: str) -> bool:
    identifier, bracket, index = part.partition("[")
    letters = string.ascii_letters + "_$"
    if not identifier or identifier[0] not in letters:
        return False
    if any(character not in letters + string.digits for character in identifier):
        return False
    if not bracket:
        return True
    digits = index.removesuffix("]")
    return digits != "" and digits != index and all(digit in string.digits for digit in digits)


_pieces = st.lists(
    st.sampled_from(
        ["a", "f1", "$", "_", ".", "[", "]", "0", "12", "[0]", "é", "(", "\n", " ", ";", "x" * 60]
    )
).map("".join)


@given(
    name=st.one_of(
        st.text(max_size=10), _pieces, st.from_regex(re.compile(r"[a-z$_]{1,3}(\.[a-z]\[[0-9]\])*"))
    )
)
def test_exactly_the_grammars_callbacks_are_accepted(bookie: Bookie, name: str) -> None:
    answer = bookie("GET", "/nobody/account", query={"callback": name.encode(errors="replace")})
    if is_callback(name):
        assert (answer.status_int, answer.headers["Content-Type"]) == (403, JAVASCRIPT)
        assert unwrapped(answer, name) == {"error": "Not authorized for request."}
    else:
        assert (answer.status_int, answer.json) == (400, {"error": "Invalid callback."})
