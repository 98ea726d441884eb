"""The database: engines, connections, transactions.

There are two ways to the data. Reads of safe methods go over an autocommit connection of ``read_engine``;
writes go over a connection of ``write_engine`` in one transaction, which on SQLite has the write lock from
its beginning (``BEGIN IMMEDIATE``), so that read-modify-write loses nothing.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from accountsapp import folders
from accountsapp.db.connections import Connections, KeptConnections, PooledConnections
from accountsapp.db.errors import AT_LIMIT, AWAY, BUSY, FULL, READ_ONLY, cause_of, is_retryable
from accountsapp.db.replica import ReplicaConnections
from accountsapp.settings import Settings, SettingsError
from accountsapp.trouble import Trouble
from accountsapp.waiting import remaining

if TYPE_CHECKING:
    from pyramid.config import Configurator

log = logging.getLogger(__name__)

T = TypeVar("T")

BUSY_TIMEOUT = 5.0
"""Seconds that a statement waits for a lock: the write lock of SQLite, a row's of PostgreSQL."""

POOL_SIZE = 20
"""Connections for writing that stay open; under load there are up to twice as many."""

POOL_TIMEOUT = 8.0
"""Seconds that a writer waits for a connection, fewer than a request has. More than for a lock: whoever has
one may need a further connection, and those who wait for the lock in vain give theirs back.
"""

IDLE_TIMEOUT = 60.0
"""Seconds after which PostgreSQL ends a transaction in which nothing happens: its process hangs."""

