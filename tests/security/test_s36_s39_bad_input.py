"""S36 to S39: bytes, strings, JSON and types that nobody sends by mistake, at every operation there is.

What ``POST account`` makes of each stands in ``tests/apis/test_bookie_reading_requests.py`` and
``tests/domain/test_input.py``; here it is that no other operation reads more carelessly.
"""

import json
from itertools import product
from urllib.parse import quote, urlencode

import pytest
from webtest import TestResponse

from accountsapp.testing.everywhere import WRITES, Door, Everywhere, dump
from tests.apis.bookie.test_reading_requests import (
    BAD_FORMS,
    BAD_JSON,
    BAD_MULTIPART,
    OTHER_CHARSETS,
    OTHER_TYPES,
)

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
READ_NOTHING = (
    *("api_key", "nonactivated", "/3", "/alice"),
    *("/resetapikey", "/delete", "/export", "/confirm-email", "/super-create", "/accounts/session"),
    *("/default/show", "/default/reset"),
)
"""Ends of the paths of operations that read none of the parameters, or make an account whatever they are told
besides."""
UNSTORABLE = ("a\0b", "\0", "\ud800", "a\udfffb")
"""Texts that PostgreSQL cannot take."""
BYTES = ("%ff", "%c0%ae", "%c0%ae%c0%ae", "%ed%a0%80", "%00", "%f4%90%80%80", "x%00y", "%fe%ff", "%e2%82")


def is_refusal(answer: TestResponse) -> bool:
    return 400 <= answer.status_int < 500 and "Traceback" not in answer.text


def writes(everywhere: Everywhere) -> list[Door]:
    """Those that read a body; to remove a picture none is read, whatever it is."""
    doors = [door for door in everywhere.doors if door.method in WRITES]
    return [door for door in doors if (door.method, door.row.path.rpartition("/")[2]) != ("DELETE", "image")]


def test_s36_bytes_in_a_path(everywhere: Everywhere) -> None:
    before = dump(everywhere.app)
    wrong = []
    for door in everywhere.doors:
        segments = door.path.split("/")[1:]
        for place in range(len(segments)):
            for bad in BYTES:
                for segment in (bad, segments[place] + bad):
                    odd = "/" + "/".join([*segments[:place], segment, *segments[place + 1 :]])
                    answer = everywhere(door, path=odd)
                    if not is_refusal(answer) or "Location" in answer.headers:
                        wrong.append((door.method, odd, answer.status))
    assert wrong == []
    assert dump(everywhere.app) == before


def test_s36_bytes_in_queries_and_bodies(everywhere: Everywhere) -> None:
    before = dump(everywhere.app)
    wrong = []
    for door in everywhere.doors:
        for bad in BYTES[:4]:
            for query in (f"x={bad}", f"{bad}=x", f"username={bad}", f"email={bad}", f"limit={bad}"):
                answer = everywhere(door, query)
                # What belongs to no API reads no query.
                expected = range(400, 401) if door.path.startswith("/api/v1/") else range(200, 500)
                if answer.status_int not in expected:
                    wrong.append((*door[:3], query, answer.status))
    for door in writes(everywhere):
        bodies = [(FORM, body) for body in BAD_FORMS.values()] + [
            *BAD_MULTIPART.values(),
            *OTHER_CHARSETS.values(),
        ]
        for content_type, body in bodies:
            answer = everywhere(door, "", body, content_type)
            if not is_refusal(answer):
                wrong.append((*door[:3], str(body), answer.status))
    assert wrong == []
    assert dump(everywhere.app) == before


@pytest.mark.parametrize("name", ["name", "email", "username", "password", "new_password", "code"])
def test_s36_nul_and_surrogates_in_values(everywhere: Everywhere, name: str) -> None:
    """In every parameter of every operation."""
    before = dump(everywhere.app)
    wrong = []
    for door in writes(everywhere):
        if door.path.endswith(READ_NOTHING) or door.path == "/api/v1/suspend":
            continue
        for value in UNSTORABLE:
            sent = json.dumps({name: value}).encode()
            answers = [everywhere(door, "", sent, JSON)]
            if "\0" in value:
                answers.append(everywhere(door, "", urlencode({name: value}).encode(), FORM))
                answers.append(everywhere(door, urlencode({name: value})))
            wrong += [(*door[:3], value, a.status) for a in answers if a.status_int >= 500]
    assert wrong == []
    assert {name: rows for name, rows in dump(everywhere.app).items() if name != "job"} == {
        name: rows for name, rows in before.items() if name != "job"
    }


def test_s36_nul_and_surrogates_in_a_new_account(everywhere: Everywhere) -> None:
    """Where an account is made up, whatever else is sent: in each parameter that is read."""
    before = dump(everywhere.app)
    doors = [door for door in everywhere.doors if door.path.endswith("/super-create")]
    assert doors
    for door, name, value in product(doors, ("username", "email", "fxa_id", "group"), UNSTORABLE):
        answers = [everywhere(door, "", json.dumps({name: value}).encode(), JSON)]
        if "\0" in value:
            answers.append(everywhere(door, "", urlencode({name: value}).encode(), FORM))
        for answer in answers:
            assert answer.status_int == 422, (name, value, answer.status)
            assert answer.json["errors"].keys() == {name}
    assert dump(everywhere.app) == before


