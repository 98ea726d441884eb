"""The database of another system: read by its id, some hundred rows at a time, and never written."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Select,
    Text,
    bindparam,
    cast,
    column,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    table,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError

ROWS_AT_ONCE = 1000
DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
}
"""What a URL without a driver means."""


class UnreadableSource(Exception):
    """What was named cannot be read; the text is one line that says why."""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection that reads what others write meanwhile, and holds no transaction open.

    :param url: as SQLAlchemy has it; the driver may be left out
    :raises UnreadableSource: no such kind of database, or no such file
    """
    engine = _engine(_parsed(url))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UnreadableSource("the database must be a URL such as postgresql://user@host/name") from None
    return parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))


def _engine(url: URL) -> Engine:
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite:
        path = Path(url.database or "")
        if not path.is_file():
            raise UnreadableSource(f"{path}: no such file")
        url = url.set(database=f"file:{quote(str(path.absolute()))}", query={"mode": "ro", "uri": "true"})
    try:
        engine = create_engine(url, **options)
    except NoSuchModuleError:
        text = "is none of sqlite, postgresql and mysql"
        raise UnreadableSource(f"the database: {url.drivername} {text}") from None
    except ImportError:
        text = "needs a package that is not installed; install accountsapp[migrate]"
        raise UnreadableSource(f"the database: {url.drivername} {text}") from None
    if is_sqlite:
        event.listen(engine, "connect", _take_bad_text)
    return engine


def _take_bad_text(connection: Any, _record: object) -> None:
    """Text that is not UTF-8 is the fault of its row, not the end of all."""
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")


class SourceTable:
    """A table of the other system, as far as it has the columns that are known.

    :param required: columns without which it is another table
    :param optional: columns that some versions have
    :param documents: those of them that hold JSON, which is read as text
    :raises UnreadableSource: there is no such table, or it lacks a column
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        required: Collection[str],
        optional: Collection[str] = (),
        documents: Collection[str] = (),
    ) -> None:
        self._connection = connection
        present = column_names(connection, name)
        if present is None:
            raise UnreadableSource(f"the database has no table {name}")
        for missing in sorted(set(required) - present):
            raise UnreadableSource(f"the table {name} has no column {missing}")
        self.columns = [*required, *(known for known in optional if known in present)]
        self._table = table(name, *(column(known) for known in self.columns))
        chosen = [
            cast(item, Text).label(item.name) if item.name in documents else item for item in self._table.c
        ]
        self._statement = select(*chosen)

    def pages(self, by: str = "id") -> Iterator[list[dict[str, Any]]]:
        """Every row by its columns, in the order of that column, which is unique and not null."""
        key = self._table.c[by]
        last: Any = None
        while True:
            statement = self._statement.order_by(key).limit(ROWS_AT_ONCE)
            if last is not None:
                statement = statement.where(key > last)
            rows = self._rows(statement)
            if not rows:
                return
            yield rows
            last = rows[-1][by]

    def of(self, by: str, values: Collection[Any]) -> dict[Any, list[dict[str, Any]]]:
        """The rows whose column has one of these values, by it."""
        groups: dict[Any, list[dict[str, Any]]] = {}
        statement = self._statement.where(self._table.c[by].in_(bindparam("values", expanding=True)))
        for row in self._rows(statement, values=list(values)):
            groups.setdefault(row[by], []).append(row)
        return groups

    def _rows(self, statement: Select[Any], **parameters: Any) -> list[dict[str, Any]]:
        rows = self._connection.execute(statement, parameters)
        return [dict(zip(self.columns, row, strict=True)) for row in rows]


def has_table(connection: Connection, name: str) -> bool:
    """Whether there is a table of that name."""
    return column_names(connection, name) is not None


def column_names(connection: Connection, name: str) -> set[str] | None:
    """The columns of a table; None where there is none."""
    try:
        return {item["name"] for item in inspect(connection).get_columns(name)}
    except NoSuchTableError:
        return None