RETRY_PAUSES = (0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each further try of :meth:`Database.write`."""


class Database:
    """The engines of one process.

    :param url: ``sqlite:///…`` (a file) or ``postgresql+psycopg://…``
    :param read_url: of a replica, for what safe requests read; PostgreSQL only
    :param pgbouncer: whether the URLs lead to one that gives each transaction another connection
    :raises SettingsError: it cannot be used here

    :ivar read_connections: of the primary
    :ivar replica_connections: of the replica while it is as new as the primary, else of the primary
    :ivar write_connections: for transactions that are tried again when a connection was lost
    :ivar pooled_connections: for all other transactions
    """

    def __init__(self, url: str, read_url: str | None = None, *, pgbouncer: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.reading = Trouble(log, "the database is not available", "the database is available again")
        self.writing = Trouble(log, "the database refuses writes", "the database takes writes again")
        options: dict[str, Any] = {
            "pool_size": POOL_SIZE,
            "max_overflow": POOL_SIZE,
            "pool_timeout": POOL_TIMEOUT,
            "hide_parameters": True,
        }
        if self.is_sqlite:
            from accountsapp.db import sqlite  # each database's library is for who has that database

            _make_file(Path(self.url.database or "").resolve())
            options["connect_args"] = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
            options["json_deserializer"] = sqlite.read_json
            options["json_serializer"] = sqlite.write_json
        else:
            options["pool_pre_ping"] = True
            if pgbouncer:
                options["connect_args"] = {"prepare_threshold": None}
        # As many of these as there are readers at a time, which the server's threads limit.
        of_readers = {
            **options,
            "isolation_level": "AUTOCOMMIT",
            "pool_reset_on_return": None,
            "max_overflow": -1,
        }
        self.read_engine = _engine(self.url, **of_readers)
        self.replica_engine = _engine(make_url(read_url), **of_readers) if read_url is not None else None
        if self.is_sqlite:
            writing = sqlite.writing_connections(BUSY_TIMEOUT, self.writing.over)
            options["connect_args"] = {**options["connect_args"], "factory": writing}
        self.write_engine = _engine(self.url, **options)
        if self.is_sqlite:
            self._set_up_sqlite()
        else:
            self._set_up_postgresql(pgbouncer=pgbouncer)
        event.listen(self.read_engine, "handle_error", self._note_error)
        event.listen(self.write_engine, "handle_error", self._note_error)
        self.read_connections = KeptConnections(self.read_engine, self.reading)
        self.replica_connections: Connections = self.read_connections
        if self.replica_engine is not None:
            of_replica = KeptConnections(
                self.replica_engine, Trouble(log, "the replica", "the replica answers")
            )
            self.replica_connections = ReplicaConnections(self.read_connections, of_replica)
        self.write_connections = KeptConnections(self.write_engine, most=POOL_SIZE // 2)
        self.pooled_connections = PooledConnections(self.write_engine)
        self.sessions = sessionmaker(self.write_engine)

    def _set_up_sqlite(self) -> None:
        from accountsapp.db import sqlite

        event.listen(self.read_engine, "connect", sqlite.set_pragmas)
        event.listen(self.read_engine, "connect", sqlite.keep_few_pages)
        event.listen(self.write_engine, "connect", sqlite.set_pragmas)
        event.listen(self.write_engine, "begin", self._begin)

    def _set_up_postgresql(self, *, pgbouncer: bool) -> None:
        from accountsapp.db import postgresql

        connect = postgresql.connecting(self.writing.over)
        event.listen(self.read_engine, "do_connect", connect)
        event.listen(self.write_engine, "do_connect", connect)
        parameters = {
            "lock_timeout": f"{BUSY_TIMEOUT * 1000:.0f}",
            "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT * 1000:.0f}",
        }
        if self.replica_engine is not None:
            event.listen(self.replica_engine, "do_connect", postgresql.connecting(lambda: None))
            # Who has changed something sees it, whichever server he asks next.
            parameters["synchronous_commit"] = "remote_apply"
        postgresql.configure(self.write_engine, parameters, each_transaction=pgbouncer)

    @cached_property
    def request_sessions(self) -> sessionmaker[Session]:
        """Makes sessions that are committed with the transaction of a request."""
        import zope.sqlalchemy  # imports each driver of a database that is installed
        from zope.sqlalchemy.datamanager import STATUS_CHANGED

        sessions = sessionmaker(self.write_engine)
        zope.sqlalchemy.register(sessions, STATUS_CHANGED)  # a plain statement is a change, too
        return sessions

    def _begin(self, connection: Connection) -> None:
        from accountsapp.db import sqlite

        try:
            sqlite.begin(connection)
        except DBAPIError as error:
            self._note(self.writing, cause_of(error) or BUSY)
            raise

    def _note_error(self, context: ExceptionContext) -> None:
        """Tell what is wrong with the database. A connection that met it does not go on: one that was opened
        while a file was read-only would stay so."""
        error = context.sqlalchemy_exception
        cause = cause_of(error) if error is not None else None
        if cause is None:
            return
        if self.is_sqlite and cause.startswith(FULL) and _is_at_limit(context):
            cause = cause.replace(FULL, AT_LIMIT)
        is_away = context.is_disconnect or cause == AWAY
        if cause != BUSY:
            context.is_disconnect = True
        # What was the primary is none any more; or those that are idle keep others from being opened.
        if cause in (READ_ONLY, AT_LIMIT):
            self.read_connections.renew()
            self.write_connections.renew()
        refuses = context.engine is self.write_engine and not is_away
        self._note(self.writing if refuses else self.reading, cause)

    def _note(self, trouble: Trouble, cause: str) -> None:
        """What has no deadline, a command or the start of a server, tells the error itself."""
        if remaining() is not None:
            trouble.met(cause)

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
        self.replica_connections.close()
        self.read_connections.close()
        self.write_connections.close()
        for engine in (self.replica_engine, self.read_engine, self.write_engine):
            if engine is not None:
                engine.dispose()


def _engine(url: URL, **options: Any) -> Engine:
    try:
        return create_engine(url, **options)
    except ImportError:
        text = "needs a package that is not installed; install accountsapp[postgresql]"
        raise SettingsError(f"sqlalchemy.url: {text}") from None


def _is_at_limit(context: ExceptionContext) -> bool:
    from accountsapp.db import sqlite

    connection = context.connection
    return connection is not None and sqlite.is_at_limit(connection.connection.dbapi_connection)


def _make_file(path: Path) -> None:
    """Make the file of an SQLite database, readable by our user alone; its WAL gets the mode of the file."""
    try:
        folders.make(path.parent)
        folders.check_writable(path)
        if not path.exists():
            path.touch(0o600)
    except OSError as error:
        raise SettingsError(folders.unusable("sqlalchemy.url", path, error)) from None


def open_database(settings: Settings) -> Database:
    """The database that the settings name."""
    return Database(settings.database_url, settings.read_url, pgbouncer=settings.pgbouncer)


def includeme(config: "Configurator") -> None:
    settings: Settings = config.registry.app_settings
    config.registry.database = open_database(settings)
