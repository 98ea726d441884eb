"""Selects that run on the driver's own connection.

What SQLAlchemy does around a statement (a context, a result, its metadata) costs four times what SQLite
needs for the statement itself, and every request with a credential pays it.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Dialect, Select

Compiled = tuple[str, list[str] | None, list[tuple[int, Callable[[Any], Any]]]]
"""The SQL, the order of its parameters where they have no names, how which values but NULL are converted."""


class Prepared:
    """A select of one row, compiled once for each kind of database; for autocommit connections.

    Made by SQLAlchemy, values converted by its types; only the running is done here.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement
        self._compiled: dict[str, Compiled] = {}

    def first(self, connection: Connection, **parameters: Any) -> list[Any] | None:
        """The values of the first row found, if any.

        :raises sqlalchemy.exc.DBAPIError: as ``connection.execute`` would
        """
        if connection.engine.dispatch.before_cursor_execute:  # somebody wants to see every statement
            row = connection.execute(self.statement, parameters).first()
            return list(row) if row is not None else None
        dialect = connection.dialect
        sql, order, conversions = self._compiled.get(dialect.name) or self._compile(dialect)
        try:
            cursor = connection.connection.cursor()
            try:
                cursor.execute(sql, parameters if order is None else [parameters[name] for name in order])
                values = cursor.fetchone()
            finally:
                cursor.close()
        except dialect.loaded_dbapi.Error:
            # SQLAlchemy knows which errors mean a lost connection, so it meets this one itself.
            row = connection.execute(self.statement, parameters).first()
            return list(row) if row is not None else None
        if values is None:
            return None
        values = list(values)
        for index, convert in conversions:
            if values[index] is not None:
                values[index] = convert(values[index])
        return values

    def _compile(self, dialect: Dialect) -> Compiled:
        compiled = self.statement.compile(dialect=dialect)
        conversions: list[tuple[int, Callable[[Any], Any]]] = []
        for index, column in enumerate(self.statement.selected_columns):
            convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
            if convert is not None:
                conversions.append((index, convert))
        prepared = str(compiled), getattr(compiled, "positiontup", None), conversions
        self._compiled[dialect.name] = prepared
        return prepared
