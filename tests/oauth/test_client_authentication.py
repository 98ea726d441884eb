"""How a client proves itself by HTTP Basic (dockerhub 7.3, RFC 6749 2.3.1)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from webtest import TestApp

from accountsapp.testing.oauth import INTROSPECT, REVOKE, TOKEN, Client, basic
from accountsapp.testing.people import Person


def every_byte(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def underscores_and_hyphens(text: str) -> str:
    """As libraries do that escape all but letters and digits."""
    return quote_plus(text).replace("_", "%5F").replace("-", "%2D")


def paths(client: Client, given: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    return [
        (INTROSPECT, {"token": given["access_token"]}),
        (TOKEN, refresh),
        (REVOKE, {"token": given["access_token"]}),
    ]


@pytest.mark.parametrize("encode", [str, quote, quote_plus, underscores_and_hyphens, every_byte])
def test_both_parts_are_form_decoded(
    app: TestApp, confidential: Client, encode: Callable[[str], str]
) -> None:
    headers = basic(encode(confidential.client_id), encode(confidential.secret or ""))
    for path, body in paths(confidential, confidential.tokens(app)):
        app.post(path, body, headers=headers, status=200)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda secret: secret + "%00",
        lambda secret: secret + "+",
        lambda secret: secret + "%20",
        lambda secret: secret + "%ff",
        lambda secret: secret + "%",
        lambda secret: secret + "%zz",
        lambda secret: secret.replace("_", "%255F"),
        lambda secret: "%ed%a0%80",
        lambda secret: "",
    ],
)
def test_other_secrets_are_wrong_however_they_are_written(
    app: TestApp, confidential: Client, spoil: Callable[[str], str]
) -> None:
    given = confidential.tokens(app)
    wrong = spoil(confidential.secret or "")
    for path, body in paths(confidential, given):
        for pair in ((confidential.client_id, wrong), (wrong, confidential.secret or "")):
            answer = app.post(path, body, headers=basic(*pair), status=401)
            assert answer.json["error"] == "invalid_client"
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_what_basic_and_the_body_say_must_agree_decoded(app: TestApp, confidential: Client) -> None:
    given = confidential.tokens(app)
    headers = basic(confidential.client_id, underscores_and_hyphens(confidential.secret or ""))
    body = {"token": given["access_token"], **confidential.identity}
    app.post(INTROSPECT, body, headers=headers, status=200)
    app.post(INTROSPECT, {**body, "client_secret": "x"}, headers=headers, status=401)


@pytest.mark.parametrize("password", ["%41bc+def%2B1", "a+b c%20d/e", "100%%sure:of%5Fit"])
def test_a_persons_own_basic_is_taken_as_it_stands(
    app: TestApp, register: Callable[..., Person], password: str
) -> None:
    register("carol+1", "carol@example.com", password=password)
    path = "/api/v1.1/users/carol%2B1/"
    app.get(path, headers=basic("carol+1", password), status=200)
    app.get(path, headers=basic("carol%2B1", password), status=401)
    app.get(path, headers=basic("carol+1", quote_plus(password)), status=401)
