"""Strict JSON, and the parameters of a request by place."""

import json
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyramid.httpexceptions import HTTPBadRequest, HTTPRequestEntityTooLarge
from pyramid.request import Request

from accountsapp.web.bodies import MOST_PARAMETERS, Body, Parameters, read_body, read_json_object, read_query

GOOD = {
    b"{}": {},
    b' {"a": 1}\n': {"a": 1},
    b'{"a": null, "b": [true, {"c": 1.5}]}': {"a": None, "b": [True, {"c": 1.5}]},
    b'{"a": 9007199254740992, "b": -9007199254740992}': {"a": 2**53, "b": -(2**53)},
    b'{"a": 1e3, "b": -0}': {"a": 1000.0, "b": 0},
    b'{"a": "\\u0000\\ud800"}': {"a": "\0\ud800"},
    b'{"a": "\\ud83d\\ude00"}': {"a": "😀"},
    '{"ä": "\u2028"}'.encode(): {"ä": "\u2028"},
    b'{"": 1}': {"": 1},
    b'{"a": {"a": 1}}': {"a": {"a": 1}},
    b'{"a":' + b"[" * 19 + b"]" * 19 + b"}": None,
}
BAD = (
    b"",
    b"[]",
    b"1",
    b"null",
    b'{"a": 9007199254740993}',
    b'{"a": -9007199254740993}',
    b'{"a": 1e999}',
    b'{"a": -1e999}',
    b'{"a": NaN}',
    b'{"a": 1, "a": 1}',
    b'{"a": [{"b": 1, "b": 2}]}',
    b'{"\\ud800": 1}',
    b'{"\\u0000": 1}',
    b'\xef\xbb\xbf{"a": 1}',
    b'{"a": "\xff"}',
    b'{"a":' + b"[" * 20 + b"]" * 20 + b"}",
    b'{"a":' + b"[" * 100_000,
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a": 1} {}',
    b"{'a': 1}",
    b'{"a": 1,}',
    b'{"a": "\t"}',
)


def test_good_objects() -> None:
    got = {body: read_json_object(body) for body in GOOD}
    assert {body: value for body, value in got.items() if GOOD[body] is not None} == {
        body: value for body, value in GOOD.items() if value is not None
    }


@pytest.mark.parametrize("body", BAD, ids=lambda body: repr(body[:30]))
def test_bad_objects(body: bytes) -> None:
    with pytest.raises(HTTPBadRequest) as refused:
        read_json_object(body)
    assert refused.value.detail.startswith("The request body ")


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\0")), children, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    value=st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0")), _json, max_size=4),
    escaped=st.booleans(),
)
def test_what_json_says_is_what_is_read(value: dict[str, Any], escaped: bool) -> None:
    assert read_json_object(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(body=st.binary(max_size=60) | st.text('{}[]":,\\u0eE+-.19 naNIf', max_size=30).map(str.encode))
def test_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        value = read_json_object(body)
    except HTTPBadRequest:
        return
    assert isinstance(value, dict)
    assert value == json.loads(body)


def test_places() -> None:
    parameters = Parameters(Request.blank("/"))
    parameters.query = [("a", "q1"), ("a", "q2"), ("q", "q")]
    parameters.body = [("a", "b1"), ("a", "b2"), ("b", None)]
    assert parameters.all("a") == ["q1", "q2", "b1", "b2"]
    assert parameters.all("x") == []
    got = [
        (look("a"), look("q"), look("b", "default"), look("x", "default"))
        for look in (parameters.last, parameters.last_in_query, parameters.last_in_body)
    ]
    assert got == [
        ("b2", "q", None, "default"),
        ("q2", "q", "default", "default"),
        ("b2", None, None, "default"),
    ]


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("", []),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("a=1&a=2", [("a", "1"), ("a", "2")]),
        ("a=b+c%2B%3D", [("a", "b c+=")]),
        ("a=1;b=2", [("a", "1;b=2")]),
        ("%C3%A4=Ã¤", [("ä", "ä")]),
        ("&&a=1&", [("a", "1")]),
    ],
)
def test_queries(query: str, pairs: list[tuple[str, str]]) -> None:
    assert read_query(query) == pairs


@pytest.mark.parametrize(
    "query",
    ["a=%ff", "%ff", "a=\xff", "a=%ed%a0%80", pytest.param("a=1&" * 70_001, id="too many")],
)
def test_bad_queries(query: str) -> None:
    with pytest.raises(HTTPBadRequest):
        read_query(query)


@pytest.mark.parametrize(("size", "refused"), [(100, False), (101, True)])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_whether_or_not_it_says_so(size: int, refused: bool, announced: bool) -> None:
    request = Request.blank("/", method="POST", content_type="application/x-www-form-urlencoded")
    request.body = b"a=" + b"x" * (size - 2)
    if not announced:  # as chunks, whose server says where they end
        del request.environ["CONTENT_LENGTH"]
        request.environ["wsgi.input_terminated"] = True
    with pytest.raises(HTTPRequestEntityTooLarge) if refused else nullcontext():
        assert read_body(request, Body(largest=100))[0] == [("a", "x" * (size - 2))]


def test_a_body_that_ends_too_early_and_one_that_is_read_again() -> None:
    request = Request.blank("/", method="POST", content_type="application/x-www-form-urlencoded", POST="a=b")
    rules = Body(largest=100)
    assert read_body(request, rules)[0] == read_body(request, rules)[0] == [("a", "b")]
    request.environ["CONTENT_LENGTH"] = "50"
    with pytest.raises(HTTPBadRequest):
        read_body(request, rules)


@given(st.text("ab=&%+61\u00e9;", max_size=30))
def test_a_query_is_read_as_the_standard_library_reads_it(query_string: str) -> None:
    encoded = query_string.encode("utf-8").decode("latin-1")
    try:
        expected = parse_qsl(quote(query_string, safe="=&%+;"), keep_blank_values=True, errors="strict")
    except ValueError:
        expected = None
    if expected is None:
        with pytest.raises(HTTPBadRequest):
            read_query(encoded)
    else:
        assert read_query(encoded) == expected


@pytest.mark.parametrize("more", ["", "%41", "+"])
def test_the_number_of_parameters_has_a_limit(more: str) -> None:
    most = "&" * (MOST_PARAMETERS - 1)
    assert read_query(f"{most}a{more}") == [("a" + more.replace("%41", "A").replace("+", " "), "")]
    with pytest.raises(HTTPBadRequest):
        read_query(f"&{most}a{more}")
