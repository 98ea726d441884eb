"""``accountsapp accounts import``: every key and rule of the record, and what one bad line costs."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from webtest import TestApp

from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.transfer.record import AccountRecord
from accountsapp.process import Process
from accountsapp.strict_json import LONGEST_LINE
from accountsapp.testing.people import PASSWORD, Person
from tests.cli.conftest import Ran, Run

Load = Callable[..., Ran]

HASH = "$2b$04$2bkLbREfV.wHbQHuK6lKF.mRK/J6gfRYc4iS2UUlHJN58ekNrXnkS"
"""Of :data:`PASSWORD`, at the lowest cost."""

FULL: dict[str, Any] = {
    "username": "Älva Ö",
    "emails": [
        {"email": "alva@example.com", "verified": True, "primary": True},
        {"email": "other@example.com", "verified": False, "primary": False},
        {"email": "third@example.com", "verified": True, "primary": False},
    ],
    "password_hash": HASH,
    "api_key": "12ab/+34=cd56",
    "api_keys": [
        {
            "name": "Läptop",
            "scopes": ["account:read", "key:write"],
            "created": "2024-02-29T23:59:59Z",
            "expires": None,
            "key_sha256": "0123456789abcdef" * 4,
        },
        {
            "name": "backup 😀",
            "scopes": None,
            "created": "2025-01-01T00:00:00Z",
            "expires": "2999-12-31T00:00:00Z",
            "key_sha256": "f" * 64,
        },
    ],
    "name": "Älva <b>Öberg</b>",
    "display_name": "älva",
    "biography": "two\nlines, a tab\t and 😀",
    "location": "Göteborg",
    "company": "",
    "occupation": "x" * 5000,
    "homepage": "https://example.com/",
    "gravatar_email": "grav@example.com",
    "country": "SE",
    "locale": "sv",
    "language": "sv",
    "gender": "f",
    "goals": "",
    "level_of_education": "hs",
    "mailing_address": "a\u2028b",
    "language_proficiencies": [{"code": "sv"}, {"code": "zh_HANS"}],
    "year_of_birth": 1990,
    "account_privacy": "private",
    "privacy_mode": False,
    "subscribed": True,
    "activated": True,
    "is_admin": True,
    "is_staff": True,
    "read_dev_agreement": True,
    "permissions": ["Addons:Edit", "*:*"],
    "signup": "2011-04-07T17:50:18Z",
    "last_login": "2020-01-02T03:04:05.678901Z",
    "last_login_ip": "2001:db8::1",
    "invited_by": "admin",
    "invite_ct": 3,
    "notifications": {"reply": False, "upgrade_fail": True},
    "info": {"a": [1, 2.5, None, True, {"ö": "\u2029"}], "big": 2**53, "b": {}},
}


def bob(**fields: Any) -> dict[str, Any]:
    return {"username": "bob", "email": "bob@example.com", **fields}


def exported(run: Run, *usernames: str, secrets: bool = True) -> list[dict[str, Any]]:
    return run("accounts", "export", *usernames, *["--with-secrets"] * secrets).jsons


def complaints(ran: Ran) -> list[str]:
    lines = ran.err.splitlines()
    assert ran.json["failed"] == len(lines)
    assert all(line.startswith("line ") for line in lines)
    return lines


def test_every_key_comes_back(run: Run, load: Load, app: TestApp) -> None:
    assert load(FULL).json == {"created": 1, "updated": 0, "failed": 0}
    assert exported(run) == [FULL]
    app.get("/api/v1/%C3%84lva%20%C3%96/account", {"api_key": FULL["api_key"]})


def test_the_least_record(run: Run, load: Load, stores: Process) -> None:
    load({"username": "b", "email": " B@Example.COM "})
    record = exported(run)[0]
    assert record["emails"] == [{"email": "b@example.com", "verified": True, "primary": True}]
    assert (record["activated"], record["privacy_mode"], record["subscribed"]) == (True, True, False)
    assert (record["signup"], record["last_login"], record["info"]) == (None, None, {})
    assert record["api_key"].startswith("acct_")
    assert "password_hash" not in record
    with stores.transaction() as store:
        account = store.session.scalars(select(Account)).one()
        assert account.created is not None


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, AccountState.ACTIVE),
        ({"activated": True, "last_login": "2020-01-01"}, AccountState.ACTIVE),
        ({"activated": False}, AccountState.PENDING),
        ({"activated": False, "last_login": None}, AccountState.PENDING),
        ({"activated": False, "last_login": "2020-01-01"}, AccountState.DEACTIVATED),
    ],
)
def test_state(run: Run, load: Load, fields: dict[str, Any], state: AccountState) -> None:
    load(bob(**fields))
    assert run("accounts", "list", "--json").json["state"] == state


def test_password_is_hashed(load: Load, stores: Process) -> None:
    load(*[{"username": f"u{n}", "email": f"u{n}@e.com", "password": f"{PASSWORD} {n}"} for n in range(20)])
    with stores.transaction() as store:
        for account in store.session.scalars(select(Account)):
            assert account.password_hash is not None
            assert stores.passwords.verify(f"{PASSWORD} {account.username[1:]}", account.password_hash)


@pytest.mark.parametrize(
    "password", ["short", "password", "bob", "bob@example.com", "x" * 73, " " * 9, "", 12345678]
)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_password_rule(run: Run, load: Load, password: Any) -> None:
    ran = load(bob(password=password), {"username": "carol", "email": "c@e.com"}, exit_code=1)
    (line,) = complaints(ran)
    assert line.startswith("line 1: password")
    if isinstance(password, str) and len(password) > 8:
        assert password not in line.replace("a password", "")
    assert ran.json["created"] == 1


OPTIONAL = sorted(AccountRecord.model_fields.keys() - {"username", "email"})


def test_null_is_taken_for_every_optional_key(run: Run, load: Load) -> None:
    load({"username": "plain", "email": "plain@e.com"})
    load({"username": "nulls", "email": "nulls@e.com"} | dict.fromkeys(OPTIONAL))
    plain, nulls = (run("accounts", "show", name).json for name in ("plain", "nulls"))
    assert {**nulls, "username": "plain", "emails": plain["emails"]} == plain
    load(
        {"username": "many", "email": None, "emails": [{"email": "m@e.com", "verified": None, "primary": 1}]}
    )
    (address,) = run("accounts", "show", "many").json["emails"]
    assert (address["verified"], address["primary"]) == (False, True)


def test_an_update_by_null_clears_what_can_be_null_and_leaves_the_rest(run: Run, load: Load) -> None:
    full = {key: value for key, value in FULL.items() if key not in ("username", "email", "emails")}
    load(bob(**full))
    before = run("accounts", "show", "bob").json
    secrets = run("accounts", "export", "bob", "--with-secrets").json
    load({"username": "bob"} | dict.fromkeys(key for key in OPTIONAL), update=True)
    after = run("accounts", "show", "bob").json
    cleared = {key for key in before if before[key] is not None and after[key] is None}
    assert cleared == {key for key in AccountRecord.nullable if before[key] is not None}
    assert {key for key in before if before[key] != after[key]} == cleared
    kept = run("accounts", "export", "bob", "--with-secrets").json
    assert all(kept.get(key) == secrets.get(key) for key in ("password_hash", "api_key"))


def test_0_and_1_are_booleans(run: Run, load: Load) -> None:
    flags = ("privacy_mode", "subscribed", "activated", "is_admin", "is_staff", "read_dev_agreement")
    for value in (0, 1):
        load({"username": f"u{value}", "email": f"u{value}@e.com"} | dict.fromkeys(flags, value))
        record = run("accounts", "show", f"u{value}").json
        assert all(record[flag] is bool(value) for flag in flags)
    load(
        {
            "username": "many",
            "emails": [
                {"email": "m@e.com", "verified": 1, "primary": 1},
                {"email": "n@e.com", "verified": 0},
            ],
        }
    )
    assert [email["verified"] for email in run("accounts", "show", "many").json["emails"]] == [True, False]


@pytest.mark.parametrize("variant", ["2a", "2b", "2y"])
def test_bcrypt_variants(load: Load, stores: Process, variant: str) -> None:
    load(bob(password_hash=f"${variant}${HASH[4:]}"))
    with stores.transaction() as store:
        assert stores.passwords.verify(PASSWORD, store.session.scalars(select(Account.password_hash)).one())


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"nonsense": 1}, "nonsense: unknown key"),
    ({"id": 7}, "id: unknown key"),
    ({"username": ""}, "username"),
    ({"username": "a/b"}, "username"),
    ({"username": ".."}, "username"),
    ({"username": "a\nb"}, "username"),
    ({"username": "a\u0000b"}, "username"),
    ({"username": "x" * 256}, "username"),
    ({"username": "\ufdfa" * 255}, "username"),
    ({"username": None}, "username"),
    ({"username": 7}, "username"),
    ({"email": "nobody"}, "email"),
    ({"email": "two@at@signs"}, "email"),
    ({"email": "a b@example.com"}, "email"),
    ({"email": None}, "email"),
    ({"email": ["bob@example.com"]}, "email"),
    ({"emails": [{"email": "bob@example.com", "verified": True, "primary": True}]}, "email"),
    ({"password": PASSWORD, "password_hash": HASH}, "password"),
    ({"password_hash": "secret-in-clear"}, "password_hash"),
    ({"password_hash": "$2b$99$" + "a" * 53}, "password_hash"),
    ({"password_hash": HASH[:-1]}, "password_hash"),
    ({"password_hash": f"{HASH}."}, "password_hash"),
    ({"password_hash": f"{HASH[:-1]}T"}, "password_hash"),
    ({"password_hash": f"{HASH[:-1]}z"}, "password_hash"),
    ({"password_hash": f"{HASH[:28]}/{HASH[29:]}"}, "password_hash"),
    ({"password_hash": f"{HASH[:28]}G{HASH[29:]}"}, "password_hash"),
    ({"api_key": ""}, "api_key"),
    ({"api_key": "x" * 256}, "api_key"),
    ({"api_key": "a\tb"}, "api_key"),
    ({"api_key": "acct_" + "a" * 36}, "api_key"),
    ({"name": 1}, "name"),
    ({"name": "a\u0000"}, "name"),
    ({"biography": ["x"]}, "biography"),
    ({"language_proficiencies": [None]}, "language_proficiencies"),
    ({"language_proficiencies": ["en"]}, "language_proficiencies"),
    ({"language_proficiencies": [{"code": "en", "level": 1}]}, "language_proficiencies"),
    ({"language_proficiencies": [{"code": None}]}, "language_proficiencies"),
    ({"year_of_birth": "1990"}, "year_of_birth"),
    ({"year_of_birth": 1990.5}, "year_of_birth"),
    ({"year_of_birth": 199}, "year_of_birth"),
    ({"year_of_birth": 10000}, "year_of_birth"),
    ({"year_of_birth": True}, "year_of_birth"),
    ({"account_privacy": "custom"}, "account_privacy"),
    ({"privacy_mode": "true"}, "privacy_mode"),
    ({"subscribed": 2}, "subscribed"),
    ({"subscribed": -1}, "subscribed"),
    ({"activated": 1.0}, "activated"),
    ({"activated": "1"}, "activated"),
    ({"username": None}, "username"),
    ({"nonsense": None}, "nonsense: unknown key"),
    ({"emails": None, "email": None}, "email"),
    ({"is_admin": "yes"}, "is_admin"),
    ({"permissions": "a:b"}, "permissions"),
    ({"permissions": ["ab"]}, "permissions"),
    ({"permissions": ["a:b:c"]}, "permissions"),
    ({"permissions": ["a: b"]}, "permissions"),
    ({"signup": "yesterday"}, "signup"),
    ({"signup": "2011-02-30"}, "signup"),
    ({"signup": "2011-04-07T25:00"}, "signup"),
    ({"signup": 1300000000}, "signup"),
    ({"signup": "0001-01-01T00:00+23:00"}, "signup"),
    ({"last_login": "9999-12-31T23:59:59-12:00"}, "last_login"),
    ({"last_login_ip": 1}, "last_login_ip"),
    ({"invite_ct": -1}, "invite_ct"),
    ({"invite_ct": 2**31}, "invite_ct"),
    ({"invite_ct": 1.0}, "invite_ct"),
    ({"invite_ct": True}, "invite_ct"),
    ({"notifications": {"nothing": True}}, "notifications"),
    ({"notifications": {"reply": "true"}}, "notifications"),
    ({"notifications": {"upgrade_fail": False}}, "notifications"),
    ({"notifications": []}, "notifications"),
    ({"info": []}, "info"),
    ({"info": [None]}, "info"),
    ({"info": {"deep": {"er": ["a\u0000"]}}}, "info"),
    ({"info": {"deep": {"er": ["\ud800"]}}}, "info"),
]


@pytest.mark.parametrize(("fields", "key"), BAD_FIELDS, ids=str)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_bad_values(run: Run, load: Load, fields: dict[str, Any], key: str) -> None:
    ran = load(
        {"username": "x1", "email": "x1@e.com"},
        bob(**fields),
        {"username": "x2", "email": "x2@e.com"},
        exit_code=1,
    )
    (line,) = complaints(ran)
    assert line.startswith(f"line 2: {key}")
    assert "secret-in-clear" not in line
    assert ran.json == {"created": 2, "updated": 0, "failed": 1}


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        [{"email": "a@e.com"}],
        [{"email": "a@e.com", "primary": True}, {"email": "b@e.com", "primary": True}],
        [{"email": "a@e.com", "primary": True}, {"email": "A@e.com"}],
        [{"email": "a", "primary": True}],
        [{"email": "a@e.com", "primary": True, "id": 1}],
        [{"email": "a@e.com", "primary": "yes"}],
        {"email": "a@e.com", "primary": True},
        [{"email": f"a{n}@e.com", "primary": n == 0} for n in range(1001)],
    ],
    ids=range(9),
)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_bad_addresses(load: Load, addresses: Any) -> None:
    (line,) = complaints(load({"username": "bob", "emails": addresses}, exit_code=1))
    assert line.startswith("line 1: emails")


@pytest.mark.parametrize("backend", ["sqlite"])
def test_all_errors_of_a_line_at_once(load: Load) -> None:
    (line,) = complaints(load({"username": "", "nonsense": 1, "year_of_birth": "x", "info": 1}, exit_code=1))
    for key in ("username", "nonsense", "year_of_birth", "info"):
        assert f"{key}: " in line


GOOD = b'{"username": "good", "email": "good@example.com"}'


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b'"text"',
        b"null",
        b'{"username": "bob", "email": "b@e.com"',
        b'{"username": "bob", "email": "b@e.com"} {}',
        b'{"username": "bob", "username": "bob", "email": "b@e.com"}',
        b'{"username": "bob", "email": "b@e.com", "invite_ct": NaN}',
        b'{"username": "bob", "email": "b@e.com", "info": {"n": 9007199254740993}}',
        b'{"username": "bob", "email": "b@e.com", "info": {"n": 1e999}}',
        b'{"username": "b\xff", "email": "b@e.com"}',
        b'\xef\xbb\xbf{"username": "bob", "email": "b@e.com"}',
        b'{"username": "bob", "email": "b@e.com", "info": ' + b'{"a":' * 25 + b"1" + b"}" * 25 + b"}",
        b'{"username": "bob", "email": "b@e.com", "info": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"username": "bob", "email": "b@e.com", "biography": "' + b"x" * LONGEST_LINE + b'"}',
        b"\x00",
        gzip.compress(b"{}").replace(b"\n", b""),
        "{}".encode("utf-16"),
    ],
    ids=range(18),
)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_lines_that_are_no_record(run: Run, load: Load, line: bytes) -> None:
    ran = load(GOOD, line, GOOD.replace(b"good", b"last"), exit_code=1)
    (complaint,) = complaints(ran)
    assert complaint.startswith("line 2: ")
    assert len(complaint) < 200
    assert [row["username"] for row in exported(run)] == ["good", "last"]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_line_ends_blank_lines_and_byte_order_mark(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "accounts.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf"
        + GOOD
        + b"\r\n\r\n  \t\n"
        + GOOD.replace(b"good", b"more")
        + b"\r\nbad\n"
        + GOOD.replace(b"good", b"last")
    )
    ran = run("accounts", "import", str(path), exit_code=1)
    assert ran.json == {"created": 3, "updated": 0, "failed": 1}
    assert ran.err == "line 5: is not valid JSON\n"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("backend", ["sqlite"])
def test_nothing_to_import(run: Run, content: bytes) -> None:
    assert run("accounts", "import", "-", input=content).json == {"created": 0, "updated": 0, "failed": 0}


@pytest.mark.parametrize("backend", ["sqlite"])
def test_file_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    for name in ("missing.jsonl", "."):
        ran = run("accounts", "import", str(tmp_path / name), exit_code=1)
        assert ran.err.startswith("accountsapp: ")
        assert ran.err.count("\n") == 1


def test_what_is_taken(run: Run, load: Load, alice: Person) -> None:
    ran = load(
        {"username": "ALICE", "email": "n1@e.com"},
        {"username": "n2", "email": "Alice@example.com"},
        {"username": "n3", "email": "n3@e.com", "api_key": alice.api_key},
        {
            "username": "n4",
            "emails": [
                {"email": "n4@e.com", "primary": True},
                {"email": "alice@example.com", "verified": True},
            ],
        },
        {
            "username": "ok",
            "emails": [{"email": "ok@e.com", "primary": True}, {"email": "alice@example.com"}],
        },
        exit_code=1,
    )
    texts = complaints(ran)
    assert [text.split(":")[0] for text in texts] == ["line 1", "line 2", "line 3", "line 4"]
    assert alice.api_key not in ran.err
    assert [row["username"] for row in exported(run)] == ["alice", "ok"]


def test_doubles_in_the_file(run: Run, load: Load) -> None:
    """The first of them stays; who failed takes nothing from those behind."""
    ran = load(
        bob(api_key="a-key"),
        {"username": "BOB", "email": "x@e.com"},
        {"username": "carol", "email": "BOB@example.com"},
        {"username": "dave", "email": "d@e.com", "api_key": "a-key"},
        {"username": "carol", "email": "x@e.com"},
        {"username": "ﬁn", "email": "f1@e.com"},
        {"username": "FIN", "email": "f2@e.com"},
        exit_code=1,
    )
    assert [text.split(":")[0] for text in complaints(ran)] == ["line 2", "line 3", "line 4", "line 7"]
    assert [row["username"] for row in exported(run)] == ["bob", "carol", "ﬁn"]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_bad_lines_of_a_large_file(run: Run, tmp_path: Path) -> None:
    """More than one batch: each bad line names its number, all others are in."""
    path = tmp_path / "many.jsonl"
    lines = [json.dumps({"username": f"u{n}", "email": f"u{n}@e.com"}) for n in range(1, 2501)]
    for bad in (1, 999, 1000, 1001, 2500):
        lines[bad - 1] = lines[bad - 1].replace("@", "")
    path.write_text("\n".join(lines))
    ran = run("accounts", "import", str(path), exit_code=1)
    assert ran.json == {"created": 2495, "updated": 0, "failed": 5}
    assert [text.split(":")[0] for text in complaints(ran)] == [
        f"line {n}" for n in (1, 999, 1000, 1001, 2500)
    ]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_no_progress_bar_without_a_terminal(load: Load) -> None:
    assert load(bob()).err == ""


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_progress_bar_on_a_terminal(ini_file: Path, tmp_path: Path) -> None:
    records = tmp_path / "records.jsonl"
    records.write_text(
        "\n".join(json.dumps({"username": f"u{n}", "email": f"u{n}@e.org"}) for n in range(50))
    )
    terminal, shown_on = os.openpty()
    try:
        ran = subprocess.run(
            [
                sys.executable,
                "-c",
                "from accountsapp.cli import main; main()",
                "-c",
                ini_file,
                "accounts",
                "import",
                records,
            ],
            stdout=subprocess.PIPE,
            stderr=shown_on,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
            check=True,
        )
        shown = os.read(terminal, 65536).decode()
    finally:
        os.close(terminal)
        os.close(shown_on)
    assert json.loads(ran.stdout) == {"created": 50, "updated": 0, "failed": 0}
    assert "50 accounts" in shown
    assert "100%" in shown or "\u2501" in shown


@pytest.mark.parametrize("backend", ["sqlite"])
def test_memory_does_not_grow_with_the_file(ini_file: Path, tmp_path: Path) -> None:
    def peak(accounts: int) -> int:
        """KiB that a process at most had, which imports so many."""
        records = tmp_path / f"{accounts}.jsonl"
        with records.open("w") as lines:
            for number in range(accounts):
                name = f"u{accounts}-{number}"
                record = {"username": name, "email": f"{name}@example.com", "biography": "b" * 1000}
                lines.write(json.dumps(record) + "\n")
        child = subprocess.run(
            [sys.executable, "-c", MEASURED, "-c", ini_file, "accounts", "import", records],
            capture_output=True,
            check=True,
        )
        return int(child.stdout.splitlines()[-1])

    few, many = peak(2_000), peak(16_000)
    assert many - few < 8 * 1024  # the difference of the files is 15 MiB


MEASURED = """
import resource, sys
from accountsapp.cli import main
main(standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("backend", ["sqlite"])
def test_what_was_imported_can_be_exported_and_imported_again(run: Run, load: Load, tmp_path: Path) -> None:
    def again(info: bytes, exit_code: int) -> None:
        line = b'{"username":"bob","email":"bob@example.com","info":' + info + b"}"
        load(line, update=True, exit_code=exit_code)
        if not exit_code:
            load(*run("accounts", "export", "bob").out.encode().splitlines(), update=True)

    again(b'{"l":[' + b",".join([b"1"] * 450_000) + b"]}", 0)
    again(b'{"l":[' + b",".join([b"1e15"] * 50_000) + b"]}", 0)
    again(b'{"l":[' + b",".join([b"1e15"] * 60_000) + b"]}", 1)
    again(b'{"l":"' + "\u2028".encode() * 330_000 + b'"}', 0)
    again(b'{"l":"' + "\u2028".encode() * 360_000 + b'"}', 1)
