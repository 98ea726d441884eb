"""``accountsapp accounts``: administration by hand."""

from pathlib import Path

import pytest
from sqlalchemy import select
from webtest import TestApp

from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.rules.usernames import RESERVED
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.cli.conftest import Ran, Run


def refused(ran: Ran) -> str:
    assert ran.out == ""
    assert ran.err.startswith("accountsapp: ")
    assert ran.err.count("\n") == 1
    return ran.err


def stored(stores: Process, username: str) -> Account:
    with stores.transaction() as store:
        account = store.session.scalars(select(Account).where(Account.username == username)).one()
        assert account.emails
        store.session.expunge_all()
        return account


def test_add(run: Run, app: TestApp, stores: Process) -> None:
    made = run("accounts", "add", "bob", "--email", " Bob@Example.com ", "--name", " Bob B ").json
    assert made.keys() == {"username", "api_key"}
    answer = app.get("/api/v1/bob/account", {"api_key": made["api_key"]}).json
    assert (answer["email"], answer["name"], answer["activated"]) == ("bob@example.com", "Bob B", True)
    account = stored(stores, "bob")
    assert (account.is_admin, account.is_staff, account.permissions) == (False, False, [])
    assert account.password_hash is None
    assert account.emails[0].verified


def test_add_with_everything(run: Run, app: TestApp, stores: Process) -> None:
    made = run(
        *("accounts", "add", "carol", "--email", "c@example.com", "--api-key", "12ab34cd56ef", "--admin"),
        *("--staff", "--permission", "Addons:Edit", "--permission", "*:*", "--permission", "Addons:Edit"),
        "--password-stdin",
        input=f"{PASSWORD}\r\n",
    ).json
    assert made == {"username": "carol", "api_key": "12ab34cd56ef"}
    account = stored(stores, "carol")
    assert (account.is_admin, account.is_staff) == (True, True)
    assert account.permissions == ["Addons:Edit", "*:*"]
    assert stores.passwords.verify(PASSWORD, account.password_hash)
    app.get("/api/v1/carol/account", {"api_key": "12ab34cd56ef"})


@pytest.mark.parametrize(
    "username", ["ab", "a" * 36, "-abc", "a b", "a/b", "123", "jürgen", "Admin@x", *sorted(RESERVED)]
)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_add_refuses_usernames(run: Run, username: str) -> None:
    refused(run("accounts", "add", "--email", "x@example.com", "--", username, exit_code=1))


@pytest.mark.parametrize(
    "options",
    [
        ["--email", "nobody"],
        ["--email", "ALICE@example.com"],
        ["--email", "b@example.com", "--api-key", ""],
        ["--email", "b@example.com", "--api-key", "x" * 256],
        ["--email", "b@example.com", "--api-key", "a\nb"],
        ["--email", "b@example.com", "--permission", "nothing"],
        ["--email", "b@example.com", "--name", "two\nlines"],
    ],
)
def test_add_refuses_values(run: Run, alice: Person, options: list[str]) -> None:
    refused(run("accounts", "add", "bob", *options, exit_code=1))
    assert [row["username"] for row in run("accounts", "list", "--json").jsons] == ["alice"]


def test_add_refuses_what_is_taken(run: Run, alice: Person) -> None:
    assert "user name" in refused(run("accounts", "add", "ALICE", "--email", "n@example.com", exit_code=1))
    err = refused(
        run("accounts", "add", "bob", "--email", "n@example.com", "--api-key", alice.api_key, exit_code=1)
    )
    assert alice.api_key not in err


