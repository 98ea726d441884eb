"""``accounts import --from bookie``: every column, and what happens when it is run again."""

import json
from datetime import datetime
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.moving import bookie
from accountsapp.testing.people import PASSWORD
from tests.cli.conftest import Load, Ran, Run
from tests.support.old_systems import BOOKIE_USERS, OldDatabase

HASH = "$2a$04$2bkLbREfV.wHbQHuK6lKF.mRK/J6gfRYc4iS2UUlHJN58ekNrXnkS"
"""Of :data:`PASSWORD`."""
COUNTS = {"created": 0, "updated": 0, "unchanged": 0, "kept": 0, "failed": 0}


def user(number: int = 1, username: str = "bob", /, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "username": username,
        "name": f"{username} B.",
        "password": HASH,
        "email": f"{username}@example.com".lower(),
        "activated": True,
        "is_admin": False,
        "last_login": datetime(2020, 1, 2, 3, 4, 5, 678901),
        "signup": datetime(2011, 4, 7, 17, 50, 18),
        "api_key": f"key{number:09}",
        "invite_ct": 2,
        "invited_by": "admin",
        **values,
    }


def move(run: Run, old: OldDatabase, *options: str, exit_code: int = 0, **counts: int) -> Ran:
    """Takes the accounts; ``counts`` are those that are not 0."""
    ran = run("accounts", "import", "--from", "bookie", "--database", old.url, *options, exit_code=exit_code)
    assert ran.json == {**COUNTS, **counts}
    return ran


def exported(run: Run, *names: str) -> list[dict[str, Any]]:
    return run("accounts", "export", "--with-secrets", *names).jsons


def record(run: Run, name: str = "bob") -> dict[str, Any]:
    return exported(run, name)[0]


def test_every_column_is_taken(run: Run, old: OldDatabase, app: TestApp) -> None:
    old.add(BOOKIE_USERS, user())
    old.add(
        BOOKIE_USERS,
        user(
            2,
            "Älva@example.com",
            email="alva@example.com",
            name=None,
            activated=False,
            is_admin=True,
            last_login=None,
            invite_ct=None,
            invited_by=None,
            api_key=None,
        ),
    )
    assert move(run, old, created=2).err == ""
    bob, alva = exported(run)
    assert {key: value for key, value in bob.items() if value} == {
        "username": "bob",
        "emails": [{"email": "bob@example.com", "verified": True, "primary": True}],
        "name": "bob B.",
        "password_hash": HASH,
        "activated": True,
        "privacy_mode": True,
        "last_login": "2020-01-02T03:04:05.678901Z",
        "signup": "2011-04-07T17:50:18Z",
        "api_key": "key000000001",
        "invite_ct": 2,
        "invited_by": "admin",
    }
    assert (alva["activated"], alva["is_admin"], alva["last_login"]) == (False, True, None)
    assert (alva["name"], alva["invite_ct"], alva["invited_by"]) == (None, 0, None)
    assert alva["api_key"].startswith("acct_")
    shown = app.get("/api/v1/bob/account", {"api_key": "key000000001"}).json
    assert shown["username"] == "bob"
    app.get("/api/v1.1/users/bob/", headers={"Authorization": basic("bob", PASSWORD)})


def basic(name: str, password: str) -> str:
    import base64

    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_again_it_takes_what_is_new_or_changed(run: Run, old: OldDatabase) -> None:
    old.add(BOOKIE_USERS, user(1, "ann"), user(2, "bob"), user(3, "carl"))
    move(run, old, created=3)
    before = exported(run)
    move(run, old, unchanged=3)
    assert exported(run) == before
    old.change(
        BOOKIE_USERS,
        2,
        name="Robert",
        email="robert@example.com",
        password=HASH.replace("$2a$", "$2b$"),
        api_key="another",
        is_admin=True,
        activated=False,
        signup=None,
        invite_ct=7,
    )
    old.add(BOOKIE_USERS, user(4, "dora"))
    move(run, old, created=1, updated=1, unchanged=2)
    after = exported(run)
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] == {
        **before[1],
        "name": "Robert",
        "emails": [{"email": "robert@example.com", "verified": True, "primary": True}],
        "password_hash": HASH.replace("$2a$", "$2b$"),
        "api_key": "another",
        "is_admin": True,
        "activated": False,
        "signup": None,
        "invite_ct": 7,
    }
    old.remove(BOOKIE_USERS, 1)
    move(run, old, unchanged=3)
    assert exported(run) == after


