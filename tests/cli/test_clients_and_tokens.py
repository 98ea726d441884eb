"""``accountsapp clients`` and ``accountsapp tokens``."""

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.oauth import CALLBACK, Client, works
from accountsapp.testing.people import Person
from tests.cli.conftest import Run


def test_a_public_client(run: Run) -> None:
    made = run("clients", "add", "Robot", "--redirect-uri", CALLBACK).json
    assert set(made) == {"client_id"}
    (listed,) = run("clients", "list", "--json").jsons
    assert listed["client_id"] == made["client_id"]
    assert listed["scope"] == "profile_read email_read"
    assert listed["redirect_uris"] == [CALLBACK]
    assert not listed["confidential"]


def test_a_confidential_client_with_an_owner(run: Run, alice: Person) -> None:
    made = run("clients", "add", "Robot", "--confidential", "--owner", "ALICE", "--scope", "email_write").json
    assert set(made) == {"client_id", "client_secret"}
    listing = run("clients", "list", "--json")
    assert made["client_secret"] not in listing.out
    assert listing.json["owner"] == "alice"
    assert listing.json["scope"] == "email_write"


def test_a_resource_server(run: Run) -> None:
    made = run("clients", "add", "Gateway", "--confidential", "--introspect").json
    assert set(made) == {"client_id", "client_secret"}
    run("clients", "add", "Robot", "--confidential")
    assert [row["resource_server"] for row in run("clients", "list", "--json").jsons] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("add", "Robot", "--owner", "nobody"), 1),
        (("add", "Robot", "--redirect-uri", "/relative"), 1),
        (("add", "Robot", "--redirect-uri", "https://example.org/#fragment"), 1),
        (("add", "Robot", "--redirect-uri", "javascript:alert(1)"), 1),
        (("add", "Robot", "--redirect-uri", "http://a:99999/b"), 1),
        (("add", "Robot", "--redirect-uri", "http://a:port/b"), 1),
        (("add", " "), 1),
        (("revoke", "unknown"), 1),
        (("add", "Robot", "--scope", "everything"), 2),
        (("add",), 2),
        (("add", "Gateway", "--introspect"), 2),
    ],
)
def test_what_cannot_be_done(run: Run, arguments: tuple[str, ...], exit_code: int) -> None:
    ran = run("clients", *arguments, exit_code=exit_code)
    if exit_code == 1:
        assert len(ran.err.splitlines()) == 1


def test_a_revoked_client_and_its_tokens(run: Run, app: TestApp, stores: Process, alice: Person) -> None:
    client = Client(stores)
    token = client.tokens(app)["access_token"]
    run("clients", "revoke", client.client_id)
    assert not works(app, token)
    assert run("clients", "list", "--json").json["revoked"]
    run("clients", "revoke", client.client_id, exit_code=1)


def test_a_token_by_hand(run: Run, app: TestApp, alice: Person) -> None:
    ran = run("tokens", "issue", "Alice", "--scope", "email_read", "--scope", "profile_read")
    made = ran.json
    assert (made["scope"], made["expires_in"]) == ("profile_read email_read", 3600)
    assert works(app, made["access_token"])
    longer = run("tokens", "issue", "alice", "--scope", "profile_read", "--expires-in", "7200").json
    assert longer["expires_in"] == 7200
    run("tokens", "revoke", made["access_token"])
    assert not works(app, made["access_token"])
    run("tokens", "revoke", made["access_token"], exit_code=1)
    run("tokens", "issue", "nobody", "--scope", "profile_read", exit_code=1)
    run("tokens", "issue", "alice", exit_code=2)
