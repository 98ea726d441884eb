"""Reads from a replica of PostgreSQL, while it is known to be as new as the primary.

What is revoked must be so at the next request. A synchronous standby shows a revocation before it is
acknowledged (``domain/data/revoking.py``). That the replica is one, and has not been cut off, is found out
here, again and again: the primary says that it waits for it, and what the primary had written at a moment,
the replica must have replayed. While that is not known, everything is read from the primary. One URL may lead
to several servers: what was found out is of one of them, and only connections to that one are used.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from accountsapp.db.connections import Connections
from accountsapp.trouble import Trouble

log = logging.getLogger(__name__)

TRUST = 1.0
"""Seconds for which a replica that was as new as the primary is read."""
PATIENCE = 0.2
"""Seconds that it has to become so, each time that it is looked at."""
PAUSE = 5.0
"""Seconds until one that could not be used is looked at again."""

_OF_PRIMARY = text(
    "SELECT pg_current_wal_flush_lsn() AS place, pg_postmaster_start_time() AS started,"
    " ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int AS timeline,"
    " ARRAY(SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync') AS awaited"
)
_OF_REPLICA = text(
    "SELECT pg_last_wal_replay_lsn() >= CAST(:place AS pg_lsn) AS is_there,"
    " pg_is_in_recovery() AS is_standby, pg_postmaster_start_time() AS started,"
    " (pg_control_checkpoint()).timeline_id AS timeline,"
    " (SELECT conninfo FROM pg_stat_wal_receiver) AS conninfo"
)
_NAME = re.compile(r"(?:^| )application_name='?((?:[^ '\\]|\\.)+)")


_SERVER = text("SELECT pg_postmaster_start_time()")
_OF_SERVER = "accountsapp.started"
"""In the info of a connection: when the server started that it leads to, which tells servers apart."""


class ReplicaConnections:
    """Autocommit connections of the replica where it may be read, else of the primary; thread-safe.

    One thread at a time looks whether the replica is as new; the others go on with what was known.
    """

    def __init__(self, primary: Connections, replica: Connections) -> None:
        self._primary = primary
        self._replica = replica
        self._trusted: tuple[datetime | None, float] = None, 0.0
        """Which server, and until when."""
        self._next_look = 0.0
        self._looking = Lock()
        self._of_replica: set[int] = set()
        self._trouble = Trouble(log, "the replica is not read", "the replica is read again")

    def take(self) -> Connection:
        """One that nobody else has."""
        if time.monotonic() >= self._next_look and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        server, until = self._trusted
        if time.monotonic() >= until:
            return self._primary.take()
        try:
            connection = self._replica.take()
        except SQLAlchemyError:
            self._distrust("it cannot be reached")
            return self._primary.take()
        if self._leads_to(server, connection):
            self._of_replica.add(id(connection))
            return connection
        connection.invalidate()
        self._replica.give_back(connection)
        return self._primary.take()

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next one to ask."""
        if id(connection) not in self._of_replica:
            self._primary.give_back(connection)
            return
        self._of_replica.discard(id(connection))
        if connection.invalidated:
            self._distrust("the connection was lost")
        self._replica.give_back(connection)

    def close(self) -> None:
        self._replica.close()

    def _look(self) -> None:
        began = time.monotonic()
        self._next_look = began + PAUSE  # whatever happens below
        server = None
        try:
            with _taken(self._replica) as connection:
                problem = self._problem(connection)
                server = _server_of(connection)
        except SQLAlchemyError as error:
            problem = f"it or the primary cannot be asked ({type(error).__name__})"
        if problem is not None:
            self._distrust(problem)
            return
        self._trusted = server, began + TRUST
        self._next_look = began + TRUST / 2
        self._trouble.over()

    def _leads_to(self, server: datetime | None, connection: Connection) -> bool:
        try:
            return _server_of(connection) == server
        except SQLAlchemyError:
            return False

    def _problem(self, connection: Connection) -> str | None:
        """Why the replica cannot be read now; None where it had, a moment ago, all of the primary.

        :param connection: to the replica
        """
        with _taken(self._primary) as to_primary:
            primary = to_primary.execute(_OF_PRIMARY).one()
        give_up = time.monotonic() + PATIENCE
        while True:
            replica = connection.execute(_OF_REPLICA, {"place": str(primary.place)}).one()
            if not replica.is_standby:
                return None if replica.started == primary.started else "it is no replica of the primary"
            if replica.timeline != primary.timeline:
                return "it does not follow the primary yet"
            name = _NAME.search(replica.conninfo or "")
            if name is None or name[1] not in primary.awaited:
                return "the primary does not wait for it, or the role may not know (pg_monitor)"
            if replica.is_there:
                return None
            if time.monotonic() > give_up:
                return "it lags behind"
            time.sleep(0.01)

    def _distrust(self, cause: str) -> None:
        self._trusted = None, 0.0
        self._next_look = time.monotonic() + PAUSE
        self._trouble.met(cause)


def _server_of(connection: Connection) -> datetime:
    started: datetime | None = connection.info.get(_OF_SERVER)
    if started is None:
        started = connection.info[_OF_SERVER] = connection.execute(_SERVER).scalar_one()
    return started


@contextmanager
def _taken(connections: Connections) -> Iterator[Connection]:
    connection = connections.take()
    try:
        yield connection
    finally:
        connections.give_back(connection)
