"""Errors of statements that run on the driver's own connection."""

from typing import Any, NoReturn

from sqlalchemy import Connection


def raise_error_of(connection: Connection, error: Exception, statement: str, parameters: Any) -> NoReturn:
    """Raise what SQLAlchemy makes of an error of the driver.

    Who listens to errors is told of it, and a connection that is lost is given up, as everywhere.

    :raises DBAPIError: always
    """
    connection._handle_dbapi_exception(error, statement, parameters, None, None)
