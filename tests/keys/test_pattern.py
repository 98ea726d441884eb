"""The published form of API keys (keys 9)."""

import re
import zlib
from typing import Any

from webtest import TestApp

from accountsapp.domain.rules.api_keys import make_api_key
from accountsapp.testing.people import Person

PATTERN = "/api/keys/v1/pattern"


def checksum_of(api_key: str, rule: dict[str, Any]) -> str:
    """As a scanner computes it that knows the answer alone."""
    number = zlib.crc32(api_key[slice(*rule["input"])].encode("ascii"))
    digits = ""
    for _ in range(rule["output"][1] - rule["output"][0]):
        number, digit = divmod(number, rule["base"])
        digits = rule["alphabet"][digit] + digits
    return digits


def test_the_form(app: TestApp, alice: Person) -> None:
    answer = app.get(PATTERN, status=200)
    assert answer.content_type == "application/json"
    assert answer.json == {
        "type": "accountsapp_api_key",
        "prefix": "acct_",
        "length": 41,
        "regex": "acct_[0-9A-Za-z]{36}",
        "report": None,
        "checksum": {
            "algorithm": "crc32",
            "input": [5, 35],
            "output": [35, 41],
            "base": 62,
            "alphabet": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        },
    }
    said = answer.json
    for api_key in (alice.api_key, *(make_api_key() for _ in range(100))):
        assert re.fullmatch(said["regex"], api_key)
        assert len(api_key) == said["length"]
        output = slice(*said["checksum"]["output"])
        assert api_key[output] == checksum_of(api_key, said["checksum"])


def test_everybody_reads_and_may_keep_it(app: TestApp, alice: Person) -> None:
    plain = app.get(PATTERN)
    assert plain.headers["Access-Control-Allow-Origin"] == "*"
    assert "no-store" not in plain.headers["Cache-Control"]
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in plain.headers
    for headers in (
        {"X-Api-Key": "wrong"},
        {"Authorization": "Basic wrong"},
        {"Cookie": "sessionid=wrong"},
        {"Origin": "https://elsewhere.example"},
    ):
        assert app.get(f"{PATTERN}?api_key=wrong", headers=headers).body == plain.body
    head = app.head(PATTERN, status=200)
    assert (head.body, head.headers["Content-Length"]) == (b"", str(len(plain.body)))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = app.request(PATTERN, method=method, status=405)
        assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert app.get(f"{PATTERN}/more", status=404).json == app.get("/api/keys/v1/nothing", status=404).json
