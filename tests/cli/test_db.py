"""``accountsapp db``."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from accountsapp.db.database import Database
from accountsapp.domain.data.models import Base
from accountsapp.migrations.revision import alembic_config, newest_revision
from tests.cli.conftest import Run, write_ini


@pytest.fixture
def empty(empty_database_url: str, tmp_path: Path, ini: dict[str, str]) -> Path:
    return write_ini(tmp_path / "empty.ini", {**ini, "sqlalchemy.url": empty_database_url})


def test_upgrade(run: Run, empty: Path) -> None:
    assert run("db", "current", ini=empty).out == "none\n"
    assert run("db", "upgrade", ini=empty).out == f"{newest_revision()}\n"
    assert run("db", "current", ini=empty).out == f"{newest_revision()}\n"
    run("accounts", "list", ini=empty)
    assert run("db", "upgrade", ini=empty).out == f"{newest_revision()}\n"


def test_models_are_what_the_migrations_make(raw: Database) -> None:
    command.check(alembic_config(raw))


@pytest.mark.parametrize("backend", ["sqlite"])
def test_indexes_of_expressions_are_what_the_migrations_make(raw: Database, tmp_path: Path) -> None:
    """The check of the models passes them over on SQLite."""

    def indexes(database: Database) -> set[str]:
        with database.read_engine.connect() as connection:
            rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE name LIKE '%nulls_last'"))
            return {sql for (sql,) in rows}

    made = Database(f"sqlite:///{tmp_path}/models.sqlite")
    Base.metadata.create_all(made.write_engine)
    assert indexes(made) == indexes(raw)
    assert len(indexes(raw)) == 3
    made.dispose()


def test_revision_of_a_newer_version(run: Run, ini_file: Path, raw: Database, monkeypatch: Any) -> None:
    with raw.begin() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    err = run("db", "upgrade", exit_code=1).err
    assert "9999" in err
    assert err.count("\n") == 1
    assert "db upgrade" in run("accounts", "list", exit_code=1).err


@pytest.mark.parametrize("backend", ["sqlite"])
def test_backup(run: Run, raw: Database, tmp_path: Path) -> None:
    run("accounts", "add", "alice", "--email", "alice@example.com")
    file = tmp_path / "copies" / "copy.sqlite"
    assert "No such file" in run("db", "backup", str(file), exit_code=1).err
    file.parent.mkdir()
    assert run("db", "backup", str(file)).out == f"{file}: written\n"
    assert [path.name for path in file.parent.iterdir()] == ["copy.sqlite"], "one file"
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    refused = run("db", "backup", str(file), exit_code=1).err
    assert refused == f"accountsapp: {file}: is there already; nothing is overwritten\n"
    assert file.read_bytes() == before
    said = run("db", "backup", "--json", str(tmp_path / "second.sqlite")).json
    assert said == {"file": str(tmp_path / "second.sqlite"), "size": len(before), "done": "written"}


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_backup_of_what_is_no_database_leaves_nothing(
    run: Run, ini: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "broken.sqlite").write_bytes(b"no database at all" * 500)
    broken = write_ini(
        tmp_path / "broken.ini", {**ini, "sqlalchemy.url": f"sqlite:///{tmp_path}/broken.sqlite"}
    )
    file = tmp_path / "copy.sqlite"
    err = run("db", "backup", str(file), ini=broken, exit_code=1).err
    assert err == "accountsapp: the database: file is not a database\n"
    assert list(tmp_path.glob("copy*")) == []


@pytest.mark.parametrize("backend", ["postgresql"])
def test_backup_of_postgresql(run: Run, tmp_path: Path) -> None:
    assert "pg_dump" in run("db", "backup", str(tmp_path / "copy"), exit_code=1).err
    assert not (tmp_path / "copy").exists()
