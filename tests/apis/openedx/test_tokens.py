"""Tokens for programs (section 14), and the real client of Open edX."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle, profile
from accountsapp.domain.credentials import password_change
from accountsapp.domain.oauth import clients
from accountsapp.process import Process
from accountsapp.testing.oauth import Client
from accountsapp.testing.people import SITE_URL, Person
from tests.support.openedx import ACCOUNTS, account_of

TOKEN = "/oauth2/access_token"
CREDENTIALS = {"grant_type": "client_credentials"}
ALL_SCOPES = "profile_read profile_write email_read email_write"
CLAIMS = {
    *("iss", "aud", "iat", "exp", "sub", "preferred_username", "scopes", "version", "filters"),
    *("is_restricted", "grant_type", "email_verified", "administrator", "superuser", "roles"),
    *("user_id", "name", "email"),
}


@pytest.fixture
def owned(stores: Process, adult: Person) -> Client:
    return Client(stores, confidential=True, owner_id=adult.id)


def ask(app: TestApp, client: Client, status: int = 200, **changes: str) -> Any:
    return app.post(TOKEN, {**CREDENTIALS, **client.identity, **changes}, status=status)


def test_opaque_tokens(app: TestApp, owned: Client, adult: Person) -> None:
    for further in ({}, {"token_type": "bearer"}, {"token_type": "Bearer"}):
        answer = ask(app, owned, **further)
        assert answer.json.keys() == {"access_token", "token_type", "expires_in", "scope"}
        assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 3600)
        assert answer.json["scope"] == ALL_SCOPES
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Pragma"] == "no-cache"
        headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert app.get("/api/user/v1/me", headers=headers).json == {"username": "alice"}
        app.patch(
            account_of(adult), b"{}", headers={**headers, "Content-Type": "application/merge-patch+json"}
        )
    narrow = ask(app, owned, scope="email_read profile_read").json
    assert narrow["scope"].split() == ["profile_read", "email_read"]
    app.get("/oauth2/access_token/", status=405)
    basic = b64encode(f"{owned.client_id}:{owned.secret}".encode()).decode()
    app.post(TOKEN + "/", CREDENTIALS, headers={"Authorization": f"Basic {basic}"})


def test_signed_tokens(app: TestApp, owned: Client, adult: Person, stores: Process) -> None:
    for token_type in ("jwt", "JWT"):
        answer = ask(app, owned, token_type=token_type).json
        assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
        assert (answer["token_type"], answer["expires_in"]) == ("JWT", 3600)
    token = answer["access_token"]
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.keys() >= CLAIMS
    assert claims["exp"] - claims["iat"] == 3600
    expected = {
        "iss": f"{SITE_URL}/oauth2",
        "preferred_username": "alice",
        "scopes": ALL_SCOPES.split(),
        "filters": [],
        "is_restricted": False,
        "grant_type": "client_credentials",
        "email_verified": True,
        "administrator": False,
        "superuser": False,
        "roles": [],
        "user_id": adult.id,
        "name": "Alice Liddell",
        "email": adult.email,
    }
    assert {name: claims[name] for name in expected} == expected
    narrow = ask(app, owned, token_type="jwt", scope="profile_read").json["access_token"]
    headers = {"Authorization": f"JWT {narrow}"}
    assert app.get(account_of(adult), headers=headers).json["email"] == adult.email
    merge = {**headers, "Content-Type": "application/merge-patch+json"}
    app.patch(account_of(adult), b"{}", headers=merge, status=403)
    with stores.transaction() as store:
        profile.change(store, adult.id, {"name": None})
    assert (
        jwt.decode(
            ask(app, owned, token_type="jwt").json["access_token"], options={"verify_signature": False}
        )["name"]
        == ""
    )


def test_a_signed_token_ends_at_once(
    app: TestApp, owned: Client, adult: Person, register: Callable[..., Person], stores: Process
) -> None:
    def token_of(client: Client) -> dict[str, str]:
        return {"Authorization": f"JWT {ask(app, client, token_type='jwt').json['access_token']}"}

    bob, carol = register("bob"), register("carol")
    revoked, deactivated = token_of(owned), token_of(Client(stores, confidential=True, owner_id=bob.id))
    deleted = token_of(Client(stores, confidential=True, owner_id=carol.id))
    changed = token_of(Client(stores, confidential=True, owner_id=adult.id))
    for headers in (revoked, deactivated, deleted, changed):
        app.get("/api/user/v1/me", headers=headers)
    with stores.transaction() as store:
        clients.revoke(store, owned.client_id)
        lifecycle.deactivate(store, bob.id)
        lifecycle.delete(store, carol.id)
        password_change.set_by_operator(store, adult.id, "another good one")
    for headers in (revoked, deactivated, deleted, changed):
        app.get("/api/user/v1/me", headers=headers, status=401)
    ask(app, owned, 401)


def test_a_client_without_an_account(app: TestApp, adult: Person, stores: Process) -> None:
    client = Client(stores, confidential=True)
    for further, scheme in (({}, "Bearer"), ({"token_type": "jwt"}, "JWT")):
        answer = ask(app, client, **further).json
        headers = {"Authorization": f"{scheme} {answer['access_token']}"}
        assert "email" not in app.get(account_of(adult), headers=headers).json
        app.head(account_of(adult), headers=headers)
        merge = {**headers, "Content-Type": "application/merge-patch+json"}
        app.patch(account_of(adult), b"{}", headers=merge, status=404)
        app.delete(account_of(adult) + "image", headers=headers, status=404)
        app.get("/api/user/v1/preferences/alice", headers=headers, status=404)
        app.get("/api/user/v1/me", headers=headers, status=403)
        app.get(ACCOUNTS, headers=headers, status=404)
        app.post("/i18n/setlang/", {"language": "de"}, headers=headers, status=403)
        app.post(f"{ACCOUNTS}/deactivate_logout/", {"password": "x"}, headers=headers, status=403)
        app.post("/i18n/setlang/", {"language": "no such"}, headers=headers, status=403)


def test_refusals(app: TestApp, owned: Client, register: Callable[..., Person], stores: Process) -> None:
    public = Client(stores, owner_id=register("bob").id)
    locked = Client(stores, confidential=True, owner_id=register("carol").id, scopes=["profile_read"])
    cases = [
        ({**CREDENTIALS, "client_id": "x", "client_secret": "y"}, 401, "invalid_client"),
        ({**CREDENTIALS, **owned.identity, "client_secret": "y"}, 401, "invalid_client"),
        (CREDENTIALS, 401, "invalid_client"),
        (owned.identity, 400, "invalid_request"),
        ({**CREDENTIALS, **public.identity}, 400, "unauthorized_client"),
        ({**CREDENTIALS, **locked.identity, "scope": "email_write"}, 400, "invalid_scope"),
        ({**CREDENTIALS, **owned.identity, "scope": "nothing"}, 400, "invalid_scope"),
        ({**CREDENTIALS, **owned.identity, "token_type": "mac"}, 400, "invalid_request"),
        (
            {**owned.identity, "grant_type": "password", "username": "a", "password": "b"},
            400,
            "unsupported_grant_type",
        ),
        ({**owned.identity, "grant_type": "authorization_code", "code": "x"}, 400, "invalid_grant"),
    ]
    for form, status, error in cases:
        answer = app.post(TOKEN, form, expect_errors=True)
        assert (answer.status_int, answer.json["error"]) == (status, error), form
        assert answer.headers["Cache-Control"] == "no-store"
    with stores.transaction() as store:
        row = store.reader.by_username("carol")
        assert row is not None
        lifecycle.deactivate(store, row.id)
    for further in ({}, {"token_type": "jwt"}):
        assert ask(app, locked, 400, **further).json["error"] == "unauthorized_client"


def test_the_other_grants(app: TestApp, adult: Person, stores: Process) -> None:
    client = Client(stores, confidential=True)
    form = {
        "grant_type": "authorization_code",
        "code": client.code(app),
        "redirect_uri": "https://client.example.com/callback",
        "code_verifier": "v" * 50,
        "token_type": "jwt",
        **client.identity,
    }
    app.reset()
    answer = app.post(TOKEN, form).json
    assert answer["token_type"] == "JWT"
    headers = {"Authorization": f"JWT {answer['access_token']}"}
    assert app.get("/api/user/v1/me", headers=headers).json == {"username": "alice"}
    refresh = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], **client.identity}
    assert app.post(TOKEN, refresh).json["token_type"] == "Bearer"
    app.post(TOKEN, refresh, status=400)
    app.get("/api/user/v1/me", headers=headers, status=401)