@pytest.mark.parametrize(
    "line",
    [
        "short\n",
        "password\n",
        "bobby123\n",
        "bob@example.com\n",
        "        \n",
        "x" * 73,
        "\n",
        "",
        b"\xff" * 9,
        "a\0bcdefgh",
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_password_rule(run: Run, stores: Process, line: str | bytes) -> None:
    add = ("accounts", "add", "bobby123", "--email", "bob@example.com")
    refused(run(*add, "--password-stdin", input=line, exit_code=1))
    run(*add)
    refused(run("accounts", "set-password", "bobby123", "--password-stdin", input=line, exit_code=1))
    assert stored(stores, "bobby123").password_hash is None


def test_ensure_admin(run: Run, app: TestApp) -> None:
    made = run("accounts", "ensure-admin").json
    assert made["username"] == "admin"
    answer = app.get("/api/v1/admin/account", {"api_key": made["api_key"]})
    assert answer.json["email"] == "admin@localhost"
    assert run("accounts", "ensure-admin").out == ""
    assert run("accounts", "ensure-admin", "other").out == ""


def test_ensure_admin_by_another_name(run: Run, alice: Person) -> None:
    for taken in (["alice"], ["root", "--email", alice.email]):
        assert "USERNAME --email E" in refused(run("accounts", "ensure-admin", *taken, exit_code=1))
    made = run("accounts", "ensure-admin", "root", "--email", "root@example.com").json
    assert made["username"] == "root"
    assert [row["email"] for row in run("accounts", "list", "--json").jsons if row["is_admin"]] == [
        "root@example.com"
    ]


def test_list(run: Run, alice: Person, admin: Person) -> None:
    table = run("accounts", "list").out.splitlines()
    assert table[0].split() == ["USERNAME", "E-MAIL", "STATE", "ROLE"]
    assert table[1].split() == ["admin", "admin@example.com", "active", "admin"]
    assert table[2].split() == ["alice", "alice@example.com", "active"]
    assert run("accounts", "list", "--json").jsons[1] == {
        "username": "alice",
        "email": "alice@example.com",
        "state": "active",
        "is_admin": False,
        "is_staff": False,
    }
    assert alice.api_key not in run("accounts", "list", "--json").out


def test_list_of_none(run: Run) -> None:
    assert len(run("accounts", "list").out.splitlines()) == 1
    assert run("accounts", "list", "--json").out == ""


def test_show(run: Run, alice: Person) -> None:
    shown = run("accounts", "show", "ALICE")
    assert shown.json["username"] == "alice"
    assert shown.json["emails"] == [{"email": "alice@example.com", "verified": True, "primary": True}]
    assert shown.json.keys().isdisjoint({"password", "password_hash", "api_key", "id"})
    assert alice.api_key not in shown.out


def test_delete(run: Run, app: TestApp, alice: Person) -> None:
    run("accounts", "delete", "Alice")
    app.get("/api/v1/alice/account", {"api_key": alice.api_key}, status=403)
    run("accounts", "add", "alice", "--email", "alice@example.com")


def test_reset_key(run: Run, app: TestApp, alice: Person) -> None:
    made = run("accounts", "reset-key", "alice").json
    assert made["username"] == "alice"
    assert made["api_key"] != alice.api_key
    app.get("/api/v1/alice/account", {"api_key": alice.api_key}, status=403)
    app.get("/api/v1/alice/account", {"api_key": made["api_key"]})


def test_set_password(run: Run, stores: Process, alice: Person) -> None:
    epoch = stored(stores, "alice").credential_epoch
    run("accounts", "set-password", "alice", "--password-stdin", input="ein anderes Wort ü\n")
    account = stored(stores, "alice")
    assert stores.passwords.verify("ein anderes Wort ü", account.password_hash)
    assert account.credential_epoch == epoch + 1


def test_deactivate_and_activate(run: Run, app: TestApp, stores: Process, alice: Person) -> None:
    run("accounts", "deactivate", "alice")
    assert stored(stores, "alice").state == AccountState.DEACTIVATED
    answer = app.get("/api/v1/alice/account", {"api_key": alice.api_key}, status=403)
    assert answer.json == {"error": "Deactivated account."}
    assert run("accounts", "show", "alice").json["activated"] is False
    made = run("accounts", "reset-key", "alice").json
    run("accounts", "activate", "alice")
    app.get("/api/v1/alice/account", {"api_key": made["api_key"]})


@pytest.mark.parametrize(
    "command",
    ["show", "delete", "reset-key", "activate", "deactivate", "export", "set-password --password-stdin"],
)
@pytest.mark.parametrize("username", ["nobody", "", "\udcff", "ab\ncd"])
@pytest.mark.parametrize("backend", ["sqlite"])
def test_unknown_account(run: Run, alice: Person, command: str, username: str) -> None:
    ran = run("accounts", *command.split(), username, input="correct horse battery", exit_code=1)
    assert "no such account" in refused(ran)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_nothing_on_standard_error_when_all_is_well(run: Run, alice: Person, ini_file: Path) -> None:
    assert run("accounts", "list").err == ""
    assert run("accounts", "export").err == ""
