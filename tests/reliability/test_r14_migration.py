"""R14: an upgrade that is killed at any moment is finished by running it again, and loses nothing."""

import random
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from accountsapp import main
from accountsapp.db.database import Database
from accountsapp.migrations.revision import (
    alembic_config,
    check_revision,
    current_revision,
    newest_revision,
)
from accountsapp.testing.plugin import make_anew
from accountsapp.testing.postgres import Databases, maintain
from tests.conftest import Soak
from tests.support import killing

ACCOUNTS = 10_000
REVISIONS = [
    None,
    *(s.revision for s in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))),
]

Restore = Callable[[], str]

SCHEMAS = {
    True: "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name",
    False: """
        SELECT attrelid::regclass::text, attnum::text, attname || format_type(atttypid, atttypmod),
            (attnotnull, attidentity, attgenerated, attcollation, pg_get_expr(adbin, adrelid),
            col_description(attrelid, attnum))::text
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0
        UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        ORDER BY 1, 2, 3, 4
    """,
}
"""By whether it is for SQLite: selects all that a migration can make."""


@pytest.fixture(scope="module", params=[revision for revision in REVISIONS if revision != newest_revision()])
def revision(request: pytest.FixtureRequest) -> str | None:
    """Every schema that an upgrade can start from; all tests of one run after each other."""
    return request.param


class Filled:
    """Databases of one revision with accounts in it, one of each kind, made when they are first asked for."""

    def __init__(self, revision: str | None, folder: Path) -> None:
        self._revision = revision
        self._folder = folder
        self._made: dict[str, sa.URL] = {}

    def url(self, backend: str, request: pytest.FixtureRequest) -> sa.URL:
        """Of the one that is copied, not changed."""
        if backend not in self._made:
            if backend == "sqlite":
                url = sa.make_url(f"sqlite:///{self._folder}/filled.sqlite")
            else:
                databases: Databases = request.getfixturevalue("postgres_databases")
                url = databases.make("template1")
            self._fill(url.render_as_string(hide_password=False))
            self._made[backend] = url
        return self._made[backend]

    def _fill(self, url: str) -> None:
        database = Database(url)
        if self._revision is not None:
            command.upgrade(alembic_config(database), self._revision)
            fill(database)
        database.dispose()


@pytest.fixture(scope="module")
def filled(revision: str | None, sqlite_folder: Path) -> Filled:
    return Filled(revision, make_anew(sqlite_folder / "filled"))


@pytest.fixture
def restore(
    backend: str, filled: Filled, request: pytest.FixtureRequest, sqlite_folder: Path
) -> Iterator[Restore]:
    """Makes a database of that revision with accounts in it, again and again; returns its URL."""
    url = filled.url(backend, request)
    if backend == "sqlite":
        copy = sqlite_folder / "copy.sqlite"

        def restore() -> str:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{copy}{suffix}").unlink(missing_ok=True)
            if Path(url.database or "").exists():
                shutil.copy(url.database or "", copy)
            return f"sqlite:///{copy}"

        yield restore
        return
    server: sa.URL = request.getfixturevalue("postgres_server")
    name = f"{url.database}_copy"

    def restore_database() -> str:
        maintain(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        maintain(server, f"CREATE DATABASE {name} TEMPLATE {url.database}")
        return url.set(database=name).render_as_string(hide_password=False)

    yield restore_database
    maintain(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def fill(database: Database) -> None:
    """Accounts with an address and a key, by the columns that the schema has."""
    tables = sa.MetaData()
    with database.write_engine.begin() as connection:
        tables.reflect(connection)
        for name in ("account", "email_address", "api_key"):
            table = tables.tables[name]
            rows = [{c.name: value(c, number) for c in table.columns} for number in range(1, ACCOUNTS + 1)]
            connection.execute(table.insert(), rows)


def value(column: sa.Column[Any], number: int) -> Any:
    if column.name in ("id", "account_id"):
        return number
    if column.name == "state":
        return "active"
    if column.nullable:
        return None
    if isinstance(column.type, sa.JSON):
        return {"n": number}
    python_type = column.type.python_type
    if python_type is bool:
        return True
    if python_type is int:
        return 0
    if python_type is bytes:
        return f"{number}".encode()
    if python_type is str:
        return f"{column.name}{number}"
    return datetime(2020, 1, 1, tzinfo=UTC)


def checksum(database: Database) -> str:
    """Of what the oldest schema has of the accounts."""
    with database.read_engine.connect() as connection:
        if not sa.inspect(connection).has_table("account"):
            return ""
        digest = sha256()
        for statement in (
            "SELECT id, username, username_key, state, permissions, info, version FROM account ORDER BY id",
            "SELECT id, account_id, address, verified, is_primary FROM email_address ORDER BY id",
            "SELECT account_id, digest, sealed FROM api_key ORDER BY account_id",
        ):
            rows = [tuple(row) for row in connection.exec_driver_sql(statement)]
            digest.update(repr(rows).encode())
        return digest.hexdigest()


def check_schema(database: Database, checked: set[str]) -> None:
    """That it is the one of the models; one that is the same to the letter is not compared with them again.

    :param checked: what was compared so far
    """
    with database.read_engine.connect() as connection:
        schema = repr(connection.exec_driver_sql(SCHEMAS[database.is_sqlite]).fetchall())
    if schema not in checked:
        command.check(alembic_config(database))
        checked.add(schema)


@pytest.fixture(scope="module")
def checked() -> set[str]:
    return set()


def test_r14_killed_at_random_moments(
    restore: Restore, revision: str | None, soak: Soak, checked: set[str]
) -> None:
    """From each schema; some hundred in all in the short form, too."""
    url = restore()
    database = Database(url)
    before = checksum(database)
    database.dispose()
    killing.finish(killing.upgrade, url)
    needed = killing.finish(killing.upgrade, restore())
    interrupted = 0
    for _ in range(soak(4, 20)):
        url = restore()
        moment = random.uniform(0, needed)
        if killing.kill_after(moment, killing.upgrade, url):
            interrupted += 1
        else:
            needed = moment  # it is done sooner than the one that was measured
        database = Database(url)
        try:
            assert current_revision(database) in REVISIONS
            command.upgrade(alembic_config(database), "head")
            assert current_revision(database) == newest_revision()
            if revision is not None:
                assert checksum(database) == before
            check_schema(database, checked)
        finally:
            database.dispose()
    assert interrupted > 0


def test_r14_killed_again_and_again(restore: Restore) -> None:
    """Whatever is left behind, the next try goes on from there."""
    url = restore()
    for _ in range(5):
        killing.kill_after(random.uniform(0, 0.2), killing.upgrade, url)
    killing.finish(killing.upgrade, url)
    database = Database(url)
    check_revision(database)
    database.dispose()


def test_r14_upgrades_at_the_same_time_take_turns(restore: Restore) -> None:
    url = restore()
    processes = [killing.start(killing.upgrade, url) for _ in range(4)]
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    database = Database(url)
    check_revision(database)
    database.dispose()


def test_r14_the_server_refuses_to_start_on_another_schema(
    restore: Restore, ini: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as refused:
        main({"here": str(tmp_path)}, **{**ini, "sqlalchemy.url": restore()})
    text = str(refused.value)
    assert "db upgrade" in text
    assert "\n" not in text
