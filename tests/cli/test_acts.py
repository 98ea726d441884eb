"""What a command does to accounts is recorded as its own, told to its owner, and said in one line."""

import json
import os
import pty
import pwd
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from accountsapp.db.database import Database
from accountsapp.domain import audit
from accountsapp.domain.audit import AuditRow
from accountsapp.domain.data.models import AuditEvent, EmailAddress
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SECRET, Person
from tests.cli.conftest import Ran, Run, write_ini
from tests.support.outbox import Outbox

ME = pwd.getpwuid(os.getuid()).pw_name
BY = f"command line ({ME})"


@pytest.fixture
def events(stores: Process) -> Callable[[], list[AuditRow]]:
    """Those since the fixture was made or last asked, oldest first."""

    def read() -> list[AuditRow]:
        with stores.transaction() as store:
            return list(audit.listing(store.connection))[::-1]

    seen = [len(read())]

    def news() -> list[AuditRow]:
        rows = read()[seen[0] :]
        seen[0] += len(rows)
        return rows

    return news


def test_every_act_is_recorded_with_the_user(
    run: Run, alice: Person, events: Callable[[], list[AuditRow]], ini: dict[str, str], tmp_path: Path
) -> None:
    def recorded(*arguments: str, **options: Any) -> tuple[Ran, list[tuple[str, str]]]:
        ran, rows = run(*arguments, **options), events()
        assert {row.by for row in rows} == {BY}
        assert all(row.address is None for row in rows)
        return ran, [(row.event, row.about) for row in rows]

    events()
    both = write_ini(tmp_path / "both.ini", {**ini, "accountsapp.secret": f"{'n' * 40} {SECRET}"})
    carol = json.dumps({"username": "carol", "email": "carol@example.com"})
    for event, arguments, options in (
        ("registered", "accounts add bob --email bob@example.com", {}),
        ("API key reset", "accounts reset-key bob", {}),
        ("password changed", "accounts set-password bob --password-stdin", {"input": PASSWORD}),
        ("deactivated", "accounts deactivate bob", {}),
        ("activated", "accounts activate bob", {}),
        ("exported with secrets", "accounts export bob --with-secrets", {}),
        ("token issued", "tokens issue bob --scope profile_read", {}),
        ("OAuth client added", "clients add Robot --owner bob --confidential", {}),
    ):
        assert recorded(*arguments.split(), **options)[1] == [(event, "bob")]
    token = run("tokens", "issue", "bob", "--scope", "profile_read").json["access_token"]
    client_id = run("clients", "list", "--json").json["client_id"]
    events()
    for event, about, words, options in (
        ("token revoked", "bob", ("tokens", "revoke", token), {}),
        ("OAuth client revoked", "bob", ("clients", "revoke", client_id), {}),
        ("imported", "-", ("accounts", "import", "-"), {"input": carol}),
        ("exported with secrets", "-", ("accounts", "export", "--with-secrets"), {}),
    ):
        assert recorded(*words, **options)[1] == [(event, about)], words
    assert recorded("accounts", "import", "-", "--update", input=carol)[1] == [
        ("imported", "-"),
        ("imported", "carol"),
    ]
    assert recorded("secrets", "rotate", ini=both)[1] == [("secrets rotated", "-")]


def test_what_is_only_read_is_not(run: Run, alice: Person, events: Callable[[], list[AuditRow]]) -> None:
    for arguments in ("list", "show alice", "export", "export alice", "ensure-admin"):
        run("accounts", *arguments.split())
    assert [row.event for row in events()] == ["registered"]


def test_an_import_counts_what_is_committed(run: Run, events: Callable[[], list[AuditRow]]) -> None:
    records = [{"username": f"user{number}", "email": f"u{number}@example.com"} for number in range(700)]
    lines = [json.dumps(record) for record in [*records, records[0]]]
    run("accounts", "import", "-", input="\n".join(lines), exit_code=1)
    (event,) = events()
    assert event.detail == {"command": ME, "created": 700, "updated": 0}


def test_a_deleted_account_leaves_its_id_and_who_did_it(
    run: Run, alice: Person, events: Callable[[], list[AuditRow]]
) -> None:
    events()
    run("accounts", "delete", "alice")
    (deleted,) = events()
    assert (deleted.event, deleted.about, deleted.by) == ("deleted", f"(was {alice.id})", BY)
    assert deleted.detail == {"was": alice.id, "command": ME}
    listed = run("audit", "list").out
    assert f"deleted  account=(was {alice.id}) by={BY} from=-" in listed
    assert "alice" not in listed
    assert run("audit", "list", "--json").jsons[0]["detail"] == deleted.detail


def test_the_owner_is_told_as_by_an_api(run: Run, alice: Person, outbox: Outbox) -> None:
    outbox.take()
    run("accounts", "reset-key", "alice")
    run("accounts", "set-password", "alice", "--password-stdin", input=PASSWORD)
    mails = outbox.take()
    assert [str(mail["To"]) for mail in mails] == [alice.email] * 2
    assert "key" in mails[0]["Subject"]
    assert "password" in mails[1]["Subject"]


@pytest.mark.parametrize(
    ("words", "done"),
    [
        ("deactivate", "deactivated"),
        ("activate", "activated"),
        ("set-password --password-stdin", "password changed"),
        ("delete", "deleted"),
        ("delete --yes", "deleted"),
    ],
)
def test_each_says_in_one_line_what_it_did(
    run: Run, alice: Person, bob: Person, words: str, done: str
) -> None:
    if words == "activate":
        for name in ("alice", "bob"):
            run("accounts", "deactivate", name)
    assert run("accounts", *words.split(), "ALICE", input=PASSWORD).out == f"alice: {done}\n"
    made = run("accounts", *words.split(), "bob", "--json", input=PASSWORD)
    assert made.json.items() >= {"username": "bob", "done": done}.items()
    assert made.out.count("\n") == 1
    assert made.err == ""


