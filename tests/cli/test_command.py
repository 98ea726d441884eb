"""The command as a whole: which ini, exit codes, one line on standard error."""

import os
import signal
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from click.testing import CliRunner

from accountsapp.cli import COMMANDS, main
from accountsapp.testing.people import Person
from tests.cli.conftest import Run, write_ini

COMMAND = [sys.executable, "-c", "from accountsapp.cli import main; main(prog_name='accountsapp')"]


def one_line(text: str) -> bool:
    return text.startswith("accountsapp: ") and text.count("\n") == 1


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


def test_ini_from_the_environment(ini_file: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("ACCOUNTSAPP_CONFIG", str(ini_file))
    assert CliRunner().invoke(main, ["accounts", "list"]).exit_code == 0


def test_development_ini_otherwise(ini: dict[str, str], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ACCOUNTSAPP_CONFIG", raising=False)
    missing = CliRunner().invoke(main, ["accounts", "list"])
    assert missing.exit_code == 1
    assert "development.ini" in missing.stderr
    assert one_line(missing.stderr)
    write_ini(tmp_path / "development.ini", ini)
    assert CliRunner().invoke(main, ["accounts", "list"]).exit_code == 0


def test_section_of_the_ini(run: Run, ini: dict[str, str], tmp_path: Path) -> None:
    path = write_ini(tmp_path / "other.ini", ini, section="other")
    run("accounts", "list", ini=f"{path}#other")
    assert one_line(run("accounts", "list", ini=path, exit_code=1).err)
    assert one_line(run("accounts", "list", ini=f"{path}#none", exit_code=1).err)


def test_here_is_the_folder_of_the_ini(run: Run, ini: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    path = folder / "a.ini"
    write_ini(path, ini)
    url = ini["sqlalchemy.url"]
    path.write_text(path.read_text().replace(url, "sqlite:///%(here)s/var/new.sqlite"))
    run("db", "upgrade", ini=path)
    assert (folder / "var" / "new.sqlite").exists()


def test_environment_wins(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SQLALCHEMY_URL", f"sqlite:///{tmp_path}/env.sqlite")
    assert run("db", "current").out == "none\n"


@pytest.mark.parametrize(
    "text",
    ["", "no section", "[app:main\n", "[app:main]\nuse = egg:nosuchthing\n", "[app:main]\nx = %(nope)s\n"],
)
def test_ini_that_is_none(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.ini"
    path.write_text(text)
    assert one_line(run("accounts", "list", ini=path, exit_code=1).err)


def test_bad_setting(run: Run, ini: dict[str, str], tmp_path: Path) -> None:
    path = write_ini(tmp_path / "bad.ini", {**ini, "accountsapp.bcrypt_rounds": "many"})
    err = run("accounts", "list", ini=path, exit_code=1).err
    assert one_line(err)
    assert "accountsapp.bcrypt_rounds" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["accounts", "nothing"],
        ["accounts", "add"],
        ["accounts", "add", "bob"],
        ["accounts", "list", "--nothing"],
        ["accounts", "set-password", "bob"],
        ["accounts", "import"],
        ["db"],
        ["secrets"],
    ],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    assert "Usage:" in run(*arguments, exit_code=2).err


def test_help_needs_no_ini() -> None:
    for command in ["accounts", "accounts import", "db upgrade", "secrets rotate", "tree"]:
        result = CliRunner().invoke(main, ["-c", "nowhere.ini", *command.split(), "--help"])
        assert result.exit_code == 0
        assert "Usage:" in result.stdout


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_what_only_tells_of_itself_imports_little(option: str) -> None:
    code = f"""if True:
        import sys
        from accountsapp.cli import main
        try:
            main([{option!r}])
        finally:
            print(*sorted(sys.modules))
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packages = {module.split(".")[0] for module in ran.stdout.splitlines()[-1].split()}
    assert "click" in packages
    assert packages & {"alembic", "jinja2", "pydantic", "pyramid", "sqlalchemy", "zope"} == set()


def test_help_lists_what_each_command_says_of_itself() -> None:
    for name, (place, sentence) in COMMANDS.items():
        command = resolve_name(place)
        assert command.name == name
        assert (command.help or "").partition("\n")[0] == sentence
        assert sentence in CliRunner().invoke(main, ["--help"], terminal_width=200).stdout


def test_version() -> None:
    said = CliRunner().invoke(main, ["--version"], prog_name="accountsapp").stdout
    assert said == f"accountsapp, version {version('accountsapp')}\n"


def test_database_at_another_revision(run: Run, ini: dict[str, str], tmp_path: Path) -> None:
    path = write_ini(tmp_path / "new.ini", {**ini, "sqlalchemy.url": f"sqlite:///{tmp_path}/new.sqlite"})
    for command in ["accounts list", "accounts export", "accounts ensure-admin", "secrets rotate"]:
        err = run(*command.split(), ini=path, exit_code=1).err
        assert one_line(err)
        assert "db upgrade" in err
    run("tree", ini=path)


def test_database_that_does_not_answer(run: Run, ini: dict[str, str], tmp_path: Path) -> None:
    urls = ["postgresql+psycopg://u:secret@127.0.0.1:1/none", f"sqlite:///{tmp_path}"]
    for url in urls:
        path = write_ini(tmp_path / "gone.ini", {**ini, "sqlalchemy.url": url})
        err = run("accounts", "list", ini=path, exit_code=1).err
        assert one_line(err)
        assert "secret" not in err


def test_reader_that_goes_away(run: Run, ini_file: Path) -> None:
    """``accountsapp … | head``: no traceback."""
    lines = "".join(f'{{"username": "u{n}", "email": "u{n}@example.com"}}\n' for n in range(2000))
    run("accounts", "import", "-", input=lines)
    process = subprocess.Popen(
        [*COMMAND, "-c", str(ini_file), "accounts", "export"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
    assert process.returncode != 0


def test_interrupt(run: Run, ini_file: Path) -> None:
    """Ctrl-C in an import: one line, exit status 130, whole batches stay. A shell that starts the tests may
    ignore it; who sits at a terminal does not.
    """
    process = subprocess.Popen(
        [*COMMAND, "-c", str(ini_file), "accounts", "import", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdin is not None
    process.stdin.writelines(f'{{"username": "u{n}", "email": "u{n}@e.com"}}\n' for n in range(1400))
    process.stdin.flush()
    while run("accounts", "list", "--json").out.count("\n") < 1000:
        pass
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert one_line(err)
    assert "interrupted: 1000 created, 0 updated, 0 failed; run it again to go on" in err
    assert len(run("accounts", "list", "--json").jsons) == 1000


def test_a_command_imports_what_it_needs(ini_file: Path, run: Run) -> None:
    """A few hundred milliseconds each: what serves, migrates, mails and draws is for others."""
    run("accounts", "add", "ada", "--email", "ada@example.org")
    script = (
        "import sys; from accountsapp.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, "-c", str(ini_file), "accounts", "show", "ada"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '"ada"' in result.stdout
    dear = {"alembic", "email_validator", "limits", "PIL", "pyramid", "rich", "webob", "zope", "zxcvbn"}
    assert dear & set(result.stderr.split()) == set()


def test_what_cannot_be_shown_is_done_nevertheless(ini_file: Path, alice: Person) -> None:
    """A key is there, and its owner can end it, though the disk was full or nobody read what was printed."""
    reader, unread = os.pipe()
    os.close(reader)
    for output, why in ((os.open("/dev/full", os.O_WRONLY), "No space left"), (unread, "Broken pipe")):
        command = [*COMMAND, "-c", str(ini_file), "api-keys", "add", "alice", "--name", why]
        ran = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, check=False)
        os.close(output)
        assert (ran.returncode, one_line(ran.stderr)) == (1, True), ran
        assert f"it is done, but what it prints is lost: {why}" in ran.stderr
