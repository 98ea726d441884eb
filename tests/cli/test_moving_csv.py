"""``accounts import --from csv``: a header that names keys of the account record."""

import json
from pathlib import Path
from typing import Any

import pytest

from accountsapp.testing.people import PASSWORD
from tests.cli.conftest import Ran, Run
from tests.cli.test_import import FULL, HASH


def move(run: Run, text: str | bytes, *options: str, exit_code: int = 0) -> Ran:
    data = text.encode() if isinstance(text, str) else text
    return run("accounts", "import", "--from", "csv", "-", *options, input=data, exit_code=exit_code)


def field(value: Any) -> str:
    """A value as a field of CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    written = value if isinstance(value, str) else json.dumps(value)
    return '"' + written.replace('"', '""') + '"'


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_key_is_taken(run: Run, tmp_path: Path, delimiter: str) -> None:
    record = {**FULL, "permissions": " ".join(FULL["permissions"])}
    path = tmp_path / "accounts.csv"
    lines = [delimiter.join(record), delimiter.join(field(value) for value in record.values())]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    run("accounts", "import", "--from", "csv", str(path))
    empty = dict.fromkeys(("company", "goals"))
    assert run("accounts", "export", "--with-secrets").jsons == [{**FULL, **empty}]


def test_a_password_in_clear_is_hashed_once(run: Run) -> None:
    text = f"username,email,password\nbob,bob@example.com,{PASSWORD}\nann,ann@example.com,short\n"
    ran = move(run, text, "--dry-run", exit_code=1)
    assert ran.err == "line 3: password: A password needs at least 8 characters (ann)\n"
    assert (ran.json["created"], ran.json["failed"]) == (1, 1)
    move(run, text, exit_code=1)
    before = run("accounts", "export", "--with-secrets").jsons
    assert before[0]["password_hash"].startswith("$2b$")
    assert move(run, text, exit_code=1).json["unchanged"] == 1
    assert run("accounts", "export", "--with-secrets").jsons == before
    assert move(run, text.replace(PASSWORD, f"{PASSWORD}!"), exit_code=1).json["updated"] == 1
    assert run("accounts", "export", "--with-secrets").jsons != before


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "accountsapp: the CSV has no header"),
        ("\n\n", "accountsapp: the CSV has no header"),
        (
            "username,mail\n",
            "accountsapp: the header of the CSV has 'mail', which is none of username, email",
        ),
        ("username,email,email\n", "accountsapp: the header of the CSV has email twice"),
        ("username,email\nbob\n", "line 2: has 1 fields where the header has 2"),
        ("username,email\nbob,b@e.com,x\n", "line 2: has 3 fields where the header has 2"),
        ('username,email\n"bo"b,b@e.com\n', "line 2: is no CSV: "),
        ("username,email\n,b@e.com\n", "line 2: username: is required"),
        ("username,email,is_admin\nbob,b@e.com,maybe\n", "line 2: is_admin: "),
        ("username,email,invite_ct\nbob,b@e.com,many\n", "line 2: invite_ct: "),
        ("username,email,info\nbob,b@e.com,[]\n", "line 2: info: "),
        ("username,email,info\nbob,b@e.com,{\n", "line 2: info: "),
        ('username,email,info\nbob,b@e.com,"{""a"": NaN}"\n', "line 2: info: "),
        ("username,email,api_keys\nbob,b@e.com,[[]]\n", "line 2: api_keys: "),
        (b"username,email,name\nbob,b@e.com,\xff\n", "line 2: name: has NUL or half a surrogate pair in it"),
        (b"username,email,name\nbob,b@e.com,a\0b\n", "line 2: "),
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_what_cannot_be_taken(run: Run, text: str | bytes, complaint: str) -> None:
    (line,) = move(run, text, exit_code=1).err.splitlines()
    assert line.startswith(complaint)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_field_may_have_several_lines(run: Run) -> None:
    text = f'username;email;biography;password_hash\nbob;b@e.com;"two\nlines";{HASH}\n\nbad\nann;a@e.com;;\n'
    ran = move(run, text, exit_code=1)
    assert ran.err == "line 5: has 1 fields where the header has 4\n"
    assert ran.json["created"] == 2
    bob, ann = run("accounts", "export").jsons
    assert (bob["biography"], ann["biography"]) == ("two\nlines", None)