def test_what_changed_here_stays(run: Run, load: Load, old: OldDatabase) -> None:
    old.add(BOOKIE_USERS, user())
    move(run, old, created=1)
    run("accounts", "set-password", "bob", "--password-stdin", input=b"another password\n")
    load({"username": "bob", "name": "Bobby"}, update=True)
    ours = record(run)
    old.change(BOOKIE_USERS, 1, name="Robert", password=HASH.replace("$2a$", "$2y$"), invite_ct=9)
    ran = move(run, old, updated=1)
    kept = ran.err.removeprefix("users 1: changed here since, and so kept: ").removesuffix(" (bob)\n")
    assert sorted(kept.split(", ")) == ["name", "password_hash"]
    assert record(run) == {**ours, "invite_ct": 9}
    assert move(run, old, unchanged=1).err == ""
    old.change(BOOKIE_USERS, 1, name="Bert")
    move(run, old, kept=1)
    assert record(run) == {**ours, "invite_ct": 9}
    old.change(BOOKIE_USERS, 1, name="Robert", password=HASH.replace("$2a$", "$2b$"))
    move(run, old, "--update", updated=1)
    theirs = {"name": "Robert", "password_hash": HASH.replace("$2a$", "$2b$")}
    assert record(run) == {**ours, "invite_ct": 9, **theirs}


def test_who_was_deleted_or_renamed_here(run: Run, raw: Database, old: OldDatabase) -> None:
    old.add(BOOKIE_USERS, user(1, "ann"), user(2, "bob"))
    move(run, old, created=2)
    run("accounts", "delete", "ann", "--yes")
    with raw.write_engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE account SET username = 'robert', username_key = 'robert' WHERE username = 'bob'"
        )
        kept = connection.exec_driver_sql("SELECT fields FROM moved_account WHERE account_id IS NULL")
        assert kept.scalar_one() in ("{}", {})
    old.change(BOOKIE_USERS, 1, name="Annie")
    old.change(BOOKIE_USERS, 2, name="Rob")
    ran = move(run, old, updated=1, kept=1)
    assert ran.err == "users 1: was deleted here (ann)\n"
    assert [(one["username"], one["name"]) for one in exported(run)] == [("robert", "Rob")]


def test_a_password_that_was_hashed_anew_here_is_not_its_owners_change(
    run: Run, app: TestApp, raw: Database, old: OldDatabase
) -> None:
    old.add(BOOKIE_USERS, user())
    move(run, old, created=1)
    with raw.write_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET password_hash = '$2b$05$x'")
    old.change(BOOKIE_USERS, 1, password=HASH.replace("$2a$", "$2y$"))
    move(run, old, updated=1)
    assert record(run)["password_hash"] == HASH.replace("$2a$", "$2y$")


def test_what_cannot_be_taken_is_told_and_the_rest_is_taken(run: Run, load: Load, old: OldDatabase) -> None:
    load({"username": "here", "email": "here@example.com"})
    rows = [
        user(1, "ann"),
        user(2, "a/b"),
        user(3, "bob", email="nowhere"),
        user(4, "carl", email=None),
        user(5, "dora", password="clear and short"),
        user(6, "emil", api_key="key000000001"),
        user(7, "HERE"),
        user(8, "finn", email="Here@example.com"),
        user(9, "ANN", email="other@example.com"),
        user(10, "gus", invite_ct=-1, name=None),
        user(11, "hugo"),
    ]
    old.add(BOOKIE_USERS, *rows)
    expected = {
        1: "",
        2: "username:",
        3: "email:",
        4: "email: is required",
        5: "password_hash:",
        6: "That API key belongs",
        7: "The user name is already taken",
        8: "That e-mail address is already taken",
        9: "The user name is already taken",
        10: "invite_ct:",
        11: "",
    }

    def told(ran: Ran) -> None:
        lines = dict(line.removeprefix("users ").split(": ", 1) for line in ran.err.splitlines())
        assert lines.keys() == {str(number) for number, start in expected.items() if start}
        for number, line in lines.items():
            assert line.startswith(expected[int(number)])
        assert "clear and short" not in ran.err

    before = run("accounts", "export").out
    told(move(run, old, "--dry-run", exit_code=1, created=2, failed=9))
    assert run("accounts", "export").out == before
    told(move(run, old, exit_code=1, created=2, failed=9))
    told(move(run, old, exit_code=1, unchanged=2, failed=9))
    move(run, old, "--update", exit_code=1, updated=1, unchanged=2, failed=8)
    assert record(run, "here")["emails"][0]["email"] == "here@example.com"


