"""``accountsapp db``."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command

from accountsapp.db import Database
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


def test_revision_of_a_newer_version(run: Run, ini_file: Path, raw: Database, monkeypatch: Any) -> None:
    with raw.begin() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    err = run("db", "upgrade", exit_code=1).err
    assert "9999" in err
    assert err.count("\n") == 1
    assert "db upgrade" in run("accounts", "list", exit_code=1).err
