"""Bookie 1.1: which paths and methods there are, and how a username is found."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.errors import InvalidUsername
from accountsapp.domain.rules import usernames
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import FIVE_CALLS, Bookie, in_path

METHODS = {
    "/account": ("GET", "HEAD", "OPTIONS", "POST"),
    "/api_key": ("DELETE", "GET", "HEAD", "OPTIONS", "POST"),
    "/reset_api_key": ("OPTIONS", "POST"),
    "/password": ("OPTIONS", "POST"),
    "/account/password": ("OPTIONS", "POST"),
}
ALL_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "FROB")
OVERRIDES = {
    "X-HTTP-Method-Override": "POST",
    "X-HTTP-Method": "POST",
    "X-Method-Override": "POST",
}


def call_all_five(bookie: Bookie, name: str, api_key: str, slash: str = "") -> list[dict[str, Any]]:
    """Each path of each call once, well-formed; the answers' bodies, the last key presented at the end."""
    bodies = []
    for method, path in FIVE_CALLS:
        form = {"current_password": PASSWORD, "new_password": PASSWORD} if "password" in path else None
        answer = bookie(method, f"/{name}{path}{slash}", query={"api_key": api_key}, form=form)
        assert (path, answer.status_int, answer.headers.get("Location")) == (path, 200, None)
        api_key = answer.json.get("api_key", api_key)
        bodies.append(answer.json)
    return bodies


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_call_at_every_path_with_and_without_a_final_slash(
    bookie: Bookie, alice: Person, slash: str
) -> None:
    bodies = call_all_five(bookie, "alice", alice.api_key, slash)

    user = {"username", "name", "signup", "activated", "last_login", "email"}
    key, reset, done = {"username", "api_key"}, {"api_key", "message"}, {"username", "api_key", "message"}
    assert [set(body) for body in bodies] == [user, user, key, reset, reset, done, done]


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_other_methods_are_405_before_the_key_is_looked_at(bookie: Bookie, alice: Person) -> None:
    expected, got = {}, {}
    for path, methods in METHODS.items():
        for method in ALL_METHODS:
            if method in methods:
                continue
            for name in ("alice", "nobody"):
                for key in (alice.api_key, "wrong", ""):
                    for slash in ("", "/"):
                        case = (method, name, path, key == alice.api_key, slash)
                        answer = bookie(method, f"/{name}{path}{slash}", query={"api_key": key})
                        expected[case] = (405, ", ".join(methods))
                        got[case] = (answer.status_int, answer.headers.get("Allow"))
                        if method != "HEAD":
                            assert answer.json == {"error": "That method is not allowed here."}
    assert got == expected


def test_head_is_get_without_the_body(bookie: Bookie, alice: Person) -> None:
    for path in ("/alice/account", "/alice/api_key", "/nobody/account", "/alice/unknown"):
        for key in (alice.api_key, "wrong"):
            get = bookie("GET", path, query={"api_key": key})
            head = bookie("HEAD", path, query={"api_key": key})
            expected = dict(get.headers) | {"X-Request-Id": head.headers["X-Request-Id"]}
            assert (head.status_int, dict(head.headers), head.body) == (get.status_int, expected, b"")