def test_a_rehearsal_sees_beyond_a_batch(run: Run, old: OldDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accountsapp.domain.transfer.moving.RECORDS_AT_ONCE", 1)
    monkeypatch.setattr("accountsapp.moving.databases.ROWS_AT_ONCE", 1)
    old.add(
        BOOKIE_USERS,
        user(1, "ann"),
        user(2, "ANN", email="other@example.com"),
        user(3, "bob", email="ann@EXAMPLE.com"),
        user(4, "ann@example.com", email="x@example.com"),
        user(5, "carl", api_key="key000000001"),
    )
    rehearsed = move(run, old, "--dry-run", exit_code=1, created=1, failed=4)
    moved = move(run, old, exit_code=1, created=1, failed=4)
    assert rehearsed.err == moved.err
    assert len(moved.err.splitlines()) == 4


def test_it_goes_on_where_it_ended(run: Run, old: OldDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accountsapp.domain.transfer.moving.RECORDS_AT_ONCE", 2)
    old.add(BOOKIE_USERS, *(user(number, f"user{number}") for number in range(1, 8)))
    read = bookie.record_of

    def fail_at_the_sixth(row: dict[str, Any]) -> dict[str, Any]:
        if row["id"] == 6:
            raise OSError(5, "the machine fails", "a disk")
        return read(row)

    arguments = ("accounts", "import", "--from", "bookie", "--database", old.url)
    with monkeypatch.context() as patch:
        patch.setattr(bookie, "record_of", fail_at_the_sixth)
        assert run(*arguments, exit_code=1).err == "accountsapp: a disk: the machine fails\n"
    assert len(exported(run)) == 4
    move(run, old, created=3, unchanged=4)
    assert [one["api_key"] for one in exported(run)] == [f"key{number:09}" for number in range(1, 8)]


def test_the_old_database_is_read_while_it_is_written(
    run: Run, old: OldDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another row comes while the first ones are taken: none is missed or taken twice."""
    monkeypatch.setattr("accountsapp.moving.databases.ROWS_AT_ONCE", 1)
    monkeypatch.setattr("accountsapp.domain.transfer.moving.RECORDS_AT_ONCE", 1)
    old.add(BOOKIE_USERS, user(1, "ann"), user(2, "bob"))
    read = bookie.record_of

    def write_meanwhile(row: dict[str, Any]) -> dict[str, Any]:
        if row["id"] == 1:
            old.add(BOOKIE_USERS, user(3, "carl"))
            old.remove(BOOKIE_USERS, 1)
        return read(row)

    monkeypatch.setattr(bookie, "record_of", write_meanwhile)
    move(run, old, created=3)
    move(run, old, unchanged=2)


def test_two_of_one_kind(run: Run, old: OldDatabase) -> None:
    old.add(BOOKIE_USERS, user())
    move(run, old, "--as", "first", created=1)
    ran = move(run, old, "--as", "second", exit_code=1, failed=1)
    assert ran.err == "users 1: The user name is already taken (bob)\n"


def test_it_is_in_the_audit(run: Run, old: OldDatabase) -> None:
    old.add(BOOKIE_USERS, user())
    move(run, old, "--dry-run", created=1)
    assert "imported" not in run("audit", "list").out
    move(run, old, created=1)
    assert "imported" in run("audit", "list").out


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--from", "bookie"), 2, "--database"),
        (("--from", "csv"), 2, "FILE"),
        (("--from", "nothing", "--database", "sqlite:///x"), 2, "nothing"),
        (("--database", "sqlite:///x", "-"), 2, "--from"),
        (("--dry-run", "-"), 2, "--from"),
        (("--from", "bookie", "--database", "sqlite:///no/such/file"), 1, "no such file"),
        (("--from", "bookie", "--database", "no url"), 1, "must be a URL"),
        (("--from", "bookie", "--database", "oddbase://x/y"), 1, "none of"),
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_wrong_usage(run: Run, arguments: tuple[str, ...], code: int, text: str) -> None:
    ran = run("accounts", "import", *arguments, exit_code=code)
    assert text in ran.err
    assert "Traceback" not in ran.err


def test_another_database(run: Run, old: OldDatabase) -> None:
    old.execute("CREATE TABLE other (id INTEGER)")
    ran = run("accounts", "import", "--from", "bookie", "--database", old.url, exit_code=1)
    assert ran.err == "accountsapp: the database has no table users\n"
    old.execute("DROP TABLE other")
    old.execute("CREATE TABLE users (id INTEGER, username TEXT, email TEXT, password TEXT)")
    ran = run("accounts", "import", "--from", "bookie", "--database", old.url, exit_code=1)
    assert ran.err == "accountsapp: the table users has no column api_key\n"
    assert json.loads(run("accounts", "export").out or "[]") == []
