"""The database: engines, connections, transactions.

There are two ways to the data. Reads of safe methods go over an autocommit connection of ``read_engine``;
writes go through a Session of ``write_engine`` in one transaction, which on SQLite takes the write lock at
its first statement (``BEGIN IMMEDIATE``), so that read-modify-write loses nothing.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import zope.sqlalchemy
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from accountsapp.settings import Settings, SettingsError

T = TypeVar("T")

BUSY_TIMEOUT = 5.0
"""Seconds that a statement waits for a lock: the write lock of SQLite, a row's of PostgreSQL."""

IDLE_TIMEOUT = 60.0
"""Seconds after which PostgreSQL ends a transaction in which nothing happens: its process hangs."""

LARGEST_MAPPED = 1024 * 1024 * 1024
"""Bytes of a SQLite file that reading connections map into memory; what is beyond is read."""

RETRY_PAUSES = (0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each further try of :meth:`Database.write`."""

RETRYABLE_SQLSTATES = ("40001", "40P01", "55P03")
"""serialization_failure, deadlock_detected, lock_not_available."""


class ReadConnections:
    """Autocommit connections, kept open from one request to the next: opening one costs more than a read.

    The one that was given back last is taken first, so that no more are used than requests run at a time,
    and those have their statements and pages at hand.
    """

    LONGEST_IDLE = 60.0
    """Seconds. Who has been idle for longer may have been cut off in between, unnoticed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[tuple[Connection, float]] = []

    def take(self) -> Connection:
        """One that nobody else has."""
        try:
            connection, since = self._idle.pop()
        except IndexError:
            return self._engine.connect()
        if time.monotonic() - since <= self.LONGEST_IDLE:
            return connection
        connection.close()
        self.close()  # those below it have been idle for longer
        return self._engine.connect()

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next one to ask, unless it was lost: then the idle ones are lost too, as a rule."""
        if connection.invalidated:
            connection.close()
            self.close()
        else:
            self._idle.append((connection, time.monotonic()))

    def close(self) -> None:
        """Give those that nobody has to the engine's pool, which looks at them before they are used again."""
        while True:
            try:
                connection, _ = self._idle.pop()
            except IndexError:
                return
            connection.close()


class Database:
    """The engines of one process.

    :param url: ``sqlite:///…`` (a file) or ``postgresql+psycopg://…``
    :raises SettingsError: it cannot be used here
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {
            "pool_size": 20,
            "max_overflow": 20,
            "pool_timeout": 5,
            "hide_parameters": True,
        }
        if self.is_sqlite:
            _make_folder(Path(self.url.database or "").resolve().parent)
            options["connect_args"] = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
        else:
            options["pool_pre_ping"] = True
            options["connect_args"] = {"connect_timeout": 2}
        # As many of these as there are readers at a time, which the server's threads limit.
        self.read_engine = _engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
            **{**options, "max_overflow": -1},
        )
        self.write_engine = _engine(self.url, **options)
        if self.is_sqlite:
            event.listen(self.read_engine, "connect", _set_pragmas)
            event.listen(self.read_engine, "connect", _map_file)
            event.listen(self.write_engine, "connect", _set_pragmas)
            event.listen(self.write_engine, "begin", _begin_immediate)
        else:
            event.listen(self.write_engine, "connect", _set_timeouts)
        self.read_connections = ReadConnections(self.read_engine)
        self.sessions = sessionmaker(self.write_engine)
        self.request_sessions = sessionmaker(self.write_engine)
        zope.sqlalchemy.register(self.request_sessions)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A session in a transaction of its own: committed at the end, rolled back by an exception."""
        with self.sessions() as session, session.begin():
            yield session

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a transaction of its own; again from its start while others are in the way.

        :param work: changes nothing but the database
        :raises DBAPIError: the database refuses, or others were in the way for too long
        """
        for pause in (*RETRY_PAUSES, None):
            try:
                with self.write_engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if pause is None or not is_retryable(error):
                    raise
                time.sleep(pause)
        raise AssertionError

    def dispose(self) -> None:
        self.read_connections.close()
        self.read_engine.dispose()
        self.write_engine.dispose()


def _engine(url: URL, **options: Any) -> Engine:
    try:
        return create_engine(url, **options)
    except ImportError:
        text = "needs a package that is not installed; install accountsapp[postgresql]"
        raise SettingsError(f"sqlalchemy.url: {text}") from None


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = f"the folder of the database cannot be made: {error.strerror}"
        raise SettingsError(f"sqlalchemy.url: {text}") from None


def is_retryable(error: BaseException | None) -> bool:
    """Whether the database refused because others wrote at the same time, so that trying again helps."""
    if not isinstance(error, DBAPIError):
        return False
    original: Any = error.orig
    if getattr(original, "sqlstate", None) in RETRYABLE_SQLSTATES:
        return True
    return getattr(original, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _set_pragmas(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: the begin event does, and only where one writes.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _map_file(connection: Any, _record: Any) -> None:
    """Read pages where the operating system holds them, instead of copying each one."""
    connection.execute(f"PRAGMA mmap_size = {LARGEST_MAPPED}")


def _set_timeouts(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {BUSY_TIMEOUT * 1000:.0f}")
    cursor.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT * 1000:.0f}")
    connection.commit()
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def includeme(config: Any) -> None:
    settings: Settings = config.registry.app_settings
    config.registry.database = Database(settings.database_url)