def test_each_says_that_it_changes_nothing(run: Run, alice: Person, stores: Process) -> None:
    """And changes nothing: there is no event of it, and what was opened meanwhile stays so."""
    events: list[int] = []
    for words, done in (
        ("activate", "was active already"),
        ("deactivate", "deactivated"),
        ("deactivate", "was deactivated already"),
    ):
        assert run("accounts", words, "alice").out == f"alice: {done}\n"
        with stores.transaction() as store:
            events.append(store.session.query(AuditEvent).count())
    assert events[0] + 1 == events[1] == events[2]
    again = run("accounts", "deactivate", "alice", "--json")
    assert again.json == {"username": "alice", "done": "was deactivated already"}
    client = run("clients", "add", "A", "--confidential").json["client_id"]
    run("clients", "revoke", client)
    assert run("clients", "revoke", client, exit_code=1).err.endswith("revoked already; nothing was done.\n")
    assert run("clients", "revoke", "nobody", exit_code=1).err == "accountsapp: There is no such client.\n"


def test_list_by_state_and_number(run: Run, register: Callable[..., Person]) -> None:
    for number, state in enumerate(["active", "pending", "deactivated"] * 3):
        register(f"user{number}", state=state)

    def names(*options: str) -> list[str]:
        return [row["username"] for row in run("accounts", "list", "--json", *options).jsons]

    assert names("--state", "pending") == ["user1", "user4", "user7"]
    assert names("--state", "deactivated", "--limit", "2") == ["user2", "user5"]
    assert names("--state", "active", "--limit", "9") == ["user0", "user3", "user6"]
    assert names("--limit", "4") == ["user0", "user1", "user2", "user3"]
    run("accounts", "list", "--state", "gone", exit_code=2)
    run("accounts", "list", "--limit", "0", exit_code=2)


def test_show_by_address(run: Run, load: Callable[..., Ran], alice: Person) -> None:
    load(
        {
            "username": "carl",
            "emails": [
                {"email": "carl@example.com", "primary": True, "verified": True},
                {"email": alice.email},
                {"email": "Second@example.com", "verified": True},
            ],
        }
    )
    assert [row["username"] for row in run("accounts", "show", alice.email.upper()).jsons] == [
        "alice",
        "carl",
    ]
    assert run("accounts", "show", "second@EXAMPLE.com").json["username"] == "carl"
    run("accounts", "show", "nobody@example.com", exit_code=1)


def test_a_username_goes_before_an_address(run: Run, load: Callable[..., Ran], raw: Database) -> None:
    load({"username": "x@example.com", "email": "own@example.com"})
    load({"username": "other", "email": "other@example.com"})
    # Nobody can get such a name newly; a former version let them.
    former = update(EmailAddress).where(EmailAddress.address == "other@example.com")
    with raw.begin() as session:
        session.execute(former.values(address="x@example.com", address_key="x@example.com"))
    assert [row["username"] for row in run("accounts", "show", "X@example.com").jsons] == ["x@example.com"]


def at_a_terminal(ini_file: Path, *arguments: str, typed: str) -> tuple[int, str]:
    """The command in a terminal of its own: exit status, and what the terminal showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        program = "from accountsapp.cli import main; main()"
        os.execv(sys.executable, [sys.executable, "-c", program, "-c", str(ini_file), *arguments])
    shown = b""
    answers = iter(typed.splitlines(keepends=True))
    while True:
        try:
            part = os.read(terminal, 1000)
        except OSError:
            break
        if not part:
            break
        shown += part
        if part.rstrip().endswith(b":"):
            os.write(terminal, next(answers, "\x04").encode())
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_delete_asks_at_a_terminal(run: Run, ini_file: Path, alice: Person) -> None:
    status, shown = at_a_terminal(ini_file, "accounts", "delete", "alice", typed="n\n")
    assert status == 1
    assert "Delete alice (alice@example.com)" in shown
    run("accounts", "show", "alice")
    assert at_a_terminal(ini_file, "accounts", "delete", "alice", typed="y\n")[0] == 0
    run("accounts", "show", "alice", exit_code=1)


def test_delete_with_yes_does_not_ask(run: Run, ini_file: Path, alice: Person) -> None:
    assert at_a_terminal(ini_file, "accounts", "delete", "alice", "--yes", typed="") == (
        0,
        "alice: deleted\r\n",
    )


def test_set_password_asks_without_echo(run: Run, ini_file: Path, stores: Process, alice: Person) -> None:
    new = "a horse that is correct"
    typed = f"{new}\n{new}\n"
    status, shown = at_a_terminal(ini_file, "accounts", "set-password", "alice", typed=typed)
    assert status == 0
    assert new not in shown
    with stores.transaction() as store:
        assert stores.passwords.verify(new, store.reader.password_hash(alice.id))
    refused = at_a_terminal(ini_file, "accounts", "set-password", "alice", typed="short\nshort\n")
    assert refused[0] == 1


def test_set_password_without_a_terminal_wants_the_option(run: Run, alice: Person) -> None:
    ran = run("accounts", "set-password", "alice", input=PASSWORD, exit_code=2)
    assert "--password-stdin" in ran.err
