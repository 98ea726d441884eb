"""What a report of lost keys must be, what is refused in which order, what is answered (keys 8)."""

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.testing.people import SITE_URL, Person
from tests.support.reporting import LEAKS, Reporter

TOO_LARGE = b"[" + b" " * 1024 * 1024 + b"]"
Snapshot = Callable[[], dict[str, list[tuple[Any, ...]]]]


def test_the_answer(app: TestApp, alice: Person, reporter: Reporter) -> None:
    findings = [
        {
            "token": alice.api_key,
            "type": "accountsapp_api_key",
            "url": "https://x.example/",
            "source": "commit",
        },
        {"token": alice.api_key[:-1], "type": "é \ud800", "more": {"nested": [None]}},
        {"token": "", "type": 7, "url": None, "source": []},
        {"token": "\ud800\x00", "type": None},
    ]
    answer = reporter.send(app, json.dumps(findings).encode())
    assert answer.json == [
        {
            "token_hash": sha256(alice.api_key.encode()).hexdigest(),
            "token_type": "accountsapp_api_key",
            "label": "true_positive",
        },
        {
            "token_hash": sha256(alice.api_key[:-1].encode()).hexdigest(),
            "token_type": "é \ud800",
            "label": "false_positive",
        },
        {"token_hash": sha256(b"").hexdigest(), "token_type": "", "label": "false_positive"},
        {
            "token_hash": sha256("\ud800\x00".encode("utf-8", "surrogatepass")).hexdigest(),
            "token_type": "",
            "label": "false_positive",
        },
    ]
    assert alice.api_key not in answer.text
    assert answer.content_type == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not {"Set-Cookie", "Access-Control-Allow-Origin"} & set(answer.headers)
    assert reporter.send(app, b"[]").json == []
    assert reporter.send(app, b" [ ] ", **{"Content-Type": "image/png; charset=x"}).json == []


def test_where_it_is_is_published(app: TestApp) -> None:
    assert app.get("/api/keys/v1/pattern").json["report"] == SITE_URL + LEAKS


def test_no_credential_is_looked_at(app: TestApp, reporter: Reporter, alice: Person) -> None:
    ambient = {
        "Authorization": "Basic wrong",
        "X-Api-Key": "wrong",
        "Cookie": "sessionid=wrong",
        "Origin": "https://elsewhere.example",
    }
    answer = reporter.send(app, b"[]", **ambient)
    assert not {"Set-Cookie", "Access-Control-Allow-Origin"} & set(answer.headers)
    key = {"X-Api-Key": alice.api_key, "Authorization": f"Bearer {alice.api_key}"}
    assert app.post(f"{LEAKS}?api_key={alice.api_key}", "[]", headers=key, status="4*").status_int in (
        400,
        403,
    )


def test_methods(app: TestApp, reporter: Reporter) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        refused = app.request(LEAKS, method=method, body=TOO_LARGE, headers=reporter.sign(b""), status=405)
        assert refused.headers["Allow"] == "OPTIONS, POST"
    assert app.options(LEAKS, status=204).headers["Allow"] == "OPTIONS, POST"
    assert app.post(f"{LEAKS}/more", b"[]", status=404)


def test_the_order_of_refusals(app: TestApp, reporter: Reporter, alice: Person, snapshot: Snapshot) -> None:
    """Each request has the faults of all rows below its own, too."""
    before = snapshot()
    stranger, other = Reporter(reporter.identifier), Reporter("unknown")
    wrong_json = b'[{"token": 1}]' * 2
    no_token = json.dumps([{"token": alice.api_key}] * 1000 + [{"type": "x"}]).encode()
    too_many = json.dumps([{"token": alice.api_key}] * 1001).encode()
    good = json.dumps([{"token": alice.api_key}]).encode()
    signed = reporter.sign(good)
    identifier, signature = signed.items()
    for name, content, headers, status in (
        ("too large", TOO_LARGE, {}, 413),
        ("too large, signed", TOO_LARGE, reporter.sign(TOO_LARGE), 413),
        ("no header", wrong_json, {}, 403),
        ("no signature", good, dict([identifier]), 403),
        ("no identifier", good, dict([signature]), 403),
        ("empty", good, {**signed, "Github-Public-Key-Signature": ""}, 403),
        ("no base64", wrong_json, {**reporter.sign(wrong_json), "Github-Public-Key-Signature": "!"}, 403),
        ("bytes", good, {**signed, "Github-Public-Key-Signature": "\xe9\xff"}, 403),
        ("unclean base64", good, {**signed, "Github-Public-Key-Signature": signature[1] + "!"}, 403),
        ("no DER", good, {**signed, "Github-Public-Key-Signature": b64encode(b"no DER").decode()}, 403),
        ("unknown identifier", wrong_json, other.sign(wrong_json), 403),
        ("identifier in another case", good, {**signed, identifier[0]: "FIRST"}, 403),
        ("another's key", wrong_json, stranger.sign(wrong_json), 403),
        ("another's key, good", good, stranger.sign(good), 403),
        ("of another report", good, reporter.sign(b"[]"), 403),
        ("one byte more", good + b" ", signed, 403),
        ("no JSON", wrong_json, reporter.sign(wrong_json), 400),
        ("no token, too many", no_token, reporter.sign(no_token), 400),
        ("too many", too_many, reporter.sign(too_many), 413),
    ):
        refused = app.post(LEAKS, content, headers=headers, expect_errors=True)
        assert refused.status_int == status, name
        assert refused.json.keys() == {"error"}, name
        assert alice.api_key not in refused.text
    assert snapshot() == before


