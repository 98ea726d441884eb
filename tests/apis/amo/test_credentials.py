"""Sessions and signed tokens: which count, and what is said of those that do not."""

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
import time_machine
from sqlalchemy import func, select
from webtest import TestApp, TestResponse

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials import jwt_keys
from accountsapp.domain.data.jwt_models import UsedJwt
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder, by_jwt, sign
from accountsapp.testing.people import SITE_URL
from tests.support.amo import Amo

REQUIRED, INVALID_HEADER = "ERROR_AUTHENTICATION_REQUIRED", "ERROR_INVALID_HEADER"
EXPIRED, DECODING = "ERROR_SIGNATURE_EXPIRED", "ERROR_DECODING_SIGNATURE"
NO_SESSION = "ERROR_AUTHENTICATION_EXPIRED"
NO_SESSION_TEXT = "Valid user session not found matching the provided session key."


def check(answer: TestResponse, code: str) -> None:
    assert (answer.status_int, answer.json.get("code")) == (401, code)
    assert answer.json.keys() == {"detail", "code"}
    assert "Session" in answer.headers["WWW-Authenticate"]
    assert "JWT" in answer.headers["WWW-Authenticate"]
    assert answer.headers["Content-Type"] == "application/json"


def authorized(amo: Amo, value: str, path: str = "/profile/", method: str = "GET") -> TestResponse:
    return amo(method, path, headers={"Authorization": value})


def test_schemes_in_any_case(amo: Amo, user: Holder) -> None:
    for scheme in ("Session", "session", "SESSION"):
        assert authorized(amo, f"{scheme} {user.cookie}").status_int == 200
    for scheme in ("JWT", "jwt", "Jwt"):
        assert authorized(amo, f"{scheme} {sign(user.signing)}").status_int == 200


def test_who_shows_nothing_that_counts_is_anonymous(amo: Amo, user: Holder, developer: Holder) -> None:
    public = f"/account/{developer.person.id}/"
    cookie = {"Cookie": f"sessionid={user.cookie}"}
    shown = [
        {},
        cookie,
        {**cookie, "X-CSRFToken": user.csrf_token},
        {"Authorization": f"Token {user.person.api_key}"},
        {"Authorization": f"Bearer {user.token}"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"X-Api-Key": user.person.api_key},
    ]
    for headers in shown:
        check(amo("GET", "/profile/", headers=headers), REQUIRED)
        check(amo("PATCH", "/account/user/", body={"location": "x"}, headers=headers), REQUIRED)
        assert amo("GET", public, headers=headers).status_int == 200
    check(amo("GET", f"/profile/?api_key={user.person.api_key}"), REQUIRED)


def test_headers_that_are_malformed(amo: Amo, user: Holder, developer: Holder) -> None:
    for path in ("/profile/", f"/account/{developer.person.id}/", "/login/start/"):
        for value in ("Session", "JWT", "JWT ", f"Session {user.cookie} x", f"JWT {sign(user.signing)} x"):
            check(authorized(amo, value, path), INVALID_HEADER)


def test_sessions_that_are_none(amo: Amo, user: Holder, developer: Holder, stores: Process) -> None:
    visitor = amo.app.get("/sessions").headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    public = f"/account/{developer.person.id}/"
    for value in ("x", "A" * 43, "é", user.cookie[:-1], sign(user.signing)):
        for path in ("/profile/", public):
            answer = authorized(amo, f"Session {value}", path)
            check(answer, NO_SESSION)
            assert answer.json["detail"] == NO_SESSION_TEXT
    check(authorized(amo, f"Session {visitor}"), NO_SESSION)
    assert authorized(amo, f"Session {visitor}", public).status_int == 200
    with stores.transaction() as store:
        lifecycle.deactivate(store, user.person.id)
    check(authorized(amo, f"Session {user.cookie}"), NO_SESSION)
    check(authorized(amo, f"Session {user.cookie}", public), NO_SESSION)


