"""Statements that run on the driver's own connection."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from accountsapp.db.database import Database
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, AuditEvent, Base
from accountsapp.domain.data.prepared import PreparedForMany, PreparedInsert, PreparedUpdate
from accountsapp.testing.people import Person

_events = Base.metadata.tables[AuditEvent.__tablename__]

INSERT = PreparedInsert(_events, ("at", "event", "detail"))
ROWS = select(AuditEvent.at, AuditEvent.event, AuditEvent.detail).order_by(AuditEvent.id)
AT_ONCE = PreparedInsert.ROWS_AT_ONCE
LONGEST = PreparedForMany.LONGEST_LIST
BY_NAME = PreparedForMany(lambda keys: select(Account.id).where(Account.username_key.in_(keys)))


def test_each_value_of_a_list_of_any_length_is_looked_for(
    database: Database, register: Callable[..., Person]
) -> None:
    first, last = register("first"), register("last")
    with database.read_engine.connect() as connection:
        assert BY_NAME.all(connection, []) == []
        assert [*map(list, BY_NAME.all(connection, ["last"]))] == [[last.id]]
        for length in (2, 3, 4, 5, 31, 32, 33, LONGEST, LONGEST + 1, 2 * LONGEST + 1):
            nobody = [f"nobody{number}" for number in range(length - 2)]
            rows = [*map(list, BY_NAME.all(connection, ["first", *nobody, "last"]))]
            assert sorted(rows) == [[first.id], [last.id]], length


def test_what_the_database_refuses_is_refused_as_by_sqlalchemy(
    database: Database, register: Callable[..., Person]
) -> None:
    """Nothing is run again: the transaction in which an error was met may be over."""
    alice = register("alice")
    rename = PreparedUpdate(
        update(Account).where(Account.id == bindparam("account_id")).values(username=bindparam("username"))
    )
    with database.write_engine.connect() as connection:
        connection.begin()
        rename.run(connection, {"username": "alicia", "account_id": alice.id})
        with pytest.raises(IntegrityError):
            rename.run(connection, {"username": None, "account_id": alice.id})
        connection.rollback()
        assert connection.scalar(select(Account.username)) == "alice"


def test_rows_of_any_number_are_inserted_as_by_sqlalchemy(database: Database) -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    for length in (0, 1, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE + 1):
        events = [
            {"at": moment, "event": f"event {number}", "detail": {"of": [number]} if number % 2 else {}}
            for number in range(length)
        ]
        with database.write_engine.connect() as connection, connection.begin() as transaction:
            INSERT.run(connection, events)
            rows = connection.execute(ROWS).all()
            assert [row._asdict() for row in rows] == events
            transaction.rollback()


def test_an_insert_of_several_is_refused_as_a_whole(database: Database) -> None:
    event = {"at": now(), "event": "good", "detail": {}}
    with database.write_engine.connect() as connection, connection.begin():
        for length in (2, AT_ONCE, AT_ONCE + 1):
            events = [event] * (length - 1) + [{**event, "event": None}]
            with pytest.raises(IntegrityError), connection.begin_nested():
                INSERT.run(connection, events)
        assert connection.scalar(select(func.count()).select_from(AuditEvent)) == 0


def test_what_python_makes_by_default_must_be_given(database: Database) -> None:
    without_time = PreparedInsert(_events, ("event", "detail"))
    with database.write_engine.connect() as connection, pytest.raises(TypeError, match=r"must have at$"):
        without_time.run(connection, [{"event": "event", "detail": {}}])
