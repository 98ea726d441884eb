"""Programs that people use, against a real server on the loopback address."""

import json
import subprocess
from collections.abc import Callable

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from requests_oauthlib import OAuth2Session

from accountsapp.process import Process
from accountsapp.testing.oauth import AUTHORIZE, CALLBACK, REVOKE, TOKEN, Client
from accountsapp.testing.people import PASSWORD, Person

SCOPES = ["profile_read", "email_read"]


@pytest.mark.parametrize("redirect_uri", [CALLBACK, None])
def test_requests_oauthlib(
    site: str,
    consent: Callable[[str], str],
    stores: Process,
    alice: Person,
    monkeypatch: pytest.MonkeyPatch,
    redirect_uri: str | None,
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the client's: ours needs none
    client = Client(stores)
    session = OAuth2Session(client.client_id, redirect_uri=redirect_uri, scope=SCOPES, pkce="S256")
    url, _ = session.authorization_url(site + AUTHORIZE)
    back = consent(url)
    first = session.fetch_token(site + TOKEN, authorization_response=back, include_client_id=True)
    assert first["username"] == "alice"
    assert session.get(f"{site}/api/v1.1/users/alice/").json()["id"] == alice.id
    second = session.refresh_token(site + TOKEN, client_id=client.client_id)
    assert second["access_token"] != first["access_token"]
    assert session.get(f"{site}/api/v1.1/users/alice/emails/").status_code == 200
    revoked = session.post(
        site + REVOKE, data={"token": second["refresh_token"], "client_id": client.client_id}
    )
    assert revoked.status_code == 200
    assert session.get(f"{site}/api/v1.1/users/alice/").status_code == 401


@pytest.mark.parametrize(
    ("method", "redirect_uri"),
    [
        ("client_secret_basic", CALLBACK),
        ("client_secret_post", CALLBACK),
        ("none", CALLBACK),
        ("none", None),
    ],
)
def test_authlib(
    site: str,
    consent: Callable[[str], str],
    stores: Process,
    alice: Person,
    method: str,
    redirect_uri: str | None,
) -> None:
    client = Client(stores, confidential=method != "none")
    session = AuthlibSession(
        client.client_id,
        client.secret,
        scope=" ".join(SCOPES),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
    )
    verifier = "x" * 48
    url, _ = session.create_authorization_url(site + AUTHORIZE, code_verifier=verifier)
    first = session.fetch_token(site + TOKEN, authorization_response=consent(url), code_verifier=verifier)
    assert first["user_id"] == alice.id
    assert session.get(f"{site}/api/v1.1/users/alice/").json()["username"] == "alice"
    second = session.refresh_token(site + TOKEN, refresh_token=first["refresh_token"])
    assert second["access_token"] != first["access_token"]
    assert session.revoke_token(site + REVOKE, token=second["refresh_token"]).status_code == 200
    header = {"Authorization": f"Bearer {second['access_token']}"}
    assert requests.get(f"{site}/api/v1.1/users/alice/", headers=header, timeout=10).status_code == 401


def test_curl_with_basic(site: str, alice: Person) -> None:
    url = f"{site}/api/v1.1/users/alice"
    read = ["curl", "-sS", "-u", f"alice:{PASSWORD}", url]
    assert json.loads(subprocess.run(read, capture_output=True, check=True).stdout)["id"] == alice.id
    write = [*read, "-X", "PATCH", "-H", "Content-Type: application/json", "-d", '{"company": "Curl"}']
    assert json.loads(subprocess.run(write, capture_output=True, check=True).stdout)["company"] == "Curl"
    form = [*read, "-X", "PATCH", "-d", "company=Form"]
    assert json.loads(subprocess.run(form, capture_output=True, check=True).stdout)["company"] == "Form"
