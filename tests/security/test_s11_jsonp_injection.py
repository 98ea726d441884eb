"""S11: what may be reflected into a script, and how."""

import json

from accountsapp.testing.people import Person
from tests.support.bookie import Bookie

GOOD = (
    "f",
    "cb",
    "$",
    "_",
    "jQuery1102_13",
    "YUI.Env.JSONP.yui_3_1",
    "angular.callbacks._0",
    "a.b[0].c",
    "a.b[0]",
    "x" * 128,
    "a1",
    "A.B",
)
BAD = (
    "",
    "x" * 129,
    "abc(",
    "abc<",
    "abc;",
    "abc,",
    "abc ",
    " abc",
    "a b",
    "abc)",
    "alert(1)//",
    "a;alert(1)",
    "1a",
    "a..b",
    ".a",
    "a.",
    "a.1",
    "a[",
    "a[]",
    "a[x]",
    "a['x']",
    "[0]",
    "a-b",
    "a/*",
    "a=b",
    "a\u2028",
    "a\u2029b",
    "a\0",
    "a\r\nX: y",
    "a\n",
    "CWS" + "MIKI0hCD0Up0IZUnnnnnnnnnnnnnnnnnnnUU5nnnnnn3Snn7iiudIbEAt333swW0ssG03sDDtDDDt0333333G" * 2,
    "é",
    "ａ",
    "а",
    "<script>",
    "</script>",
    "\ufefff",
    "+ADw-script",
    "a`b`",
    "a\\u0028",
    "%41",
)


def test_s11_jsonp_injection_good(bookie: Bookie, alice: Person) -> None:
    for name in GOOD:
        for key, status in ((alice.api_key, 200), ("x", 403)):
            answer = bookie("GET", "/alice/account", query={"api_key": key, "callback": name})
            assert answer.status_int == status
            assert answer.headers["Content-Type"] == "application/javascript; charset=utf-8"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            start, end = f"/**/{name}(", ");"
            assert answer.text.startswith(start)
            assert answer.text.endswith(end)
            json.loads(answer.text[len(start) : -len(end)])


def test_s11_jsonp_injection_bad(bookie: Bookie, alice: Person) -> None:
    for name in BAD:
        for method in ("GET", "POST"):
            query = {"api_key": alice.api_key, "callback": name}
            answer = bookie(method, "/alice/api_key", query=query)
            assert answer.status_int == 400
            assert answer.headers["Content-Type"].startswith("application/json")
            assert answer.json == {"error": "Invalid callback."}
        # Nothing was done: the key that a POST would have replaced still opens.
        assert bookie("GET", "/alice/account", query={"api_key": alice.api_key}).status_int == 200


def test_s11_jsonp_injection_twice(bookie: Bookie, alice: Person) -> None:
    for query in ("callback=a&callback=a", "callback=a&callback=b", "callback=a&callback="):
        answer = bookie("GET", "/alice/account", query=f"api_key={alice.api_key}&{query}")
        assert (answer.status_int, answer.json) == (400, {"error": "Invalid callback."})


def test_s11_jsonp_injection_array(bookie: Bookie, alice: Person) -> None:
    """``callback[]`` is another parameter: unknown, ignored."""
    answer = bookie("GET", "/alice/account", query={"api_key": alice.api_key, "callback[]": "alert(1)"})
    assert answer.headers["Content-Type"].startswith("application/json")
    assert b"alert" not in answer.body


def test_s11_jsonp_injection_by_value(bookie: Bookie, alice: Person) -> None:
    nasty = "</script><script>alert(1)</script><!--é𝒳"
    key = {"api_key": alice.api_key}
    assert bookie("POST", "/alice/account", query=key, form={"name": "x"}).status_int == 200
    answer = bookie("POST", "/alice/account", query={**key, "callback": "f"}, json={"name": nasty})
    assert answer.status_int == 200
    assert b"<" not in answer.body
    assert answer.body.isascii()
    assert json.loads(answer.text[len("/**/f(") : -2])["name"] == nasty


def test_s11_jsonp_injection_by_path(bookie: Bookie) -> None:
    """A name in the path is never reflected."""
    answer = bookie("GET", "/%3Cscript%3E/account", query={"callback": "f"})
    assert answer.status_int == 403
    assert b"<" not in answer.body
    assert b"script" not in answer.body
