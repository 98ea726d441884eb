"""PostgreSQL: connections that do not wait for ever.

libpq has no limit to how long a statement may take, and the server's own limits need a server that runs.
So the waiting itself ends at the deadline of the thread, and the connection with it.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import psycopg
import sqlalchemy
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event

from accountsapp.db.errors import LOST
from accountsapp.waiting import TooManyWaiting, Waiters, remaining

T = TypeVar("T")

PARAMETERS = {
    "connect_timeout": 2,
    # A network that swallows everything is noticed where there is no deadline, too.
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Of libpq, in seconds, the last in milliseconds; those in the URL count before them."""


class Lost(psycopg.OperationalError):
    """The server cannot be asked, and to ask it again at once is of no use or not safe."""

    ends_tries = True


class Connection(psycopg.Connection[Any]):
    """Waits for the server until the deadline of the thread; is closed when it has passed.

    What was sent may still be done: a server that stood still goes on with it.
    """

    waiters: Waiters
    on_commit: Callable[[], None]

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """
        :raises Lost: the server did not answer in time
        """
        try:
            left = self.waiters.enter()
        except TooManyWaiting:
            self.pgconn.finish()
            raise Lost("too many wait for the server") from None
        in_vain = False
        try:
            return super().wait(gen, interval, left if timeout is None else timeout)
        except _WaitTimeout:
            in_vain = True
            self.pgconn.finish()
            raise Lost("the server did not answer in time") from None
        finally:
            self.waiters.leave(in_vain=in_vain)

    def commit(self) -> None:
        """
        :raises Lost: the connection was lost before the answer came, so that nobody knows whether all of the
            transaction was done or nothing of it; whoever asked for it looks, and asks again
        """
        began = self.info.transaction_status is not TransactionStatus.IDLE
        try:
            super().commit()
        except psycopg.OperationalError as error:
            if self.closed or (error.sqlstate or "").startswith(LOST):
                raise Lost("the answer to a commit was lost") from error
            raise
        if began:
            self.on_commit()


def connecting(on_commit: Callable[[], None]) -> Callable[..., Connection]:
    """Listener to ``do_connect``: makes the connections of one process.

    :param on_commit: called when a transaction was committed
    """
    waiters = Waiters()
    settings = {"waiters": waiters, "on_commit": staticmethod(on_commit)}
    kind: type[Connection] = type("Connection", (Connection,), settings)

    def connect(_dialect: Any, _record: Any, arguments: Any, parameters: dict[str, Any]) -> Connection:
        if remaining() == 0:
            raise Lost("no time is left to connect")
        try:
            waiters.enter()
        except TooManyWaiting:
            raise Lost("too many wait for the server") from None
        in_vain = False
        try:
            return kind.connect(*arguments, **{**PARAMETERS, **parameters})
        except psycopg.OperationalError as error:
            in_vain = isinstance(error, psycopg.errors.ConnectionTimeout)
            raise Lost(str(error)) from error
        finally:
            waiters.leave(in_vain=in_vain)

    return connect


def configure(engine: Engine, values: Mapping[str, str], *, each_transaction: bool) -> None:
    """Have the server know parameters of each connection of an engine.

    :param values: by the names of the server's parameters
    :param each_transaction: tell it at the start of each transaction, since the next one may be in another
        connection of the server
    """
    scope = "LOCAL" if each_transaction else "SESSION"
    # No query: what sets the isolation level of the transaction must come before any.
    statement = "; ".join(f"SET {scope} {name} = {value}" for name, value in values.items())

    def tell_once(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        connection.execute(statement).close()
        connection.autocommit = False

    def tell_again(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql(statement).close()

    if each_transaction:
        event.listen(engine, "begin", tell_again)
    else:
        event.listen(engine, "connect", tell_once)
