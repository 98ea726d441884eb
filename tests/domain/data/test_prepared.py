"""Statements that run on the driver's own connection."""

from collections.abc import Callable

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from accountsapp.db import Database
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.prepared import PreparedForMany, PreparedUpdate
from tests.support.people import Person

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
