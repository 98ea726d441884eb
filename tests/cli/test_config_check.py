"""``config check``: everything that a server needs is looked at, and what is wrong said with what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran, Run, write_ini
from tests.support.mailserver import MailServer, free_port

SECRET_OF_OTHERS = "another-secret-of-thirty-two-or-more-characters"


def checked(ran: Ran) -> dict[str, tuple[bool, str]]:
    return {line["check"]: (line["ok"], line["text"]) for line in ran.jsons}


@pytest.fixture
def check(run: Run, ini: dict[str, str], tmp_path: Path) -> Any:
    """``config check --json`` with changed settings."""

    def check(exit_code: int = 0, **changes: str) -> dict[str, tuple[bool, str]]:
        changed = ini | {f"accountsapp.{name.replace('__', '.')}": value for name, value in changes.items()}
        path = write_ini(tmp_path / "changed.ini", changed)
        return checked(run("config", "check", "--json", ini=path, exit_code=exit_code))

    return check


def test_all_is_well(run: Run, ini: dict[str, str]) -> None:
    run("accounts", "add", "alice", "--email", "alice@example.com")
    ran = run("config", "check")
    assert [line.split()[:2] for line in ran.out.splitlines()] == [
        [name, "ok"] for name in ("settings", "database", "secret", "folders", "mail", "limits")
    ]
    assert ini["accountsapp.secret"] not in ran.out


def test_another_revision(run: Run, ini: dict[str, str], tmp_path: Path) -> None:
    path = write_ini(tmp_path / "changed.ini", ini | {"sqlalchemy.url": f"sqlite:///{tmp_path}/empty.sqlite"})
    ran = run("config", "check", "--json", ini=path, exit_code=1)
    ok, text = checked(ran)["database"]
    assert not ok
    assert "db upgrade" in text
    assert "secret" not in checked(ran)
    assert ran.err == "accountsapp: not well: database\n"


def test_a_database_that_is_not_there(check: Any, tmp_path: Path, run: Run, ini: dict[str, str]) -> None:
    url = f"postgresql+psycopg://ada:pa55word@127.0.0.1:{free_port()}/accounts"
    path = write_ini(tmp_path / "changed.ini", ini | {"sqlalchemy.url": url})
    ran = run("config", "check", ini=path, exit_code=1)
    assert "database   NO  sqlalchemy.url: cannot be used" in ran.out
    assert "pa55word" not in ran.out + ran.err


def test_another_secret(run: Run, check: Any) -> None:
    run("accounts", "add", "alice", "--email", "alice@example.com")
    ok, text = check(exit_code=1, secret=SECRET_OF_OTHERS)["secret"]
    assert not ok
    assert text.startswith("accountsapp.secret: opens none")


def test_folders_that_cannot_be_written(check: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ok, text = check(exit_code=1, files=str(tmp_path / "file"))["folders"]
    assert not ok
    assert text.startswith("accountsapp.files: ")


def test_a_mail_server(check: Any) -> None:
    server = MailServer().start()
    mail = {"mail__enabled": "true", "mail__host": "127.0.0.1", "mail__port": str(server.port)}
    try:
        assert check(**mail)["mail"] == (True, f"127.0.0.1, port {server.port}, takes mail")
        assert server.messages == []
    finally:
        server.stop()
    ok, text = check(exit_code=1, **mail)["mail"]
    assert not ok
    assert "mails wait in their queue" in text


def test_limits_that_nobody_counts(check: Any) -> None:
    storage = f"redis://:pa55word@127.0.0.1:{free_port()}"
    ok, text = check(exit_code=1, rate_limit="true", rate_limit__storage=storage)["limits"]
    assert not ok
    assert "does not answer" in text
    assert "pa55word" not in json.dumps(text)


def test_settings_that_are_none(run: Run, ini: dict[str, str], tmp_path: Path) -> None:
    path = write_ini(tmp_path / "changed.ini", ini | {"accountsapp.sekret": "x"})
    ran = run("config", "check", ini=path, exit_code=1)
    assert ran.out == ""
    assert "accountsapp.secret" in ran.err


def test_every_bad_setting_is_named(run: Run, ini: dict[str, str], tmp_path: Path) -> None:
    bad = {
        "accountsapp.mode": "production",
        "accountsapp.secret": "",
        "accountsapp.mail.port": "x",
        "accountsapp.passwords.refused": str(tmp_path / "none"),
        "accountsapp.openedx.max_usernames": "0",
        "accountsapp.social.google": "ftp://example.org",
        "pyramid.debug_all": "true",
    }
    needed = {
        name: value for name, value in ini.items() if name not in ("accountsapp.site_url", "accountsapp.apis")
    }
    path = write_ini(tmp_path / "bad.ini", needed | bad)
    lines = run("config", "check", ini=path, exit_code=1).err.splitlines()
    named = [line.split(": ")[1] for line in lines]
    assert sorted(named) == sorted({*bad, "accountsapp.site_url"} - {"accountsapp.mode"})
    assert all(line.startswith("accountsapp: ") for line in lines)
    (wanting,) = [line for line in lines if "accountsapp.site_url" in line]
    assert wanting.endswith("is required; it can be given in the environment, as ACCOUNTSAPP_SITE_URL")
