"""``accountsapp api-keys`` (keys 5)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select

from accountsapp.cli import main
from accountsapp.db.database import Database
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import AuditEvent
from accountsapp.domain.rules.api_keys import PREFIX, make_api_key
from accountsapp.testing.people import Person
from tests.cli.conftest import Ran, Run
from tests.support.bookie import Bookie
from tests.support.outbox import Outbox

FIELDS = ["id", "name", "scopes", "created", "expires", "last_used", "last_used_in", "prefix", "state"]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def moment_of(text: str) -> datetime:
    assert MOMENT.fullmatch(text)
    return datetime.fromisoformat(text)


def days_of(key: dict[str, Any]) -> float:
    return (moment_of(key["expires"]) - moment_of(key["created"])) / timedelta(days=1)


@pytest.fixture
def add(run: Run) -> Callable[..., dict[str, Any]]:
    """``add("alice", "laptop", "--no-expiry")``"""

    def add(username: str, name: str, *options: str) -> dict[str, Any]:
        added = run("api-keys", "add", username, "--name", name, *options).json
        assert isinstance(added, dict)
        return added

    return add


@pytest.fixture
def events(database: Database) -> Callable[[], list[tuple[str, int | None, dict[str, Any]]]]:
    """The events about keys."""

    def read() -> list[tuple[str, int | None, dict[str, Any]]]:
        with database.read_engine.connect() as connection:
            rows = connection.execute(
                select(AuditEvent.event, AuditEvent.account_id, AuditEvent.detail)
                .where(AuditEvent.event.startswith("API key"))
                .order_by(AuditEvent.id)
            )
            return [(row.event, row.account_id, row.detail) for row in rows]

    return read


Add = Callable[..., dict[str, Any]]
Events = Callable[[], list[tuple[str, int | None, dict[str, Any]]]]


def opens(bookie: Bookie, api_key: str) -> bool:
    return bookie("GET", "/alice/account", query={"api_key": api_key}).status_int == 200


class TestAdd:
    def test_one_line_with_the_key_shown_this_once(
        self, add: Add, run: Run, bookie: Bookie, alice: Person, outbox: Outbox, events: Events
    ) -> None:
        key = add("ALICE", "  my laptop ")
        assert list(key) == [*FIELDS, "api_key"]
        assert key["name"] == "my laptop"
        assert key["scopes"] == ["account:read"]
        assert days_of(key) == 365
        assert abs(moment_of(key["created"]) - now()) < timedelta(minutes=1)
        assert (key["last_used"], key["last_used_in"], key["state"]) == (None, None, "active")
        assert key["prefix"] == key["api_key"][: len(PREFIX) + 4]
        assert re.fullmatch(r"(?!default$)[A-Za-z0-9][A-Za-z0-9_-]{0,31}", key["id"])
        assert opens(bookie, key["api_key"])
        assert bookie("GET", "/alice/api_key", query={"api_key": key["api_key"]}).status_int == 403
        ((event, account_id, detail),) = events()
        assert (event, account_id) == ("API key added", alice.id)
        assert (detail["key"], detail["by"]) == (key["id"], "cli")
        assert "my laptop" in outbox.to(alice.email).as_string()
        listed = run("api-keys", "list", "alice", "--json")
        assert listed.jsons == [{name: key[name] for name in FIELDS} | {"last_used": None}]
        assert key["api_key"] not in listed.out + run("api-keys", "list", "alice").out

    def test_scopes_and_presets_add_up(self, add: Add, alice: Person) -> None:
        for number, (options, scopes) in enumerate(
            (
                (["full"], None),
                (["full", "full"], None),
                (["read-only"], ["account:read"]),
                (["extension"], ["account:read", "account:write", "key:read", "key:write"]),
                (["administer", "email:read", "email:read"], ["email:read", "administer"]),
                (
                    ["password:write", "extension", "email:write"],
                    [
                        "account:read",
                        "account:write",
                        "email:write",
                        "key:read",
                        "key:write",
                        "password:write",
                    ],
                ),
            )
        ):
            words = [word for option in options for word in ("--scope", option)]
            assert add("alice", f"key {number}", *words)["scopes"] == scopes

    def test_how_long_it_lives(self, add: Add, alice: Person) -> None:
        assert add("alice", "never", "--no-expiry")["expires"] is None
        assert days_of(add("alice", "short", "--expires-in", "1")) == 1
        assert days_of(add("alice", "long", "--expires-in", "3650")) == 3650

    @pytest.mark.parametrize(
        "options",
        [
            [],
            ["--name", "x", "--scope", "full", "--scope", "account:read"],
            ["--name", "x", "--scope", "no:such"],
            ["--name", "x", "--scope", ""],
            ["--name", "x", "--expires-in", "0"],
            ["--name", "x", "--expires-in", "3651"],
            ["--name", "x", "--expires-in", "1.5"],
            ["--name", "x", "--expires-in", "1", "--no-expiry"],
        ],
        ids=str,
    )
    def test_wrong_usage(self, run: Run, alice: Person, options: list[str], events: Events) -> None:
        refused = run("api-keys", "add", "alice", *options, exit_code=2)
        assert (refused.out, events()) == ("", [])

    def test_what_cannot_be_done(
        self, add: Add, run: Run, alice: Person, events: Events, outbox: Outbox
    ) -> None:
        add("alice", "Straße")
        outbox.take()
        before = events()
        for username, name in (
            ("nobody", "x"),
            ("alice", "STRASSE"),
            ("alice", " straße "),
            ("alice", ""),
            ("alice", "  "),
            ("alice", "x" * 81),
            ("alice", "a\nb"),
            ("alice", "a\u0085b"),
            ("alice", "a\udcff"),
        ):
            refused = run("api-keys", "add", username, "--name", name, exit_code=1)
            assert refused.out == ""
            assert refused.err.startswith("accountsapp: ")
            assert refused.err.count("\n") == 1
        assert (events(), outbox.take()) == (before, [])

    def test_no_more_than_the_limit(
        self, add: Add, run: Run, ini: dict[str, str], ini_file: Path, alice: Person
    ) -> None:
        ini_file.write_text(ini_file.read_text() + "accountsapp.keys.max = 2\n")
        first = add("alice", "one")
        add("alice", "two")
        run("api-keys", "add", "alice", "--name", "three", exit_code=1)
        run("api-keys", "rotate", "alice", first["id"], "--overlap", "2")
        run("api-keys", "add", "alice", "--name", "three", exit_code=1)
        run("api-keys", "revoke", "alice", run("api-keys", "list", "alice", "--json").jsons[-1]["id"])
        add("alice", "three")

    def test_one_place_left_or_one_name(self, run: Run, ini_file: Path, alice: Person) -> None:
        ini_file.write_text(ini_file.read_text() + "accountsapp.keys.max = 1\n")
        statements = [["api-keys", "add", "alice", "--name", name] for name in ("a", "b", "a")]
        codes = [in_a_process(ini_file, *words) for words in statements]
        assert sorted(codes) == [0, 1, 1]
        assert len(run("api-keys", "list", "alice", "--json").jsons) == 1


def in_a_process(ini_file: Path, *words: str) -> int:
    return CliRunner().invoke(main, ["-c", str(ini_file), *words]).exit_code


def test_list_is_oldest_first_with_expired_ones_for_a_month(add: Add, run: Run, alice: Person) -> None:
    first, second = add("alice", "one", "--expires-in", "1"), add("alice", "two", "--no-expiry")
    rotated = run("api-keys", "rotate", "alice", second["id"], "--overlap", "1").json
    states = [(key["id"], key["state"]) for key in run("api-keys", "list", "alice", "--json").jsons]
    assert states[0] == (first["id"], "active")
    assert set(states[1:]) == {(second["id"], "retiring"), (rotated["id"], "active")}
    heading, *lines = run("api-keys", "list", "alice").out.splitlines()
    assert heading.split()[:2] == ["ID", "NAME"]
    assert [line.split()[0] for line in lines] == [key for key, _ in states]
    with time_machine.travel(now() + timedelta(days=20)):
        states = [(key["id"], key["state"]) for key in run("api-keys", "list", "alice", "--json").jsons]
        assert states[0] == (first["id"], "expired")
    with time_machine.travel(now() + timedelta(days=32)):
        (left,) = run("api-keys", "list", "alice", "--json").jsons
        assert left["id"] == rotated["id"]
    run("api-keys", "list", "nobody", exit_code=1)


class TestRevoke:
    def test_by_its_id(
        self, add: Add, run: Run, bookie: Bookie, alice: Person, bob: Person, outbox: Outbox, events: Events
    ) -> None:
        key, other = add("alice", "laptop"), add("bob", "laptop")
        outbox.take()
        for words in (
            ["bob", key["id"]],
            ["alice", other["id"]],
            ["alice", "default"],
            ["alice", "\x00"],
            ["nobody", "x"],
        ):
            refused = run("api-keys", "revoke", *words, exit_code=1)
            assert refused.out == ""
        assert opens(bookie, key["api_key"])
        assert run("api-keys", "revoke", "alice", key["id"]).json == {"id": key["id"], "name": "laptop"}
        assert not opens(bookie, key["api_key"])
        run("api-keys", "revoke", "alice", key["id"], exit_code=1)
        assert outbox.take() == []
        event, account_id, detail = events()[-1]
        assert (event, account_id) == ("API key revoked", alice.id)
        assert (detail["key"], detail["by"]) == (key["id"], "cli")

    def test_by_the_key_itself(self, add: Add, run: Run, bookie: Bookie, alice: Person, bob: Person) -> None:
        for number, username in enumerate(([], ["alice"], ["ALICE"])):
            key = add("alice", f"laptop {number}")
            end = ("\n", "", "\r\nmore\n")[number]
            ran = run("api-keys", "revoke", *username, "--key-stdin", input=key["api_key"] + end)
            assert ran.json == {"id": key["id"], "name": f"laptop {number}"}
            assert key["api_key"] not in ran.out + ran.err
            assert not opens(bookie, key["api_key"])

    def test_what_is_no_named_key(
        self, add: Add, run: Run, bookie: Bookie, alice: Person, bob: Person, events: Events
    ) -> None:
        key = add("alice", "laptop")["api_key"]
        before = events()
        for username, line in (
            ([], ""),
            ([], "\n"),
            ([], make_api_key()),
            ([], f" {key}"),
            ([], f"\n{key}"),
            ([], b"\xff"),
            ([], alice.api_key),
            (["alice"], alice.api_key),
            (["bob"], key),
            (["nobody"], key),
        ):
            refused = run("api-keys", "revoke", *username, "--key-stdin", input=line, exit_code=1)
            assert refused.out == ""
            assert key not in refused.err
        said = run("api-keys", "revoke", "--key-stdin", input=alice.api_key, exit_code=1).err
        assert "accounts reset-key" in said
        assert opens(bookie, key)
        assert opens(bookie, alice.api_key)
        assert events() == before

    @pytest.mark.parametrize(
        "words", [[], ["alice"], ["alice", "x", "--key-stdin"], ["a", "b", "c"]], ids=str
    )
    def test_wrong_usage(self, run: Run, words: list[str]) -> None:
        assert run("api-keys", "revoke", *words, exit_code=2).out == ""


class TestRotate:
    def test_at_once(
        self, add: Add, run: Run, bookie: Bookie, alice: Person, outbox: Outbox, events: Events
    ) -> None:
        key = add("alice", "laptop", "--scope", "extension", "--expires-in", "30")
        outbox.take()
        new = run("api-keys", "rotate", "alice", key["id"]).json
        assert list(new) == [*FIELDS, "api_key", "replaces"]
        assert new["replaces"].keys() == {"id", "expires"}
        assert new["replaces"]["id"] == key["id"] != new["id"]
        assert abs(moment_of(new["replaces"]["expires"]) - now()) < timedelta(minutes=1)
        assert (new["name"], new["scopes"], days_of(new)) == ("laptop", key["scopes"], 30)
        assert (opens(bookie, key["api_key"]), opens(bookie, new["api_key"])) == (False, True)
        event, _, detail = events()[-1]
        assert event == "API key rotated"
        assert (detail["key"], detail["new"], detail["by"]) == (key["id"], new["id"], "cli")
        assert "laptop" in outbox.to(alice.email).as_string()

    def test_with_an_overlap(self, add: Add, run: Run, bookie: Bookie, alice: Person) -> None:
        key = add("alice", "laptop", "--no-expiry")
        new = run("api-keys", "rotate", "alice", key["id"], "--overlap", "168").json
        until = moment_of(new["replaces"]["expires"])
        assert abs(until - now() - timedelta(hours=168)) < timedelta(minutes=1)
        assert new["expires"] is None
        assert opens(bookie, key["api_key"])
        assert opens(bookie, new["api_key"])
        for refused in (key["id"], new["id"]):
            assert run("api-keys", "rotate", "alice", refused, exit_code=1).out == ""
        with time_machine.travel(until + timedelta(seconds=1)):
            assert (opens(bookie, key["api_key"]), opens(bookie, new["api_key"])) == (False, True)
            run("api-keys", "rotate", "alice", key["id"], exit_code=1)
            run("api-keys", "rotate", "alice", new["id"])

    def test_refusals(self, add: Add, run: Run, alice: Person, bob: Person, events: Events) -> None:
        key = add("alice", "laptop")
        before = events()
        for words in (["bob", key["id"]], ["alice", "x"], ["alice", "default"], ["nobody", key["id"]]):
            assert run("api-keys", "rotate", *words, exit_code=1).out == ""
        for hours in ("-1", "169", "1.5", "x", ""):
            words = ["alice", key["id"], f"--overlap={hours}"]
            assert run("api-keys", "rotate", *words, exit_code=2).out == ""
        assert events() == before


class TestCheck:
    @pytest.fixture
    def check(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
        """Without an ini and without a database."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("ACCOUNTSAPP_CONFIG", raising=False)

        def check(content: bytes) -> Ran:
            result = CliRunner().invoke(main, ["api-keys", "check"], input=content, catch_exceptions=False)
            return Ran(result.exit_code, result.stdout, result.stderr)

        return check

    def test_all_are_good(self, check: Callable[..., Ran]) -> None:
        keys = [make_api_key() for _ in range(3)]
        ran = check("\n".join(keys).encode())
        assert (ran.exit_code, ran.err) == (0, "")
        assert ran.jsons == [{"line": number, "result": "good"} for number in (1, 2, 3)]
        assert not any(key in ran.out for key in keys)
        assert check(b"").exit_code == check(b"\n \n").exit_code == 0
        assert check(b"\n").out == ""

    def test_each_kind(self, check: Callable[..., Ran]) -> None:
        key = make_api_key()
        other = "A" if key[20] != "A" else "B"
        lines = {
            key.encode(): "good",
            b"": None,
            key[:20].encode() + other.encode() + key[21:].encode(): "typo",
            key[:-1].encode(): "typo",
            f"{key}x".encode(): "typo",
            b"acct_": "typo",
            b"acct_" + b"-" * 36: "typo",
            b"acct_" + "é".encode() * 36: "typo",
            b"acct_\xff": "typo",
            key.upper().encode(): "foreign",
            b" \t": None,
            f" {key}".encode(): "foreign",
            key[5:].encode(): "foreign",
            b"an older system's": "foreign",
            b"\xff": "foreign",
            b"x" * 200_000: "foreign",
            f"{key}\r".encode(): "good",
        }
        ran = check(b"\n".join(lines))
        assert ran.exit_code == 1
        expected = [{"line": n, "result": r} for n, r in enumerate(lines.values(), 1) if r is not None]
        assert ran.jsons == expected
        assert key not in ran.out

    def test_any_number_of_them(self, check: Callable[..., Ran]) -> None:
        ran = check(b"\n" * 7 + b"acct_\n" * 1000)
        assert ran.jsons[0] == {"line": 8, "result": "typo"}
        assert len(ran.jsons) == 1000


def test_the_help_has_examples(run: Run) -> None:
    said = run("api-keys", "--help").out
    for command in ("add", "list", "revoke", "rotate", "check"):
        assert f"accountsapp api-keys {command}" in said