def test_a_session_ends_after_its_life(amo: Amo, user: Holder) -> None:
    with time_machine.travel(time.time() + 31 * 24 * 3600):
        check(authorized(amo, f"Session {user.cookie}"), NO_SESSION)


GOOD: dict[str, dict[str, Any]] = {
    "plain": {},
    "seldom used claims": {"aud": ["x"], "sub": 7, "other": {"a": [1]}, "nbf": 0},
    "an id": {"jti": "a" * 255},
    "a clock a little ahead": {"iat": 3, "exp": 63},
    "just expired": {"iat": -60, "exp": -3},
    "five minutes, the clock read twice": {"exp": 304},
    "fractions": {"iat": 0.5, "exp": 60.25},
    "not yet, by a little": {"nbf": 3},
}
BAD: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": f"{SITE_URL}/oauth2"},
    "an issuer that is no text": {"iss": 7},
    "an issuer that no database takes": {"iss": "\0"},
    "a lone surrogate": {"iss": "\ud800"},
    "no issuer": {"iss": None},
    "no iat": {"iat": None},
    "no exp": {"exp": None},
    "iat as text": {"iat": "1"},
    "exp as text": {"exp": "1"},
    "exp true": {"exp": True},
    "endless": {"exp": float("inf")},
    "no number": {"iat": float("nan")},
    "huge": {"exp": 10**400},
    "too long a life": {"exp": 320},
    "no life": {"iat": 0, "exp": 0},
    "life backwards": {"iat": 3, "exp": 1},
    "not yet": {"nbf": 60},
    "nbf as text": {"nbf": "now"},
    "nbf null": {"nbf": "null"},
    "an id that is no text": {"jti": 7},
    "an empty id": {"jti": ""},
    "a long id": {"jti": "a" * 256},
    "expired and too long a life": {"iat": -600, "exp": -100},
}


def claims_at(moment: int, claims: dict[str, Any]) -> dict[str, Any]:
    """Times are told from now on."""
    times = ("iat", "exp", "nbf")
    return {
        name: moment + value if name in times and type(value) in (int, float) and value == value else value
        for name, value in claims.items()
    }


def test_s42_claims(amo: Amo, user: Holder) -> None:
    moment = int(time.time())
    with time_machine.travel(moment, tick=False):
        for name, claims in GOOD.items():
            answer = amo("GET", "/profile/", headers=by_jwt(user.signing, **claims_at(moment, claims)))
            assert answer.status_int == 200, name
        for name, claims in BAD.items():
            try:
                token = raw(user, **claims_at(moment, claims))
            except OverflowError:
                pytest.fail(name)
            check(authorized(amo, f"JWT {token}"), DECODING)
        check(amo("GET", "/profile/", headers=by_jwt(user.signing, iat=moment - 60, exp=moment - 6)), EXPIRED)


