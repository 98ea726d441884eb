"""What requests may say beside what is known, and how (dockerhub 7.2, 7.3)."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
from webtest import TestApp

from accountsapp.testing.oauth import CALLBACK, INTROSPECT, REVOKE, TOKEN, Client, sent_back, works

FORM = "application/x-www-form-urlencoded"


def requests(client: Client, given: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    token = {"token": given["access_token"], **client.identity}
    refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], **client.identity}
    return [(INTROSPECT, token), (TOKEN, refresh), (REVOKE, token)]


def test_what_nobody_knows_is_ignored(app: TestApp, confidential: Client) -> None:
    for query in ("", "?x", "?x=1&x=2&state=s&api_key=k", "?=", "?nonce=%C3%A9&Token=x&CLIENT_ID=y"):
        for path, body in requests(confidential, confidential.tokens(app)):
            app.post(path + query, body, status=200)
    for more in ("x=1&x=2", "audience=a&resource=b&resource=c", "=1&=2", "x", "x=%00", "nonce=%ED%95%9C"):
        for path, body in requests(confidential, confidential.tokens(app)):
            app.post(path, f"{urlencode(body)}&{more}".encode(), content_type=FORM, status=200)
    for value in (None, 1, True, [], {"a": [1]}, "", "\ud800", "\0"):
        for path, body in requests(confidential, confidential.tokens(app)):
            app.post_json(path, {**body, "x": value, "resource": value}, status=200)


KNOWN = (
    "grant_type",
    "code",
    "redirect_uri",
    "refresh_token",
    "scope",
    "token",
    "client_id",
    "client_secret",
)


@pytest.mark.parametrize("name", [*KNOWN, "code_verifier", "token_type_hint", "client_assertion", "password"])
def test_known_ones_are_refused_in_the_url_and_twice(app: TestApp, confidential: Client, name: str) -> None:
    given = confidential.tokens(app)
    for path, body in requests(confidential, given):
        twice = urlencode({**body, name: "x"}) + f"&{name}=x"
        answers = [
            app.post(f"{path}?{name}=x", body, status=400),
            app.post(f"{path}?{name}", body, status=400),
            app.post(path, twice.encode(), content_type=FORM, status=400),
            app.post_json(path, {**body, name: ["x"]}, status=400),
            app.post_json(path, {**body, name: 1}, status=400),
            app.post_json(path, {**body, name: None}, status=400),
        ]
        assert {answer.json["error"] for answer in answers} == {"invalid_request"}
    assert works(app, given["access_token"])
    confidential.refresh(app, given["refresh_token"])  # nothing was used up


@pytest.mark.parametrize(
    "charset", ["utf-8", "UTF8", '"utf-8"', "iso-8859-1", "windows-1252", "utf-16", "klingon"]
)
def test_a_charset_on_a_form_is_no_reason_to_refuse_it(
    app: TestApp, confidential: Client, charset: str
) -> None:
    for path, body in requests(confidential, confidential.tokens(app)):
        form = urlencode(body).encode()
        app.post(path, form, content_type=f"{FORM}; charset={charset}", status=200)
        for bad in (b"x=\xff", b"x=%FF", "state=\xe9".encode("latin-1")):
            answer = app.post(path, bad, content_type=f"{FORM}; charset={charset}", status=400)
            assert answer.json["error"] == "invalid_request"
    answer = app.post(
        TOKEN, json.dumps({"x": 1}), content_type="application/json; charset=latin-1", status=415
    )
    assert answer.json["error"] == "invalid_request"


def challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


@pytest.mark.parametrize("verifier", ["v" * 43, "v" * 128, "-._~" * 11, "aZ09-._~" * 16])
def test_a_verifier_has_43_to_128_unreserved_characters(app: TestApp, public: Client, verifier: str) -> None:
    code = public.code(app, code_challenge=challenge_of(verifier))
    public.exchange(app, code, code_verifier=verifier)


@pytest.mark.parametrize(
    "verifier",
    [
        "v",
        "v" * 42,
        "v" * 129,
        "v" * 42 + "+",
        "v" * 42 + "=",
        "v" * 42 + " ",
        "v" * 43 + "\n",
        "é" * 43,
        "v" * 42 + "\0",
    ],
)
def test_another_verifier_is_invalid_grant_although_it_fits(
    app: TestApp, public: Client, verifier: str
) -> None:
    code = public.code(app, code_challenge=challenge_of(verifier))
    assert public.exchange(app, code, 400, code_verifier=verifier).json["error"] == "invalid_grant"


@pytest.mark.parametrize("who", ["public", "confidential"])
@pytest.mark.parametrize(
    "challenge",
    ["c" * 42, "c" * 44, "c" * 42 + "=", "c" * 42 + "+", "c" * 42 + "/", "c" * 43 + "\n", "c" * 42 + "~"],
)
def test_another_challenge_is_invalid_request(
    app: TestApp, public: Client, confidential: Client, who: str, challenge: str
) -> None:
    client = {"public": public, "confidential": confidential}[who]
    answer = app.get(client.query(code_challenge=challenge))
    assert answer.location.startswith(CALLBACK)
    assert sent_back(answer)["error"] == "invalid_request"
