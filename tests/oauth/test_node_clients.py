"""Clients that programs for Node.js use, against a real server: code with PKCE, refresh, look, revoke."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accountsapp.process import Process
from accountsapp.testing.oauth import CALLBACK, Client
from accountsapp.testing.people import Person

FOLDER = Path(__file__).parent / "clients"
METHODS = ("client_secret_basic", "client_secret_post", "none")


def converse(program: str, settings: dict[str, Any], consent: Callable[[str], str]) -> dict[str, Any]:
    """Run a client of the folder: it names the URL to go to, is told where that led, and says what it got."""
    node = shutil.which("node")
    assert node, "Node.js is needed: https://nodejs.org"
    assert (FOLDER / "node_modules").is_dir(), "make test installs the clients, by npm"
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [node, program], cwd=FOLDER, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        said, heard = process.stdin, process.stdout
        assert said is not None
        assert heard is not None
        try:
            print(json.dumps(settings), file=said, flush=True)
            url = heard.readline()
            if url:
                print(json.dumps(consent(json.loads(url))), file=said, flush=True)
            out, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    result: dict[str, Any] = json.loads(out)
    return result


def check(said: dict[str, Any], person: Person, client: Client) -> None:
    assert (said["first"]["username"], said["first"]["user_id"]) == ("alice", person.id)
    assert said["first"]["scope"] == "profile_read email_read"
    assert said["user"]["id"] == person.id
    assert said["second"]["access_token"] != said["first"]["access_token"]
    assert (said["replaced"], said["living"], said["revoked"]) == (401, 200, 401)
    if said["introspected"] is not None:
        assert said["introspected"]["active"]
        assert said["introspected"]["sub"] == str(person.id)
        assert said["introspected"]["client_id"] == client.client_id


def settings_of(client: Client, site: str, method: str) -> dict[str, Any]:
    return {
        "issuer": f"{site}/api/v1.1/o",
        "resource": f"{site}/api/v1.1/users/alice/",
        "redirect_uri": CALLBACK,
        "scope": "profile_read email_read",
        "method": method,
        "client_id": client.client_id,
        "client_secret": client.secret,
    }


@pytest.mark.parametrize("program", ["openid-client.js", "oauth4webapi.js"])
@pytest.mark.parametrize("method", METHODS)
def test_clients_that_read_the_metadata(
    site: str, consent: Callable[[str], str], stores: Process, alice: Person, program: str, method: str
) -> None:
    client = Client(stores, confidential=method != "none")
    said = converse(program, settings_of(client, site, method), consent)
    check(said, alice, client)
    assert (said["introspected"] is None) is (method == "none")


@pytest.mark.parametrize(
    ("method", "body", "encoding"),
    [
        ("client_secret_basic", "form", "strict"),
        ("client_secret_basic", "json", "loose"),
        ("client_secret_post", "form", "strict"),
        ("client_secret_post", "json", "strict"),
    ],
)
def test_simple_oauth2(
    site: str,
    consent: Callable[[str], str],
    stores: Process,
    alice: Person,
    method: str,
    body: str,
    encoding: str,
) -> None:
    client = Client(stores, confidential=True)
    settings = {**settings_of(client, site, method), "body": body, "encoding": encoding}
    check(converse("simple-oauth2.js", settings, consent), alice, client)
