"""Bookie 1.2: where parameters are read from, and what cannot be read."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountsapp.domain.credentials import api_keys
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie

FORM = "application/x-www-form-urlencoded"
MULTIPART = 'multipart/form-data; boundary="b"'
JSON = "application/json"
NEW_PASSWORD = "a new one to remember"


def multipart(*fields: tuple[str, str], boundary: str = "b") -> bytes:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    return ("".join(parts) + f"--{boundary}--\r\n").encode()


def test_every_place_is_read(bookie: Bookie, alice: Person) -> None:
    key, name = alice.api_key, "Ä & B + <C>"
    sent = {
        "query": {"query": {"api_key": key, "name": name}},
        "query with raw bytes": {"query": f"api_key={key}&name={quote(name)}".replace("%C3%84", "Ã\x84")},
        "form": {"form": {"api_key": key, "name": name}},
        "form with charset": {
            "form": {"api_key": key, "name": name},
            "content_type": f"{FORM}; charset=UTF-8",
        },
        "form with a charset of an older client": {
            "form": {"api_key": key, "name": name},
            "content_type": f"{FORM}; charset=ISO-8859-1",
        },
        "form with a charset that takes twice the bytes": {
            "form": {"api_key": key, "name": name},
            "content_type": f'{FORM}; charset="utf-16"',
        },
        "form in capitals": {
            "form": {"api_key": key, "name": name},
            "content_type": "Application/X-WWW-Form-URLEncoded",
        },
        "multipart": {"body": multipart(("api_key", key), ("name", name)), "content_type": MULTIPART},
        "JSON": {"json": {"api_key": key, "name": name}},
        "JSON, raw UTF-8": {
            "body": json.dumps({"api_key": key, "name": name}, ensure_ascii=False).encode(),
            "content_type": JSON,
        },
        "JSON with charset": {
            "json": {"api_key": key, "name": name},
            "content_type": 'application/json;Charset="utf-8"',
        },
        "key in query, name in body": {"query": {"api_key": key}, "json": {"name": name}},
        "key in body, name in query": {"query": {"name": name}, "form": {"api_key": key}},
        "key in both": {"query": {"api_key": key}, "form": {"api_key": key, "name": name}},
    }
    got = {}
    for case, arguments in sent.items():
        bookie("POST", "/alice/account", query={"api_key": key, "name": "before"})
        answer = bookie("POST", "/alice/account", **arguments)
        got[case] = (answer.status_int, answer.json.get("name"))
    assert got == dict.fromkeys(sent, (200, name))


def test_a_body_of_a_get_is_ignored(bookie: Bookie, alice: Person) -> None:
    bodies = {
        "none, though JSON": (JSON, b""),
        "other key": (JSON, b'{"api_key": "other", "username": "bob", "callback": "f"}'),
        "no JSON": (JSON, b"{"),
        "other charset": ("application/json; charset=utf-16", b"{}"),
        "form": (FORM, b"api_key=other"),
        "undecodable": (FORM, b"%ff=%ff"),
        "no boundary": ("multipart/form-data", b"x"),
        "other type": ("text/xml", b"<x/>"),
        "large": (JSON, b" " * (2 * 1024 * 1024)),
    }
    got = {}
    for case, (content_type, body) in bodies.items():
        for method in ("GET", "HEAD"):
            answer = bookie(
                method,
                "/alice/account",
                query={"api_key": alice.api_key},
                body=body,
                content_type=content_type,
            )
            got[case, method] = answer.status_int
    assert got == dict.fromkeys(got, 200)
    answer = bookie("GET", "/alice/account", json={"api_key": alice.api_key})
    assert answer.status_int == 403


def test_body_over_query_and_the_last_within_a_place(bookie: Bookie, alice: Person) -> None:
    two_in_multipart = {"body": multipart(("name", "B1"), ("name", "B2")), "content_type": MULTIPART}
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "query": ({"query": [("name", "Q1"), ("name", "Q2")]}, "Q2"),
        "form": ({"form": [("name", "B1"), ("name", "B2")]}, "B2"),
        "multipart": (two_in_multipart, "B2"),
        "form over query": ({"query": {"name": "Q"}, "form": {"name": "B"}}, "B"),
        "JSON over query": ({"query": {"name": "Q"}, "json": {"name": "B"}}, "B"),
        "multipart over query": ({**two_in_multipart, "query": {"name": "Q"}}, "B2"),
        "no name in the body": ({"query": {"name": "Q"}, "form": {"email": alice.email}}, "Q"),
    }
    key = ("api_key", alice.api_key)
    got = {}
    for case, (arguments, _) in cases.items():
        query = [key, *dict(arguments.get("query", {})).items()]
        if case == "query":
            query = [key, *arguments["query"]]
        answer = bookie("POST", "/alice/account", **{**arguments, "query": query})
        got[case] = (answer.status_int, answer.json["name"])
    assert got == {case: (200, name) for case, (_, name) in cases.items()}


def test_email_follows_the_same_precedence(bookie: Bookie, alice: Person) -> None:
    query = {"api_key": alice.api_key, "email": "query@example.com"}
    answer = bookie("POST", "/alice/account", query=query, form={"email": "body@example.com"})
    assert answer.json["email"] == "body@example.com"


MASS = {
    "id": 99,
    "is_admin": "true",
    "is_staff": True,
    "activated": False,
    "state": "deactivated",
    "signup": "2001-01-01 00:00:00",
    "last_login": "2001-01-01 00:00:00",
    "invite_ct": 99,
    "invited_by": "bob",
    "api_key_": "other",
    "password": "other password",
    "password_hash": "$2b$04$x",
    "new_password": "other password",
    "credential_epoch": 99,
    "version": 99,
    "username_key": "bob",
    "display_name": "Other",
    "pending_email": "other@example.com",
    "email_verified": True,
    "emails": ["other@example.com"],
    "biography": "other",
    "info": {"a": 1},
}


def test_unknown_parameters_are_ignored(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    for place in ("query", "form", "json"):
        arguments: dict[str, Any] = {place: {**MASS, "api_key": alice.api_key}}
        answer = bookie("POST", "/alice/account", **arguments)
        assert answer.status_int == 200
        assert answer.json["activated"] is True
    assert snapshot() == before


def test_an_empty_body_has_no_parameters(bookie: Bookie, alice: Person) -> None:
    types = (
        None,
        JSON,
        FORM,
        MULTIPART,
        "multipart/form-data",
        "text/plain",
        "application/json; charset=utf-16",
        "x",
    )
    got = {
        content_type: bookie(
            "POST", "/alice/account", query={"api_key": alice.api_key}, content_type=content_type
        ).status_int
        for content_type in types
    }
    assert got == dict.fromkeys(types, 200)


BAD_JSON = {
    "list": b"[]",
    "list of pairs": b'[["name", "x"]]',
    "text": b'"name"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "blank": b" ",
    "form": b"name=x",
    "cut": b'{"name": "x"',
    "trailing data": b'{"name": "x"} x',
    "two objects": b'{"name": "x"}{"name": "y"}',
    "trailing comma": b'{"name": "x",}',
    "single quotes": b"{'name': 'x'}",
    "comment": b'{"name": "x" /* y */}',
    "duplicate names": b'{"name": "x", "name": "y"}',
    "duplicate names deeper": b'{"other": {"a": 1, "a": 1}}',
    "duplicate by escape": b'{"name": "x", "n\\u0061me": "y"}',
    "NaN": b'{"other": NaN}',
    "Infinity": b'{"other": Infinity}',
    "-Infinity": b'{"other": -Infinity}',
    "infinite": b'{"other": 1e999}',
    "long integer": b'{"other": ' + b"9" * 5000 + b"}",
    "2^63": b'{"other": 9223372036854775808}',
    "leading zero": b'{"other": 01}',
    "byte order mark": b'\xef\xbb\xbf{"name": "x"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "UTF-16 without mark": '{"name": "x"}'.encode("utf-16-le"),
    "UTF-32": '{"name": "x"}'.encode("utf-32"),
    "latin-1": '{"name": "ä"}'.encode("latin-1"),
    "surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "surrogate in a name": b'{"\\ud800": "x"}',
    "NUL in a name": b'{"a\\u0000": "x"}',
    "control character": b'{"name": "a\nb"}',
    "deep": b'{"other":' * 30 + b"1" + b"}" * 30,
    "deep list": b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep and open": b'{"other":' + b"[" * 100_000,
    "many names": json.dumps({f"n{i}": 1 for i in range(20_001)}).encode(),
}
BAD_FORMS = {
    "undecodable value": b"name=%ff",
    "undecodable name": b"%ff=x",
    "raw byte": b"name=\xff",
    "surrogate": b"name=%ed%a0%80",
    "overlong": b"name=%c0%af",
    "many": b"&".join([b"n=x"] * 70_001),
}
BAD_MULTIPART = {
    "no boundary": ("multipart/form-data", multipart(("name", "x"))),
    "empty boundary": ('multipart/form-data; boundary=""', multipart(("name", "x"))),
    "other boundary": ("multipart/form-data; boundary=c", multipart(("name", "x"))),
    "cut": (MULTIPART, multipart(("name", "x"))[:-10]),
    "no parts": (MULTIPART, b"x"),
    "part without name": (MULTIPART, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    "part without disposition": (MULTIPART, b"--b\r\n\r\nx\r\n--b--\r\n"),
    "undecodable": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\r\n--b--\r\n',
    ),
}
OTHER_CHARSETS = {
    charset: (
        MULTIPART,
        multipart(("name", "xy")).replace(
            b"\r\n\r\n", f"\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode(), 1
        ),
    )
    for charset in ("klingon", "utf-16", "utf-7", "punycode", "idna", "unicode_escape", "latin-1")
}
"""Of a part. Python knows most; some of them take quadratic time."""
OTHER_TYPES = (
    None,
    "text/plain",
    "text/json",
    "text/xml",
    "application/xml",
    "application/octet-stream",
    "application/x-json",
    "application/vnd.api+json",
    "application/merge-patch+json",
    "multipart/mixed; boundary=b",
    "x",
    ";",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "application/json; charset=klingon",
    f"{FORM}; charset=klingon",
    "multipart/form-data; boundary=b; charset=utf-16",
)


def refusals(bookie: Bookie, person: Person, bodies: dict[str, tuple[str | None, bytes]]) -> dict[str, Any]:
    """Each body's status with a good key, after a look at the form of the error."""
    got = {}
    for case, (content_type, body) in bodies.items():
        answer = bookie(
            "POST",
            "/alice/account",
            query={"api_key": person.api_key, "name": "Other"},
            body=body,
            content_type=content_type,
        )
        assert answer.content_type == "application/json", case
        assert list(answer.json) == ["error"], (case, answer.json)
        assert answer.json["error"], case
        assert b"Traceback" not in answer.body
        got[case] = answer.status_int
    return got


