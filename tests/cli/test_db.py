"""``accountsapp db``."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from accountsapp.db import Database
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