def raw(user: Holder, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token of anything that can be written as JSON, rightly signed."""
    moment = int(time.time())
    said = {"iss": user.signing.key, "iat": moment, "exp": moment + 60, **claims}
    payload = json.dumps({name: value for name, value in said.items() if value is not None}).encode()
    return jwt.PyJWS().encode(payload, user.signing.secret, "HS256", headers=header)


def test_a_clock_ahead_is_told_by_how_much(amo: Amo, user: Holder) -> None:
    moment = int(time.time())
    with time_machine.travel(moment, tick=False):
        answer = amo("GET", "/profile/", headers=by_jwt(user.signing, iat=moment + 90, exp=moment + 150))
        check(answer, DECODING)
        assert "clock" in answer.json["detail"]
        assert "90 seconds" in answer.json["detail"]
        for claims in ({"exp": moment + 900}, {"iss": "x", "exp": moment + 150}):
            answer = amo("GET", "/profile/", headers=by_jwt(user.signing, iat=moment + 90, **claims))
            check(answer, DECODING)
            assert "clock" not in answer.json["detail"]


def encode(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_s42_tokens_that_are_forged(amo: Amo, user: Holder, developer: Holder) -> None:
    moment = int(time.time())
    claims = {"iss": user.signing.key, "iat": moment, "exp": moment + 60}
    signed = sign(user.signing)
    head, body, mac = signed.split(".")
    secret = user.signing.secret
    deep = "[" * 20_000 + "]" * 20_000
    forged = [
        "x",
        "a.b.c",
        f"{head}.{body}",
        f"{head}.{body}.",
        f"{head}.{body}.{mac}.",
        f"{encode({'alg': 'none'})}.{body}.",
        f"{encode({'alg': 'None'})}.{body}.{mac}",
        f"{encode({'alg': 'HS256', 'typ': 'JWT'})}.{body}.{mac[:-2]}AA",
        f"{head}.{urlsafe_b64encode(deep.encode()).decode()}.{mac}",
        f"{urlsafe_b64encode(deep.encode()).decode()}.{body}.{mac}",
        f"{encode([1])}.{body}.{mac}",
        f"{head}.{encode([1])}.{mac}",
        f"{head}.{encode('text')}.{mac}",
        jwt.encode(claims, secret, "HS384"),
        jwt.encode(claims, secret, "HS512"),
        jwt.encode(claims, "x" * 64, "HS256"),
        jwt.encode(claims, developer.signing.secret, "HS256"),
        raw(user, header={"crit": ["exp"]}),
        raw(user, header={"crit": []}),
        raw(user, header={"b64": False}),
        "é.è.à",
    ]
    unknown = authorized(amo, f"JWT {jwt.encode({**claims, 'iss': 'user:1:1'}, secret, 'HS256')}")
    check(unknown, DECODING)
    for token in forged:
        answer = authorized(amo, f"JWT {token}")
        check(answer, DECODING)
        assert answer.body == unknown.body, token
        check(authorized(amo, f"JWT {token}", f"/account/{developer.person.id}/"), DECODING)
    for header in ({"kid": "../../dev/null"}, {"jku": "https://evil.example"}, {"typ": "x"}):
        assert authorized(amo, f"JWT {raw(user, header=header)}").status_int == 200


def test_s42_a_session_is_no_token_and_a_token_no_session(amo: Amo, user: Holder) -> None:
    check(authorized(amo, f"JWT {user.cookie}"), DECODING)
    check(authorized(amo, f"Session {sign(user.signing)}"), NO_SESSION)
    check(authorized(amo, f"JWT {user.token}"), DECODING)


def test_s42_one_with_an_id_works_once(amo: Amo, user: Holder, developer: Holder, stores: Process) -> None:
    once = by_jwt(user.signing, jti="one")
    assert amo("GET", "/profile/", headers=once).status_int == 200
    check(amo("GET", "/profile/", headers=once), DECODING)
    check(amo("GET", f"/account/{developer.person.id}/", headers=by_jwt(user.signing, jti="one")), DECODING)
    assert amo("GET", "/profile/", headers=by_jwt(developer.signing, jti="one")).status_int == 200
    for number, (status, method, path, body) in enumerate(
        [
            (404, "GET", "/account/0/", None),
            (403, "DELETE", f"/account/{developer.person.id}/", None),
            (403, "POST", "/super-create/", None),
            (400, "PATCH", "/account/user/", {"homepage": "x"}),
        ]
    ):
        used = by_jwt(user.signing, jti=f"refused {number}")
        assert amo(method, path, body=body, headers=used).status_int == status
        check(amo("GET", "/profile/", headers=used), DECODING)


def test_a_token_that_fails_uses_up_nothing(amo: Amo, user: Holder, developer: Holder) -> None:
    moment = int(time.time())
    failing = [
        {"iss": "nobody"},
        {"exp": moment - 60, "iat": moment - 90},
        {"iat": moment + 60, "exp": moment + 90},
        {"nbf": moment + 60},
    ]
    for claims in failing:
        assert amo("GET", "/profile/", headers=by_jwt(user.signing, jti="same", **claims)).status_int == 401
    forged = jwt.encode(
        {"iss": user.signing.key, "iat": moment, "exp": moment + 60, "jti": "same"}, "x" * 64, "HS256"
    )
    check(authorized(amo, f"JWT {forged}"), DECODING)
    used = by_jwt(user.signing, jti="same")
    assert amo("GET", "/nothing", headers=used).status_int == 404
    assert amo("PUT", "/profile/", headers=used).status_int == 405
    assert amo("GET", "/profile/", headers=used).status_int == 200


def test_used_tokens_are_forgotten_when_they_have_expired(amo: Amo, user: Holder, stores: Process) -> None:
    moment = int(time.time())
    assert amo("GET", "/profile/", headers=by_jwt(user.signing, jti="x")).status_int == 200
    for later, left in ((0, 1), (64, 1), (70, 0)):
        with time_machine.travel(moment + later, tick=False), stores.transaction() as store:
            jwt_keys.clear_used(store.session)
            assert store.session.scalar(select(func.count()).select_from(UsedJwt)) == left


def test_a_further_key_replaces_the_older_one(amo: Amo, user: Holder, stores: Process) -> None:
    with stores.transaction() as store:
        issued = jwt_keys.issue(store, user.person.id)
    assert len(issued.secret) == 64
    assert issued.key != user.signing.key
    check(amo("GET", "/profile/", headers=by_jwt(user.signing)), DECODING)
    assert amo("GET", "/profile/", headers=by_jwt(issued)).status_int == 200


def test_the_owner_must_be_active(amo: Amo, user: Holder, developer: Holder, stores: Process) -> None:
    with stores.transaction() as store:
        lifecycle.deactivate(store, user.person.id)
        lifecycle.activate(store, user.person.id)
        again = jwt_keys.issue(store, user.person.id)
        lifecycle.delete(store, developer.person.id)
    check(amo("GET", "/profile/", headers=by_jwt(user.signing)), DECODING)
    check(amo("GET", "/profile/", headers=by_jwt(developer.signing)), DECODING)
    assert amo("GET", "/profile/", headers=by_jwt(again)).status_int == 200


def test_end_of_a_session(amo: Amo, user: Holder, stores: Process) -> None:
    from accountsapp.domain.credentials import sessions
    from accountsapp.domain.data import locking

    with stores.transaction() as store:
        other = sessions.begin(store.session, locking.lock(store.session, user.person.id), None)
    check(amo("DELETE", "/session/"), REQUIRED)
    check(amo("DELETE", "/session/", headers=by_jwt(user.signing)), REQUIRED)
    check(amo("DELETE", "/session/", headers={"Cookie": f"sessionid={user.cookie}"}), REQUIRED)
    answer = amo("DELETE", "/session/", user, headers={"Cookie": f"sessionid={other}"})
    assert (answer.status_int, answer.json) == (200, {"ok": True})
    assert "Set-Cookie" not in answer.headers
    check(amo("DELETE", "/session/", user), NO_SESSION)
    check(amo("GET", "/profile/", user), NO_SESSION)
    signed_out = amo.app.get("/sessions", headers={"Cookie": f"sessionid={user.cookie}"})
    assert b'name="password"' in signed_out.body
    last = user._replace(cookie=other)
    assert amo("GET", "/profile/", last).status_int == 200
    answer = amo("DELETE", "/session/", last, headers={"Cookie": f"sessionid={other}"})
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


def test_throttled_or_not_bad_credentials_stay_401(throttled: TestApp) -> None:
    amo = Amo(throttled)
    assert {authorized(amo, f"Session {'A' * 43}").status_int for _ in range(30)} == {401}
