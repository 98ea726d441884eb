"""SQLite: its settings, and whose turn it is to write.

SQLite has one writer at a time. Threads that wait for it inside SQLite sleep and look again, longer each
time, and who comes last may be first. Here they queue before ``BEGIN IMMEDIATE``; only other processes
are waited for inside SQLite.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from json import JSONDecoder, JSONEncoder
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from accountsapp.driver_errors import raise_error_of
from accountsapp.waiting import TooManyWaiting, Waiters

BEGIN = "BEGIN IMMEDIATE"

PAGE_CACHE = 512
"""KiB of a connection that reads; what it has no room for is in the operating system's cache, which all
share."""


class WriteTurns:
    """A fair lock: who asks first is next."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = False
        self._queue: deque[Lock] = deque()

    def take(self, timeout: float) -> bool:
        """
        :param timeout: seconds to wait
        :returns: whether it is one's turn; then :meth:`give` must follow
        """
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            turn = Lock()
            turn.acquire()
            self._queue.append(turn)
        try:
            came = turn.acquire(timeout=timeout)
        except BaseException:
            if not self._leave(turn):
                self.give()
            raise
        return came or not self._leave(turn)

    def give(self) -> None:
        """To the next one."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._taken = False

    def _leave(self, turn: Lock) -> bool:
        """Whether it still was in the queue; if not, its turn has come meanwhile."""
        with self._lock:
            if turn not in self._queue:
                return False
            self._queue.remove(turn)
            return True


class WritingConnection(sqlite3.Connection):
    """A connection that has the turn to write for as long as it is in a transaction."""

    turns: WriteTurns
    waiters: Waiters
    patience: float
    on_write: Callable[[], None]
    _has_turn = False
    _changes = 0
    busy_timeout: float | None = None
    """Seconds that SQLite itself waits for other processes; asked for anew where it makes a difference."""

    def take_turn(self) -> float:
        """Wait until this one may begin a transaction.

        :returns: seconds that are left to wait for other processes
        :raises sqlite3.OperationalError: ``SQLITE_BUSY``, others write for too long
        """
        started = monotonic()
        try:
            allowed = self.waiters.enter()
        except TooManyWaiting:
            raise _busy("too many wait to write") from None
        try:
            patience = self.patience if allowed is None else min(self.patience, allowed)
            self._has_turn = self._has_turn or self.turns.take(patience)
        finally:
            self.waiters.leave(in_vain=not self._has_turn)
        if not self._has_turn:
            raise _busy("another thread writes for too long")
        return max(0.0, patience - (monotonic() - started))

    def has_begun(self) -> None:
        """What is written from now on is of the transaction."""
        self._changes = self.total_changes

    def give_turn(self) -> None:
        """To the next one, if this one has it."""
        if self._has_turn:
            self._has_turn = False
            self.turns.give()

    def commit(self) -> None:
        """SQLite leaves a transaction open whose commit it refuses, with its lock: it is rolled back."""
        try:
            super().commit()
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                self.rollback()
            raise
        wrote = self._has_turn and self.total_changes != self._changes
        self.give_turn()
        if wrote:
            self.on_write()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            if not self.in_transaction:
                self.give_turn()

    def close(self) -> None:
        """Also where a cursor is still referred to, as by the error of a statement: SQLite closes only when
        that is gone, and would keep the write lock until then.
        """
        try:
            if self.in_transaction:
                with suppress(sqlite3.Error):  # a disk that fails; nothing of it was committed
                    super().rollback()
            super().close()
        finally:
            self.give_turn()


def _busy(text: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorname = "SQLITE_BUSY"
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


def writing_connections(patience: float, on_write: Callable[[], None]) -> type[sqlite3.Connection]:
    """The class of the connections that one process writes to one file with.

    :param patience: seconds that one waits for its turn
    :param on_write: called when something was written
    """
    settings = {
        "turns": WriteTurns(),
        "waiters": Waiters(),
        "patience": patience,
        "on_write": staticmethod(on_write),
    }
    return type("WritingConnection", (WritingConnection,), settings)


_decoder = JSONDecoder()
_encoder = JSONEncoder()


def read_json(text: str) -> Any:
    """What a JSON column has, which was written without white space around it."""
    return _decoder.raw_decode(text)[0]


def write_json(value: Any) -> str:
    """What a JSON column is given: mostly an empty object or list, which needs no encoder."""
    if value == {}:
        return "{}"
    return "[]" if value == [] else _encoder.encode(value)


def set_pragmas(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: the begin event does, and only where one writes.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def keep_few_pages(connection: Any, _record: Any) -> None:
    """Of a connection that reads: there are many, and each has the same pages."""
    connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE}").close()


def is_at_limit(connection: Any) -> bool:
    """Whether the file has as many pages as it may have: then SQLite says that the disk is full.

    :param connection: of the driver
    """
    (pages,), (most,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "max_page_count")
    )
    return bool(pages >= most)


def begin(connection: Connection) -> None:
    """Listener: take the write lock as the transaction begins.

    :raises OperationalError: others write for too long
    """
    raw: Any = connection.connection.dbapi_connection
    try:
        left = raw.take_turn()
    except sqlite3.OperationalError as error:
        raise OperationalError(BEGIN, None, error) from error
    try:
        if raw.busy_timeout is None or abs(left - raw.busy_timeout) > 0.1:
            _run(connection, raw, f"PRAGMA busy_timeout = {left * 1000:.0f}")
            raw.busy_timeout = left
        _run(connection, raw, BEGIN)
        raw.has_begun()
    except BaseException:
        raw.give_turn()
        raise


def _run(connection: Connection, raw: sqlite3.Connection, statement: str) -> None:
    """By the driver alone, which costs a tenth, unless somebody wants to see every statement."""
    if connection.engine.dispatch.before_cursor_execute:
        connection.exec_driver_sql(statement)
        return
    try:
        raw.execute(statement).close()
    except sqlite3.Error as error:
        raise_error_of(connection, error, statement, ())
