"""PostgreSQL: connections that do not wait for ever.

libpq has no limit to how long a statement may take, and the server's own limits need a server that runs.
So the waiting itself ends at the deadline of the thread, and the connection with it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from psycopg.pq import TransactionStatus

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


class Connection(psycopg.Connection[Any]):
    """Waits for the server until the deadline of the thread; is closed when it has passed.

    What was sent may still be done: a server that stood still goes on with it.
    """

    waiters: Waiters
    on_commit: Callable[[], None]

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """
        :raises psycopg.OperationalError: the server did not answer in time
        """
        try:
            left = self.waiters.enter()
        except TooManyWaiting:
            self.pgconn.finish()
            raise psycopg.OperationalError("too many wait for the server") from None
        in_vain = False
        try:
            return super().wait(gen, interval, left if timeout is None else timeout)
        except _WaitTimeout:
            in_vain = True
            self.pgconn.finish()
            raise psycopg.OperationalError("the server did not answer in time") from None
        finally:
            self.waiters.leave(in_vain=in_vain)

    def commit(self) -> None:
        began = self.info.transaction_status is not TransactionStatus.IDLE
        super().commit()
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
            raise psycopg.OperationalError("no time is left to connect")
        try:
            waiters.enter()
        except TooManyWaiting:
            raise psycopg.OperationalError("too many wait for the server") from None
        in_vain = False
        try:
            return kind.connect(*arguments, **{**PARAMETERS, **parameters})
        except psycopg.errors.ConnectionTimeout:
            in_vain = True
            raise
        finally:
            waiters.leave(in_vain=in_vain)

    return connect
