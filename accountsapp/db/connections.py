"""Connections that are handed out and given back: kept between requests, or looked at each time."""

import time
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from accountsapp.trouble import Trouble


class Connections(Protocol):
    """Connections of one server, handed out one by one; thread-safe."""

    def take(self) -> Connection: ...

    def give_back(self, connection: Connection) -> None: ...

    def close(self) -> None: ...


class KeptConnections:
    """Connections kept open from one request to the next: opening one, or to have a pool look at it, costs
    more than a read.

    The one that was given back last is taken first, so that no more are used than requests run at a time,
    and those have their statements and pages at hand.

    :param trouble: that of reading, which is over when one that was given back answers; None where somebody
        else sees to that
    :param most: how many that nobody has are kept; the others go back to the engine's pool
    """

    LONGEST_IDLE = 60.0
    """Seconds. Who has been idle for longer may have been cut off in between, unnoticed."""
    _GENERATION = "accountsapp.generation"

    def __init__(self, engine: Engine, trouble: Trouble | None = None, *, most: int | None = None) -> None:
        self._engine = engine
        self._most = most
        self._trouble = trouble
        self._idle: list[tuple[Connection, float]] = []
        self._generation = 0
        """How often they were renewed."""

    def take(self) -> Connection:
        """One that nobody else has."""
        try:
            connection, since = self._idle.pop()
        except IndexError:
            return self._open()
        if time.monotonic() - since <= self.LONGEST_IDLE:
            return connection
        connection.close()
        self.close()  # those below it have been idle for longer
        return self._open()

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next one to ask, unless it was lost: then the idle ones are lost too, as a rule."""
        if self._generation and self._is_old(connection):
            connection.invalidate()
        if not connection.invalidated and self._trouble is not None and self._trouble.cause is not None:
            self._ask_again(connection, self._trouble)
        if connection.invalidated:
            connection.close()
            self.close()
        elif self._most is not None and len(self._idle) >= self._most:
            connection.close()
        else:
            self._idle.append((connection, time.monotonic()))

    def renew(self) -> None:
        """Close those that nobody has, and the others when they are given back."""
        self._generation += 1
        self.close()
        self._engine.dispose()

    def _is_old(self, connection: Connection) -> bool:
        return not connection.invalidated and connection.info[self._GENERATION] != self._generation

    def _open(self) -> Connection:
        connection = self._engine.connect()
        connection.info.setdefault(self._GENERATION, self._generation)
        return connection

    def _ask_again(self, connection: Connection, trouble: Trouble) -> None:
        """Whether the trouble is over: what the connection was used for may have been before it."""
        try:
            connection.exec_driver_sql("SELECT 1 FROM alembic_version")
        except SQLAlchemyError:
            connection.invalidate()
        else:
            trouble.over()

    def close(self) -> None:
        """Give those that nobody has to the engine's pool, which looks at them before they are used again."""
        while True:
            try:
                connection, _ = self._idle.pop()
            except IndexError:
                return
            connection.close()


class PooledConnections:
    """Connections that the engine's pool looks at each time: for who does not try again when one was lost."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self) -> Connection:
        """One that nobody else has."""
        return self._engine.connect()

    def give_back(self, connection: Connection) -> None:
        connection.close()
