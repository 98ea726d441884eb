"""Files that the product makes are its user's alone, whatever the umask."""

import errno
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from accountsapp import folders, mail, main
from accountsapp.db.database import Database
from tests.cli.conftest import write_ini


@pytest.fixture(params=[0o000, 0o022])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> set[tuple[str, int]]:
    """The kinds and modes of all that is below a folder."""
    found = [path.stat().st_mode for path in folder.rglob("*")]
    return {("folder" if stat.S_ISDIR(mode) else "file", stat.S_IMODE(mode)) for mode in found}


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_database_and_what_sqlite_puts_beside_it(umask: int, ini: dict[str, str], tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    file = made / "var" / "deeper" / "accounts.sqlite"
    path = write_ini(tmp_path / "a.ini", {**ini, "sqlalchemy.url": f"sqlite:///{file}"})
    code = "from accountsapp.cli import main; main()"
    subprocess.run([sys.executable, "-c", code, "-c", str(path), "db", "upgrade"], check=True, umask=umask)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = version_num")
        connection.commit()
        assert {entry.name for entry in file.parent.iterdir()} == {
            "accounts.sqlite",
            "accounts.sqlite-shm",
            "accounts.sqlite-wal",
        }
        assert modes(made) == {("folder", 0o700), ("file", 0o600)}
    connection.close()


def test_the_mode_of_a_database_that_is_there_is_the_operators(tmp_path: Path) -> None:
    file = tmp_path / "accounts.sqlite"
    file.touch()
    file.chmod(0o640)
    Database(f"sqlite:///{file}").dispose()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_mails(umask: int, tmp_path: Path) -> None:
    mail.write(tmp_path / "var" / "mail" / "a.eml", EmailMessage())
    assert modes(tmp_path) == {("folder", 0o700), ("file", 0o600)}


@pytest.mark.parametrize("backend", ["sqlite"])
def test_pictures_can_be_copied_before_there_is_one(umask: int, ini: dict[str, str], tmp_path: Path) -> None:
    """A server has made their folder, for everybody."""
    folder = tmp_path / "files"
    main({}, **{**ini, "accountsapp.files": str(folder)})
    assert modes(folder) == {("folder", 0o755)}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    copied = ["tar", "--create", f"--file={tmp_path}/uploads.tar", f"--directory={folder}", "uploads"]
    subprocess.run(copied, check=True)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_full_disk_does_not_stop_the_start(
    ini: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folders, "make_public", refuse)
    main({}, **{**ini, "accountsapp.files": str(tmp_path / "files")})
    (record,) = [record for record in caplog.records if record.name == "accountsapp.folders"]
    assert record.getMessage().startswith("accountsapp.files: no folder for pictures yet: No space left")