SQL = (
    "'",
    "''",
    '"',
    "\\",
    "' OR '1'='1",
    "' OR 1=1--",
    "1 OR 1=1",
    "1; DROP TABLE account; --",
    "'; DELETE FROM account; --",
    "' UNION SELECT password_hash FROM account --",
    "') OR ('1'='1",
    "%' OR '%'='",
    "%",
    "_",
    "a%",
    "alic_",
    "username; SELECT pg_sleep(9)",
    "username,(SELECT 1)",
    "$1",
    ":username",
    "%(username)s",
    "?",
    "1e0",
    "0x1",
    "${7*7}",
    "{{7*7}}",
)


LISTS = ("users/list", "accounts/inactive", "accounts/invites", "nonactivated", "applog/list")


def test_s37_sql_in_lists(everywhere: Everywhere) -> None:
    before = dump(everywhere.app)
    good = everywhere(everywhere.door("GET", "/api/v1/a/users/list")).json
    for text in SQL:
        for path in LISTS:
            for name in ("order", "limit", "offset", "days", "status", "message"):
                answer = everywhere(everywhere.door("GET", f"/api/v1/a/{path}"), urlencode({name: text}))
                assert answer.status_int in (200, 406), (path, name, text)
                if path == "users/list" and name in ("order", "limit", "offset"):
                    assert answer.status_int == 406, text
                if path == "applog/list" and name in ("status", "message"):
                    # A text that is searched for, not a pattern: no event has it.
                    expected = 0 if text.strip("_") or name == "status" else answer.json["count"]
                    assert (answer.status_int, answer.json["count"]) == (200, expected), text
    assert everywhere(everywhere.door("GET", "/api/v1/a/users/list")).json == good
    assert dump(everywhere.app) == before


def test_s37_sql_in_identities(everywhere: Everywhere) -> None:
    before = dump(everywhere.app)
    for text in SQL:
        code = {"username": "alice", "code": "x", "password": "another good one"}
        tries = (
            ("POST", "/api/v1/suspend", {"email": text}),
            ("DELETE", "/api/v1/suspend", {**code, "username": text}),
            ("DELETE", "/api/v1/suspend", {**code, "code": text}),
            ("GET", "/api/v1/alice/account", {"username": text}),
            ("POST", "/api/v1/alice/account", {"email": text}),
            ("POST", "/api/v1/a/users/add", {"username": f"{text}'", "email": "x@example.com"}),
            ("POST", "/api/v1/a/users/add", {"username": "newcomer", "email": text}),
        )
        for method, path, given in tries:
            answer = everywhere(everywhere.door(method, path), urlencode(given))
            assert is_refusal(answer), (method, path, text, answer.status)
        wrong_key = everywhere.app.get("/api/v1/alice/account", {"api_key": text}, expect_errors=True)
        assert wrong_key.status_int == 403
    assert dump(everywhere.app) == before


def test_s37_sql_in_paths(everywhere: Everywhere) -> None:
    before = dump(everywhere.app)
    for door in everywhere.doors:
        if "alice" not in door.path:
            continue
        for text in SQL:
            odd = door.path.replace("alice", quote(text, safe=""))
            answer = everywhere(door, path=odd)
            assert is_refusal(answer), (door.method, odd, answer.status)
    assert dump(everywhere.app) == before


def test_s38_bad_json_at_every_operation(everywhere: Everywhere) -> None:
    before = dump(everywhere.app)
    wrong = []
    many = json.dumps({f"n{i}": i for i in range(100_000)}).encode()
    for door in writes(everywhere):
        exactly = {400} if door.path.startswith("/api/v1/") else set(range(400, 500))
        for case, body in BAD_JSON.items():
            answer = everywhere(door, "", body, JSON)
            if answer.status_int not in exactly:
                wrong.append((*door[:3], case, answer.status))
        for body in (many, b'{"name": "' + b"x" * (1024 * 1024) + b'"}'):
            answer = everywhere(door, "", body, JSON)
            if answer.status_int != 413 and door.path.startswith("/api/v1/"):
                wrong.append((*door[:3], "large", answer.status))
            if not is_refusal(answer):
                wrong.append((*door[:3], "large", answer.status))
    assert wrong == []
    assert dump(everywhere.app) == before


READ_ELSEWHERE = (None, ";", "application/vnd.api+json", "application/merge-patch+json")
"""Docker Hub's API reads these as JSON (its contract, section 4)."""


def test_s39_other_types_at_every_operation(everywhere: Everywhere) -> None:
    before = dump(everywhere.app)
    wrong = []
    for door in writes(everywhere):
        for content_type in OTHER_TYPES:
            if not door.path.startswith("/api/v1/") and content_type in READ_ELSEWHERE:
                continue
            answer = everywhere(door, "", b'{"name": "x"}', content_type)
            if not is_refusal(answer) or (door.path.startswith("/api/v1/") and answer.status_int != 415):
                wrong.append((*door[:3], content_type, answer.status))
        for content_type, body in ((JSON, b"name=x"), (FORM, b"\xff"), (JSON, b"--b\r\n")):
            if not is_refusal(everywhere(door, "", body, content_type)):
                wrong.append((*door[:3], content_type, str(body)))
    assert wrong == []
    assert dump(everywhere.app) == before
