"""Whose turn it is to write on SQLite: one after the other, in the order of asking, and never lost."""

import gc
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from accountsapp.db.database import Database
from accountsapp.db.errors import is_retryable
from accountsapp.db.sqlite import WriteTurns
from accountsapp.waiting import Deadline


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr("accountsapp.db.database.BUSY_TIMEOUT", 0.3)
    database = Database(f"sqlite:///{tmp_path}/turns.sqlite")
    with database.write_engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER CHECK (n >= 0))"))
    yield database
    database.dispose()


def insert(database: Database, number: int = 1) -> None:
    with database.begin() as session:
        session.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})


def run(function: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def test_who_asks_first_is_next() -> None:
    turns, order = WriteTurns(), []
    assert turns.take(0)

    def ask(number: int) -> None:
        assert turns.take(10)
        order.append(number)
        turns.give()

    threads = []
    for number in range(10):
        threads.append(run(lambda number=number: ask(number)))  # type: ignore[misc]
        while len(turns._queue) <= number:
            time.sleep(0.001)
    turns.give()
    for thread in threads:
        thread.join()
    assert order == list(range(10))


def test_who_gave_up_waiting_is_passed_over() -> None:
    turns = WriteTurns()
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give()
    assert turns.take(0)


def test_no_two_at_once_and_none_forgotten() -> None:
    """With time-outs that end as a turn comes."""
    turns, inside, most, got = WriteTurns(), [0], [0], []

    def ask() -> None:
        for _ in range(200):
            if turns.take(0.0005):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.0003)
                inside[0] -= 1
                got.append(1)
                turns.give()

    for thread in [run(ask) for _ in range(8)]:
        thread.join()
    assert most == [1]
    assert got
    assert turns.take(0)


def test_another_thread_that_writes_for_too_long_is_busy(database: Database) -> None:
    with database.begin() as session:
        session.execute(text("INSERT INTO t VALUES (1)"))
        refused: list[OperationalError] = []

        def write() -> None:
            with pytest.raises(OperationalError) as error:
                insert(database)
            refused.append(error.value)

        began = time.monotonic()
        run(write).join()
        assert 0.25 < time.monotonic() - began < 2
    assert is_retryable(refused[0])
    insert(database)


def test_another_process_that_writes_for_too_long_is_busy(database: Database) -> None:
    other = sqlite3.connect(str(database.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError) as refused:
        insert(database)
    other.execute("ROLLBACK")
    other.close()
    assert is_retryable(refused.value)
    insert(database)


def test_both_together_take_no_longer_than_one(database: Database) -> None:
    """Who has waited for threads has less time left for other processes."""
    other = sqlite3.connect(str(database.url.database), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    took = []

    def write() -> None:
        began = time.monotonic()
        with pytest.raises(OperationalError):
            insert(database)
        took.append(time.monotonic() - began)

    for thread in [run(write) for _ in range(4)]:
        thread.join()
    other.execute("ROLLBACK")
    other.close()
    assert max(took) < 0.3 + 0.25
    insert(database)


def test_a_deadline_counts(database: Database) -> None:
    with database.begin() as session:
        session.execute(text("INSERT INTO t VALUES (1)"))

        def write() -> None:
            with Deadline(0.05), pytest.raises(OperationalError):
                insert(database)

        began = time.monotonic()
        run(write).join()
        assert time.monotonic() - began < 0.25


def leave_session_open(database: Database) -> None:
    session = database.sessions()
    session.execute(text("INSERT INTO t VALUES (1)"))
    session.close()


def fail_inside(database: Database) -> None:
    def fail() -> None:
        with database.begin() as session:
            session.execute(text("INSERT INTO t VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


def fail_statement(database: Database) -> None:
    with pytest.raises(DBAPIError):
        insert(database, -1)


def fail_to_begin(database: Database) -> None:
    def fail(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("BEGIN"):
            raise MemoryError

    event.listen(database.write_engine, "before_cursor_execute", fail)
    with pytest.raises(MemoryError):
        insert(database)
    event.remove(database.write_engine, "before_cursor_execute", fail)


def fail_to_commit(database: Database) -> None:
    def fail(_session: Any) -> None:
        raise MemoryError

    event.listen(database.sessions, "before_commit", fail)
    with pytest.raises(MemoryError):
        insert(database)
    event.remove(database.sessions, "before_commit", fail)


def invalidate(database: Database) -> None:
    session = database.sessions()
    session.execute(text("INSERT INTO t VALUES (1)"))
    session.invalidate()


def lose_connection(database: Database) -> None:
    connection = database.write_engine.connect()
    connection.execute(text("INSERT INTO t VALUES (1)"))
    connection.invalidate()
    connection.close()


def forget_connection(database: Database) -> None:
    connection = database.write_engine.connect()
    connection.execute(text("INSERT INTO t VALUES (1)"))
    del connection
    gc.collect()


def close_under_it(database: Database) -> None:
    session = database.sessions()
    raw = session.connection().connection.dbapi_connection
    assert raw is not None
    raw.close()
    with pytest.raises(DBAPIError):
        session.execute(text("INSERT INTO t VALUES (1)"))
    session.close()


def close_in_the_pool(database: Database) -> None:
    """Met only when the next transaction begins."""
    with database.write_engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.busy_timeout = None
    raw.close()
    with pytest.raises(DBAPIError):
        insert(database)


def write_and_fail(database: Database) -> None:
    def fail(_connection: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(fail)


def end_by_statement(database: Database) -> None:
    """As the migrations do."""
    with database.write_engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.execute(text("INSERT INTO t VALUES (1)"))
        connection.commit()


@pytest.mark.parametrize(
    "way",
    [
        leave_session_open,
        fail_inside,
        fail_statement,
        fail_to_begin,
        fail_to_commit,
        invalidate,
        lose_connection,
        forget_connection,
        close_under_it,
        close_in_the_pool,
        write_and_fail,
        end_by_statement,
    ],
)
def test_however_a_transaction_ends_the_next_one_begins(
    database: Database, way: Callable[[Database], None]
) -> None:
    for _ in range(3):
        way(database)
        insert(database)


@pytest.mark.parametrize("way", ["write_connections", "pooled_connections"])
def test_connections_of_stores_take_turns(database: Database, way: str) -> None:
    connections = getattr(database, way)
    connection = connections.take()
    with connection.begin() as transaction:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        with pytest.raises(OperationalError):
            insert(database)
        transaction.rollback()
    connections.give_back(connection)
    insert(database)