def test_what_is_no_report(app: TestApp, reporter: Reporter, alice: Person, snapshot: Snapshot) -> None:
    before = snapshot()
    token = json.dumps({"token": alice.api_key})
    for content in (
        b"",
        b"null",
        b"{}",
        b'"text"',
        b"7",
        token.encode(),
        f"[{token}".encode(),
        f"[{token}, []]".encode(),
        f"[{token}, null]".encode(),
        f"[{token}, {{}}]".encode(),
        f'[{token}, {{"token": null}}]'.encode(),
        f'[{token}, {{"token": ["x"]}}]'.encode(),
        f'[{token}, {{"token": 1}}]'.encode(),
        f'[{token}, {{"token": "a", "token": "b"}}]'.encode(),
        f'[{token}, {{"token": "a", "x": NaN}}]'.encode(),
        f"[{token}] more".encode(),
        f"[{token}]".encode("utf-16"),
        b"\xef\xbb\xbf" + f"[{token}]".encode(),
        f'[{token}, {{"token": "'.encode() + b'\xff"}]',
        b"[" * 100_000,
        f'[{token}, {{"token": "a", "x": {"[" * 30}{"]" * 30}}}]'.encode(),
        f'[{token}, {{"token": "a", "x": {"9" * 5000}}}]'.encode(),
    ):
        refused = reporter.send(app, content, 400)
        assert refused.json.keys() == {"error"}, content[:80]
        assert alice.api_key not in refused.text
    assert snapshot() == before


def test_bad_signatures_are_throttled(throttled: TestApp, reporter: Reporter) -> None:
    """By client address, as wrong keys are; whoever comes from elsewhere is heard."""
    statuses = [
        throttled.post(LEAKS, b"[]", headers=Reporter().sign(b"[]"), expect_errors=True).status_int
        for _ in range(61)
    ]
    assert statuses == [403] * 60 + [429]
    refused = throttled.post(LEAKS, b"[]", expect_errors=True)
    assert (refused.status_int, int(refused.headers["Retry-After"]) > 0) == (429, True)
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    headers = reporter.sign(b"[]")
    assert throttled.post(LEAKS, b"[]", headers=headers, extra_environ=elsewhere, status=200).json == []


def test_it_is_off_by_default(make_app: Callable[..., Any], reporter: Reporter) -> None:
    """Then there is no such path, whatever is done to it."""
    off = TestApp(make_app(**{"accountsapp.leaks.public_keys": ""}))
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"):
        headers = reporter.sign(b"[]")
        answers = [
            off.request(path, method=method, body=b"[]", headers=headers, status=404)
            for path in (LEAKS, "/api/keys/v1/unknown")
        ]
        bodies, kept = zip(*((answer.body, sorted(answer.headers)) for answer in answers), strict=True)
        assert len(set(bodies)) == 1
        assert kept[0] == kept[1]
    assert off.get("/api/keys/v1/pattern").json["report"] is None


def test_a_file_that_cannot_be_used_stops_the_start(make_app: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_app(**{"accountsapp.leaks.public_keys": str(tmp_path / "missing.json")})
    assert stopped.value.code == (
        "accountsapp: accountsapp.leaks.public_keys: No such file or directory; "
        "name a file that this user may read"
    )