def test_get_changes_nothing(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    values = {
        "name": "Other",
        "email": "other@example.com",
        "current_password": PASSWORD,
        "new_password": "another good one",
        "username": "alice",
        "_method": "POST",
        "method": "POST",
    }
    for method in ("GET", "HEAD"):
        for path in METHODS:
            for headers in ({}, OVERRIDES):
                bookie(
                    method,
                    f"/alice{path}",
                    query={"api_key": alice.api_key, **values},
                    json=values,
                    headers=headers,
                )
    assert snapshot() == before


def test_no_method_override(bookie: Bookie, alice: Person) -> None:
    expected = {}
    got = {}
    for header in OVERRIDES:
        for real, claimed in (("POST", "GET"), ("GET", "POST"), ("POST", "DELETE"), ("DELETE", "POST")):
            answer = bookie(
                real,
                "/alice/account",
                query={"api_key": alice.api_key, "name": f"{real} {claimed}", "_method": claimed},
                headers={header: claimed},
            )
            got[header, real, claimed] = (answer.status_int, answer.json.get("name"))
            before = "POST GET" if real == "GET" else None
            expected[header, real, claimed] = {
                "POST": (200, f"POST {claimed}"),
                "GET": (200, before),
                "DELETE": (405, None),
            }[real]
    assert got == expected


UNKNOWN_CALLS = (
    "",
    "/",
    "/alice",
    "/alice/",
    "/alice/Account",
    "/alice/ACCOUNT",
    "/alice/API_KEY",
    "/alice/api-key",
    "/alice/Password",
    "/alice/RESET_API_KEY",
    "/alice/account/x",
    "/alice/account/account",
    "/alice/account/api_key",
    "/alice/account/reset_api_key",
    "/alice/account/Password",
    "/alice/account/password/x",
    "/alice/api_key/x",
    "/alice/api_key/account",
    "/alice/reset_api_key/x",
    "/alice/password/x",
    "/alice/password/password",
    "/alice/alice/account",
    "/alice/bmarks",
    "/alice/stats/bmarkcount",
    "/alice/extension/sync",
    "/alice/read_account",
    "/alice/change_password",
    "/alice/account.json",
    "/alice/account;x",
    "/alice/account;jsessionid=1",
    "/alice/account%3Bx",
    "/alice/account%20",
    "/alice/%20account",
    "/alice/account%00",
    "/alice/@@account",
    "/alice/@@api_key",
    "/@@alice",
    "/alice/account/@@password",
    "//alice/account",
    "/alice//account",
    "/alice/account//",
    "/alice/account//password",
    "/./alice/account",
    "/alice/./account",
    "/alice/account/.",
    "/alice/account/./",
    "/alice/../alice/account",
    "/alice/api_key/../account",
    "/alice/account/..",
    "/%2e/alice/account",
    "/alice/%2e/account",
    "/alice/%2E%2E/alice/account",
    "/alice/account/%2e%2e/api_key",
    "/al%2Fice/account",
    "/alice%2F/account",
    "/%2Falice/account",
    "/alice/account%2Fx",
    "/alice/account%2F%2F",
    "/alice/x%ff",
    "/alice/%ff",
    "/alice/%c0%ae/account",
)


def test_unknown_calls_are_404_whoever_asks(bookie: Bookie, alice: Person) -> None:
    got = {}
    for call in UNKNOWN_CALLS:
        for name in ("alice", "nobody"):
            path = call.replace("alice", name)
            for key in (alice.api_key, "wrong", ""):
                for method in ("GET", "POST", "DELETE", "OPTIONS"):
                    answer = bookie(method, path, query={"api_key": key})
                    got[method, path, key] = (answer.status_int, answer.body, answer.headers.get("Location"))
    assert got == dict.fromkeys(got, (404, b'{"error": "Not found."}', None))


def test_an_encoded_slash_is_a_slash(bookie: Bookie, alice: Person) -> None:
    answer = bookie("GET", "/alice%2Faccount", query={"api_key": alice.api_key})
    assert (answer.status_int, answer.json["username"]) == (200, "alice")


SPELLINGS = {
    "jürgen": ("jürgen", "JÜRGEN", "Jürgen", "ju\u0308rgen", "JU\u0308RGEN"),
    "Straße": ("straße", "STRASSE", "strasse", "STRAẞE"),
    "Ωmega": ("ωMEGA", "ΩMEGA", "\u2126mega"),
    "ΣΟΦΟΣ": ("σοφος", "σοφοσ", "Σοφός".replace("ό", "ο")),
    "Иван": ("иван", "ИВАН"),
    "Bob": ("bob", "BOB", "bOb"),
    "Kelvin": ("kelvin", "\u212aelvin"),
    "who@Example.com": ("WHO@example.COM", "who@example.com"),
    "a.b+c-d_e": ("A.B+C-D_E",),
    "with space": ("WITH SPACE",),
    "100%": ("100%",),
    "a?b#c": ("A?B#C",),
    "a;b&c=d": ("A;B&C=D",),
    "日本語": ("日本語",),
    "😀": ("😀",),
    "@@at": ("@@AT",),
    "..dots": ("..DOTS",),
}


def test_a_name_is_found_in_any_case_and_shown_as_stored(
    bookie: Bookie, register: Callable[..., Person]
) -> None:
    expected, got = {}, {}
    for number, (stored, spellings) in enumerate(SPELLINGS.items()):
        person = register(stored, f"n{number}@example.com", password=None)
        for spelling in (stored, *spellings):
            for call in ("account", "api_key"):
                answer = bookie("GET", f"/{in_path(spelling)}/{call}", query={"api_key": person.api_key})
                got[spelling, call] = (answer.status_int, answer.json.get("username"))
                expected[spelling, call] = (200, stored)
    assert got == expected


def test_unlike_names_are_other_accounts(bookie: Bookie, register: Callable[..., Person]) -> None:
    person = register("jurgen")
    others = ("jürgen", "jurgen ", "jurgen.", "jurge", "jurgenn", "%25", "jurg_n", "jurge%", "ȷurgen", "*")
    got = {
        name: bookie("GET", f"/{in_path(name)}/account", query={"api_key": person.api_key}).status_int
        for name in others
    }
    assert got == dict.fromkeys(others, 403)


NAMED_LIKE_PATHS = ("a", "ping", "suspend", "stats", "account", "api_key", "password", "__parent__")


def test_an_imported_account_may_be_named_like_a_path(
    bookie: Bookie, register: Callable[..., Person]
) -> None:
    for name in NAMED_LIKE_PATHS:
        person = register(name)
        bodies = call_all_five(bookie, name, person.api_key)
        assert [body["username"] for body in bodies if "username" in body] == [name] * 5


ODD_NAMES = (
    "__parent__",
    "__name__",
    "request",
    "nobody",
    "x" * 5000,
    "%00",
    "alice%00",
    "%0d%0aX:1",
    "%e2%80%a8",
    "' OR 1=1--",
    "%25",
    "*",
    "%f0%9f%98%80",
    "...",
    "@@nobody",
)


def test_odd_names_are_unknown_accounts(bookie: Bookie, alice: Person) -> None:
    got = {}
    for name in ODD_NAMES:
        for key in (alice.api_key, "wrong", ""):
            for method, call in (("GET", "account"), ("POST", "account"), ("GET", "api_key")):
                answer = bookie(method, f"/{name}/{call}".replace(" ", "%20"), query={"api_key": key})
                got[name, key, method, call] = (answer.status_int, answer.json)
    assert got == dict.fromkeys(got, (403, {"error": "Not authorized for request."}))


def test_undecodable_bytes_in_the_path(bookie: Bookie, alice: Person) -> None:
    got = {
        (method, path): bookie(method, path, query={"api_key": alice.api_key}).status_int
        for path in ("/%ff/account", "/al%ffice/account", "/%c0%ae%c0%ae/account", "/%ed%a0%80/api_key")
        for method in ("GET", "POST", "OPTIONS")
    }
    assert got == dict.fromkeys(got, 404)


def _importable(name: str) -> bool:
    try:
        usernames.check_imported(name)
    except InvalidUsername:
        return False
    return True


@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(_importable))
def test_every_importable_name_is_found_in_any_case(
    bookie: Bookie, register: Callable[..., Person], stores: Process, name: str
) -> None:
    person = register(name, "somebody@example.com", password=None)
    spellings = {name.upper(), name.lower(), name.swapcase(), name.title(), name.casefold()}
    # Unicode's own definition of "the same without regard to case" (D144).
    same = {name, *(other for other in spellings if other.casefold() == name.casefold())} - {".", ".."}
    try:
        got = {
            other: bookie("GET", f"/{in_path(other)}/account", query={"api_key": person.api_key}).json
            for other in same
        }
    finally:
        with stores.transaction() as store:
            lifecycle.delete(store, person.id)
    assert {other: answer.get("username") for other, answer in got.items()} == dict.fromkeys(same, name)


@given(
    name=st.text(st.characters(codec="utf-8"), max_size=30),
    method=st.sampled_from(["GET", "POST", "OPTIONS", "DELETE"]),
    call=st.sampled_from(["account", "api_key", "password", "account/password", "other", ""]),
    with_key=st.booleans(),
)
def test_no_name_is_a_fault(
    bookie: Bookie, alice: Person, name: str, method: str, call: str, with_key: bool
) -> None:
    assume(name.lower() != "alice")
    query = {"api_key": alice.api_key} if with_key else {}
    answer = bookie(method, f"/{in_path(name)}/{call}", query=query)
    assert answer.status_int in (204, 403, 404, 405)
