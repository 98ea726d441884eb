"""Databases of other systems, with the tables that those systems make."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Table,
    Unicode,
    create_engine,
    delete,
    insert,
    update,
)

METADATA = MetaData()

BOOKIE_USERS = Table(
    "users",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("username", Unicode(255), unique=True),
    Column("name", Unicode(255)),
    Column("password", Unicode(60)),
    Column("email", Unicode(255), unique=True),
    Column("activated", Boolean, default=False),
    Column("is_admin", Boolean, default=False),
    Column("last_login", DateTime),
    Column("signup", DateTime),
    Column("api_key", Unicode(12)),
    Column("invite_ct", Integer, default=0),
    Column("invited_by", Unicode(255)),
)


class OldDatabase:
    """The database of another system.

    :ivar url: as it is given to the command
    """

    def __init__(self, url: str, engine: Engine) -> None:
        self.url = url
        self._engine = engine

    def add(self, table: Table, *rows: dict[str, Any]) -> None:
        """Put rows in a table; each has all its keys."""
        with self._engine.begin() as connection:
            table.create(connection, checkfirst=True)
            for row in rows:
                connection.execute(insert(table), row)

    def change(self, table: Table, identity: int, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(table).where(table.c.id == identity).values(values))

    def remove(self, table: Table, identity: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.id == identity))

    def execute(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def opened(url: str) -> Iterator[OldDatabase]:
    """An empty one.

    :param url: of an empty database
    """
    engine = create_engine(url)
    try:
        yield OldDatabase(url, engine)
    finally:
        engine.dispose()