def test_bad_bodies_are_refused_whole(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    unreadable = {
        **{f"JSON: {case}": (JSON, body) for case, body in BAD_JSON.items()},
        **{f"form: {case}": (FORM, body) for case, body in BAD_FORMS.items()},
        **{f"multipart: {case}": bad for case, bad in BAD_MULTIPART.items()},
    }
    expected: dict[Any, int] = dict.fromkeys(unreadable, 400)
    got = refusals(bookie, alice, unreadable)

    others: dict[Any, Any] = {
        f"type {content_type}": (content_type, b'{"name":"x"}') for content_type in OTHER_TYPES
    }
    others |= {f"charset {charset}": bad for charset, bad in OTHER_CHARSETS.items()}
    expected |= dict.fromkeys(others, 415)
    got |= refusals(bookie, alice, others)

    assert got == expected
    assert snapshot() == before


def test_64_kib_of_parameters_are_read(bookie: Bookie, alice: Person) -> None:
    least = "a&" * 32_000 + "name=Many"
    answer = bookie("POST", "/alice/account", query={"api_key": alice.api_key}, form=least)
    assert (answer.status_int, answer.json["name"]) == (200, "Many")


def test_size(bookie: Bookie, alice: Person) -> None:
    def body_of(size: int) -> bytes:
        start = b'{"name": "Sized", "other": "'
        return start + b"x" * (size - len(start) - 2) + b'"}'

    mebibyte = 1024 * 1024
    sizes = {64 * 1024: 200, mebibyte: 200, mebibyte + 1: 413, 4 * mebibyte: 413}
    got = {}
    for size in sizes:
        body = body_of(size)
        assert len(body) == size
        answer = bookie(
            "POST",
            "/alice/account",
            query={"api_key": alice.api_key},
            body=body,
            content_type=JSON,
        )
        got[size] = answer.status_int
    assert got == sizes


@pytest.mark.parametrize(
    ("content_type", "wrap"),
    [
        (FORM, lambda value: b"name=Sized&other=" + value),
        (MULTIPART, lambda value: multipart(("name", "Sized"), ("other", value.decode()))),
    ],
)
def test_64_kib_of_a_form_are_read(
    bookie: Bookie, alice: Person, content_type: str, wrap: Callable[[bytes], bytes]
) -> None:
    got = {}
    for size, expected in ((64 * 1024 - 300, 200), (1024 * 1024 - 300, 200), (1024 * 1024 + 1, 413)):
        answer = bookie(
            "POST",
            "/alice/account",
            query={"api_key": alice.api_key},
            body=wrap(b"x" * size),
            content_type=content_type,
        )
        got[size] = answer.status_int == expected
    assert got == dict.fromkeys(got, True)


def test_an_undecodable_query_is_refused(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    key = f"api_key={alice.api_key}"
    queries = (
        f"{key}&name=%ff",
        f"{key}&%ff=x",
        f"{key}&name=\xff",
        f"{key}&callback=%ff",
        "api_key=%ff",
        f"{key}&name=%ed%a0%80",
        f"{key}&" + "&".join(["n=x"] * 70_000),
    )
    got = {}
    for query in queries:
        for method, call in (("GET", "account"), ("POST", "account"), ("POST", "api_key")):
            answer = bookie(method, f"/alice/{call}", query=query)
            got[query, method, call] = (answer.status_int, answer.content_type)
    assert got == dict.fromkeys(got, (400, "application/json"))
    assert snapshot() == before


def test_keys_given_twice_must_be_the_same(bookie: Bookie, alice: Person, bob: Person) -> None:
    good, other = alice.api_key, bob.api_key
    cases: dict[str, tuple[dict[str, Any], int]] = {
        "same twice in query": ({"query": [("api_key", good), ("api_key", good)]}, 200),
        "same twice in form": ({"form": [("api_key", good), ("api_key", good)]}, 200),
        "same in both": ({"query": {"api_key": good}, "json": {"api_key": good}}, 200),
        "two in query": ({"query": [("api_key", other), ("api_key", good)]}, 403),
        "two in query, good first": ({"query": [("api_key", good), ("api_key", other)]}, 403),
        "two in form": ({"form": [("api_key", good), ("api_key", other)]}, 403),
        "two in form, good last": ({"form": [("api_key", other), ("api_key", good)]}, 403),
        "query against form": ({"query": {"api_key": other}, "form": {"api_key": good}}, 403),
        "form against query": ({"query": {"api_key": good}, "form": {"api_key": other}}, 403),
        "query against JSON": ({"query": {"api_key": good}, "json": {"api_key": other}}, 403),
        "empty beside good": ({"query": [("api_key", ""), ("api_key", good)]}, 403),
        "good beside empty": ({"query": [("api_key", good), ("api_key", "")]}, 403),
        "empty in form": ({"query": {"api_key": good}, "form": {"api_key": ""}}, 403),
        "empty in JSON": ({"query": {"api_key": good}, "json": {"api_key": ""}}, 403),
        "null in JSON": ({"query": {"api_key": good}, "json": {"api_key": None}}, 403),
        "number in JSON": ({"query": {"api_key": good}, "json": {"api_key": 0}}, 403),
        "list in JSON": ({"json": {"api_key": [good]}}, 403),
        "object in JSON": ({"json": {"api_key": {"api_key": good}}}, 403),
        "true in JSON": ({"json": {"api_key": True}}, 403),
        "surrogate in JSON": ({"json": {"api_key": good + "\ud800"}}, 403),
        "file": (
            {
                "body": multipart(("api_key", good)).replace(
                    b'name="api_key"', b'name="api_key"; filename="f"'
                ),
                "content_type": MULTIPART,
            },
            403,
        ),
    }
    got = {
        case: bookie("POST", "/alice/account", **arguments).status_int
        for case, (arguments, _) in cases.items()
    }
    assert got == {case: status for case, (_, status) in cases.items()}


def test_a_key_is_exact(bookie: Bookie, register: Callable[..., Person]) -> None:
    register("old", api_key="AbCdEf012345")
    wrong = (
        "abcdef012345",
        "ABCDEF012345",
        " AbCdEf012345",
        "AbCdEf012345 ",
        "AbCdEf012345\n",
        "AbCdEf012345\0",
        "AbCdEf01234",
        "AbCdEf0123456",
        "ＡbCdEf012345",
        "%",
        "AbCdEf01234_",
        "AbCdEf%",
        "x" * 100_000,
    )
    got = {key: bookie("POST", "/old/account", form={"api_key": key}).status_int for key in wrong}
    assert got == dict.fromkeys(wrong, 403)
    assert bookie("POST", "/old/account", form={"api_key": "AbCdEf012345"}).status_int == 200


def test_no_header_and_no_cookie_authorises(app: Any, bookie: Bookie, alice: Person) -> None:
    key = alice.api_key
    headers = (
        {"Authorization": key},
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"ApiKey {key}"},
        {"Authorization": f"Token {key}"},
        {"Authorization": "Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"},
        {"Api-Key": key},
        {"X-Apikey": key},
        {"X-Auth-Key": key},
        {"Cookie": f"api_key={key}"},
        {"Cookie": f"sessionid={key}"},
        {"Cookie": f"auth_tkt={key}; session={key}"},
        {"X-Remote-User": "alice"},
        {"Remote-User": "alice"},
    )
    got = [
        bookie(method, f"/alice/{call}", headers=header).status_int
        for header in headers
        for method in ("GET", "POST")
        for call in ("account", "api_key")
    ]
    assert got == [403] * len(got)
    beside_a_bad_key = bookie("GET", "/alice/account", query={"api_key": "bad"}, headers=headers[1])
    assert beside_a_bad_key.status_int == 403
    beside_a_good_key = bookie(
        "GET",
        "/alice/account",
        query={"api_key": key},
        headers={"Authorization": "Bearer bad", "Cookie": "a=b"},
    )
    assert beside_a_good_key.status_int == 200
    remote_user = app.get("/api/v1/alice/account", extra_environ={"REMOTE_USER": "alice"}, expect_errors=True)
    assert remote_user.status_int == 403


def test_the_username_beside_the_paths_must_be_the_same(
    bookie: Bookie, alice: Person, bob: Person, snapshot: Callable[[], Any]
) -> None:
    key = {"api_key": alice.api_key}
    agree: list[dict[str, Any]] = [
        {"query": {**key, "username": "alice"}},
        {"query": {**key, "username": "ALICE"}},
        {"query": key, "form": {"username": "Alice"}},
        {"json": {**key, "username": "alice"}},
        {"query": {**key, "username": "alice"}, "json": {"username": "aLICE"}},
    ]
    differ: list[dict[str, Any]] = [
        {"query": {**key, "username": "bob"}},
        {"query": {**key, "username": ""}},
        {"query": {**key, "username": "alice "}},
        {"query": [*key.items(), ("username", "alice"), ("username", "bob")]},
        {"query": [*key.items(), ("username", "bob"), ("username", "alice")]},
        {"query": {**key, "username": "alice"}, "json": {"username": "bob"}},
        {"query": {**key, "username": "bob"}, "json": {"username": "alice"}},
        {"json": {**key, "username": "bob"}},
        {"json": {**key, "username": ["alice"]}},
        {"json": {**key, "username": 1}},
        {"json": {**key, "username": {"alice": "alice"}}},
    ]
    name = {"name": "Changed"}
    got_agree = [bookie("POST", "/alice/account", **arguments).status_int for arguments in agree]
    before = snapshot()
    got_differ = []
    for arguments in differ:
        with_name = {**arguments, "query": [*name.items(), *dict(arguments.get("query", {})).items()]}
        if isinstance(arguments.get("query"), list):
            with_name["query"] = [*name.items(), *arguments["query"]]
        answer = bookie("POST", "/alice/account", **with_name)
        got_differ.append((answer.status_int, answer.json))
        reset = bookie("POST", "/alice/reset_api_key", **arguments)
        got_differ.append((reset.status_int, reset.json))
    refusal = (403, {"error": "Not authorized for request."})
    assert (got_agree, got_differ) == ([200] * len(agree), [refusal] * len(got_differ))
    assert snapshot() == before


def test_the_username_of_a_query_counts_on_get(bookie: Bookie, alice: Person) -> None:
    got = {
        name: bookie("GET", "/alice/account", query={"api_key": alice.api_key, "username": name}).status_int
        for name in ("alice", "ALICE", "bob", "")
    }
    assert got == {"alice": 200, "ALICE": 200, "bob": 403, "": 403}


def test_passwords_of_a_query_are_not_sent(
    bookie: Bookie, alice: Person, snapshot: Callable[[], Any]
) -> None:
    before = snapshot()
    key = {"api_key": alice.api_key}
    current, new = {"current_password": PASSWORD}, {"new_password": NEW_PASSWORD}
    got = {
        "both in query": bookie("POST", "/alice/password", query={**key, **current, **new}).status_int,
        "new in query": bookie("POST", "/alice/password", query={**key, **new}, form=current).status_int,
        "current in query": bookie("POST", "/alice/password", query={**key, **current}, form=new).status_int,
    }
    assert got == {"both in query": 406, "new in query": 406, "current in query": 403}
    assert snapshot() == before


def test_accept_is_ignored(bookie: Bookie, alice: Person) -> None:
    accepts = (
        "text/html",
        "application/xml;q=1, application/json;q=0",
        "*/*",
        "",
        "image/png",
        "x",
        "text/html,application/xhtml+xml",
    )
    got = {}
    for accept in accepts:
        for path in ("/alice/account", "/nobody/account", "/alice/unknown"):
            answer = bookie("GET", path, query={"api_key": alice.api_key}, headers={"Accept": accept})
            got[accept, path] = (answer.status_int, answer.content_type)
    statuses = {"/alice/account": 200, "/nobody/account": 403, "/alice/unknown": 404}
    assert got == {(accept, path): (statuses[path], "application/json") for accept, path in got}


CONTENT_TYPES = [FORM, MULTIPART, JSON, "text/plain", "multipart/form-data", f"{JSON}; charset=utf-8"]
_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=5,
)
_names = st.sampled_from(["name", "email", "username", "api_key", "new_password", "current_password", "x"])
_bodies = st.one_of(
    st.tuples(st.sampled_from(CONTENT_TYPES), st.binary(max_size=200)),
    st.tuples(
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40), st.binary(max_size=50)
    ),
    st.tuples(
        st.just(JSON),
        st.dictionaries(_names, _json_values, max_size=3).map(lambda value: json.dumps(value).encode()),
    ),
    st.tuples(
        st.just(FORM),
        st.lists(st.tuples(_names, st.binary(max_size=20).map(quote)), max_size=3).map(
            lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode()
        ),
    ),
    st.tuples(
        st.just(MULTIPART),
        st.lists(st.tuples(_names, st.binary(max_size=20)), max_size=3).map(
            lambda pairs: (
                b"".join(
                    b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
                    for name, value in pairs
                )
                + b"--b--\r\n"
            )
        ),
    ),
)


@given(sent=_bodies, call=st.sampled_from(["account", "password", "reset_api_key"]))
def test_no_body_is_a_fault_and_only_a_200_changes_anything(
    bookie: Bookie,
    alice: Person,
    stores: Process,
    snapshot: Callable[[], Any],
    sent: tuple[str, bytes],
    call: str,
) -> None:
    content_type, body = sent
    before = snapshot()
    with stores.transaction() as store:
        row = store.reader.by_id(alice.id)
        api_key = api_keys.reveal(store, row)
    answer = bookie(
        "POST", f"/alice/{call}", query={"api_key": api_key}, body=body, content_type=content_type
    )
    assert answer.status_int in (200, 400, 403, 406, 415)
    assert answer.content_type == "application/json"
    assert answer.status_int == 200 or snapshot() == before
