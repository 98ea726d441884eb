"""Statements that run on the driver's own connection.

What SQLAlchemy does around a statement (a context, a result, its metadata) costs four times what SQLite
needs for the statement itself, and every request with a credential pays it.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Connection,
    Dialect,
    Select,
    Table,
    TypeDecorator,
    Update,
    bindparam,
    insert,
)
from sqlalchemy.engine.interfaces import DBAPICursor

from accountsapp.driver_errors import raise_error_of

Conversions = list[tuple[int, Callable[[Any], Any]]]
Converters = list[tuple[str, Callable[[Any], Any]]]
Compiled = tuple[str, list[str] | None, dict[str, Any], Converters, Conversions]
"""The SQL, the order of its parameters where they have no names, those that are always the same, how which of
them are converted, how which values but NULL are."""

Rows = Sequence[Sequence[Any]]

Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


class Prepared:
    """A select, compiled once for each kind of database.

    Made by SQLAlchemy, values converted by its types; only the running is done here.
    """

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self._compiled: dict[str, Compiled] = {}

    def first(self, connection: Connection, **parameters: Any) -> Sequence[Any] | None:
        """The values of the first row found, if any.

        :raises sqlalchemy.exc.DBAPIError: as ``connection.execute`` would
        """
        rows = self._rows(connection, parameters, most=1)
        return rows[0] if rows else None

    def all(self, connection: Connection, **parameters: Any) -> Rows:
        """The values of each row; for a few of them.

        :raises sqlalchemy.exc.DBAPIError: as ``connection.execute`` would
        """
        return self._rows(connection, parameters, most=None)

    def _rows(self, connection: Connection, parameters: dict[str, Any], most: int | None) -> Rows:
        if connection.engine.dispatch.before_cursor_execute:  # somebody wants to see every statement
            return self._by_sqlalchemy(connection, parameters, most)
        dialect = connection.dialect
        sql, order, constants, of_parameters, conversions = self._compiled.get(dialect.name) or self._compile(
            dialect
        )
        converted = constants | parameters if constants else parameters
        if of_parameters:
            converted = converted | {name: convert(converted[name]) for name, convert in of_parameters}
        values = [converted[name] for name in order] if order is not None else converted
        try:
            cursor = connection.connection.cursor()
            try:
                cursor.execute(sql, values)
                records: Rows = cursor.fetchall() if most is None else cursor.fetchmany(most)
            finally:
                cursor.close()
        except dialect.loaded_dbapi.Error as error:
            raise_error_of(connection, error, sql, values)
        if not conversions:
            return records
        rows = [list(row) for row in records]
        for row in rows:
            for index, convert in conversions:
                value = row[index]
                if value is not None:
                    row[index] = convert(value)
        return rows

    def _by_sqlalchemy(self, connection: Connection, parameters: dict[str, Any], most: int | None) -> Rows:
        with connection.execute(self.statement, parameters) as result:
            return [list(row) for row in (result.all() if most is None else result.fetchmany(most))]

    def _compile(self, dialect: Dialect) -> Compiled:
        compiled = self.statement.compile(dialect=dialect)
        conversions: Conversions = []
        for index, column in enumerate(self.statement.selected_columns):
            type_ = column.type.dialect_impl(dialect)
            convert: Callable[[Any], Any] | None = type_.result_processor(dialect, None)
            if convert is not None:
                conversions.append((index, convert))
        of_parameters: Converters = []
        constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        for name, parameter in compiled.binds.items():
            of_ours = isinstance(parameter.type, TypeDecorator)
            convert = _bind_processor(parameter, dialect) if of_ours else None
            if convert is not None:
                of_parameters.append((name, convert))
        order = getattr(compiled, "positiontup", None)
        prepared = str(compiled), order, constants, of_parameters, conversions
        self._compiled[dialect.name] = prepared
        return prepared


class PreparedUpdate:
    """An update, compiled once for each kind of database."""

    def __init__(self, statement: Update) -> None:
        self.statement = statement
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any], Converters]] = {}

    def run(self, connection: Connection, parameters: dict[str, Any]) -> None:
        """
        :raises sqlalchemy.exc.DBAPIError: as ``connection.execute`` would
        """
        if connection.engine.dispatch.before_cursor_execute:  # somebody wants to see every statement
            connection.execute(self.statement, parameters)
            return
        dialect = connection.dialect
        sql, order, constants, converters = self._compiled.get(dialect.name) or self._compile(dialect)
        converted = constants | parameters
        for name, convert in converters:
            converted[name] = convert(converted[name])
        values = [converted[name] for name in order] if order is not None else converted
        try:
            connection.connection.cursor().execute(sql, values)
        except dialect.loaded_dbapi.Error as error:
            raise_error_of(connection, error, sql, values)

    def _compile(self, dialect: Dialect) -> tuple[str, list[str] | None, dict[str, Any], Converters]:
        compiled = self.statement.compile(dialect=dialect)
        constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        processors = ((name, _bind_processor(bind, dialect)) for name, bind in compiled.binds.items())
        converters = [(name, convert) for name, convert in processors if convert is not None]
        order = getattr(compiled, "positiontup", None)
        prepared = self._compiled[dialect.name] = str(compiled), order, constants, converters
        return prepared


class PreparedInsert:
    """An insert of rows, compiled once for each kind of database.

    What SQLAlchemy does for each row of an import takes longer than to write it takes SQLite.

    :param columns: two or more, which every row has; among them all whose default is made in Python
    """

    ROWS_AT_ONCE = 100
    """Of one statement on SQLite, which keeps a journal for each one that fires triggers."""

    def __init__(self, table: Table, columns: Collection[str]) -> None:
        self.statement = insert(table).values({name: bindparam(name) for name in columns}).inline()
        self._compiled: dict[str, tuple[str, list[str], Conversions]] = {}

    def run(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """
        :raises sqlalchemy.exc.DBAPIError: as ``connection.execute`` would
        """
        if not rows:
            return
        if connection.engine.dispatch.before_cursor_execute:  # somebody wants to see every statement
            connection.execute(self.statement, rows)
            return
        dialect = connection.dialect
        sql, names, conversions = self._compiled.get(dialect.name) or self._compile(dialect)
        values = [*map(list, map(itemgetter(*names), rows))]
        for index, convert in conversions:
            for of_row in values:
                of_row[index] = convert(of_row[index])
        try:
            cursor = connection.connection.cursor()
            if dialect.positional:
                self._insert_at_once(cursor, sql, values)
            else:
                cursor.executemany(sql, [dict(zip(names, of_row, strict=True)) for of_row in values])
        except dialect.loaded_dbapi.Error as error:
            raise_error_of(connection, error, sql, values)

    def _insert_at_once(self, cursor: DBAPICursor, sql: str, values: list[list[Any]]) -> None:
        one = f", ({', '.join('?' * len(values[0]))})"
        for_many = sql + one * (self.ROWS_AT_ONCE - 1)
        whole = len(values) - len(values) % self.ROWS_AT_ONCE
        for start in range(0, whole, self.ROWS_AT_ONCE):
            part = values[start : start + self.ROWS_AT_ONCE]
            cursor.execute(for_many, list(chain.from_iterable(part)))
        cursor.executemany(sql, values[whole:])

    def _compile(self, dialect: Dialect) -> tuple[str, list[str], Conversions]:
        """
        :raises TypeError: a column with a default is not among those of the rows
        """
        compiled = self.statement.compile(dialect=dialect)
        if compiled.insert_prefetch:
            raise TypeError(f"rows must have {', '.join(column.name for column in compiled.insert_prefetch)}")
        names = list(compiled.positiontup or compiled.binds)
        processors = (_bind_processor(compiled.binds[name], dialect) for name in names)
        conversions = [(index, convert) for index, convert in enumerate(processors) if convert is not None]
        prepared = self._compiled[dialect.name] = str(compiled), names, conversions
        return prepared


def _bind_processor(parameter: BindParameter[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return parameter.type.dialect_impl(dialect).bind_processor(dialect)


class PreparedForMany:
    """A select by a list of values: one statement for each power of two, as its parameters are so many.

    A list is filled up with its last value to the next one; a longer list than any is cut into several.

    :param select_by: the statement, by the parameters that stand for the values
    """

    LONGEST_LIST = 1024

    def __init__(self, select_by: Callable[[list[BindParameter[Any]]], Statement]) -> None:
        self._select_by = select_by
        self._by_width: dict[int, tuple[list[str], Prepared]] = {}

    def all(self, connection: Connection, values: Sequence[Any]) -> Rows:
        """The values of each row that one of the values finds.

        :raises sqlalchemy.exc.DBAPIError: as ``connection.execute`` would
        """
        longest = self.LONGEST_LIST
        if len(values) > longest:
            return [*self.all(connection, values[:longest]), *self.all(connection, values[longest:])]
        if not values:
            return []
        width = 1 << (len(values) - 1).bit_length()
        names, statement = self._by_width.get(width) or self._prepare(width)
        filled = [*values, *[values[-1]] * (width - len(values))]
        return statement.all(connection, **dict(zip(names, filled, strict=True)))

    def _prepare(self, width: int) -> tuple[list[str], Prepared]:
        names = [f"value_{number}" for number in range(width)]
        prepared = self._by_width[width] = names, Prepared(self._select_by([*map(bindparam, names)]))
        return prepared
