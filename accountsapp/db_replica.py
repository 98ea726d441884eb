"""Reads from a replica of PostgreSQL, while it is known to be as new as the primary.

What is revoked must be so at the next request. A synchronous standby shows a revocation before it is
acknowledged (``domain/data/revoking.py``). That the replica is one, and has not been cut off, is found out
here, again and again: the primary says that it waits for it, and what the primary had written at a moment,
the replica must have replayed. While that is not known, everything is read from the primary.
"""

import logging
import re
import time
from threading import Lock
from typing import Any, Protocol

from sqlalchemy import Connection, Row, TextClause, text
from sqlalchemy.exc import SQLAlchemyError

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


class Connections(Protocol):
    """Autocommit connections of one server."""

    def take(self) -> Connection: ...

    def give_back(self, connection: Connection) -> None: ...

    def close(self) -> None: ...


class ReplicaConnections:
    """Autocommit connections of the replica where it may be read, else of the primary; thread-safe.

    One thread at a time looks whether the replica is as new; the others go on with what was known.
    """

    def __init__(self, primary: Connections, replica: Connections) -> None:
        self._primary = primary
        self._replica = replica
        self._trusted_until = 0.0
        self._next_look = 0.0
        self._looking = Lock()
        self._of_replica: set[int] = set()
        self._trouble = Trouble(log, "the replica is not read", "the replica is read again")

    @property
    def is_trusted(self) -> bool:
        """Whether the replica is read now."""
        return time.monotonic() < self._trusted_until

    def take(self) -> Connection:
        """One that nobody else has."""
        if time.monotonic() >= self._next_look and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        if not self.is_trusted:
            return self._primary.take()
        try:
            connection = self._replica.take()
        except SQLAlchemyError:
            self._distrust("it cannot be reached")
            return self._primary.take()
        self._of_replica.add(id(connection))
        return connection

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
        try:
            problem = self._problem()
        except SQLAlchemyError as error:
            problem = f"it or the primary cannot be asked ({type(error).__name__})"
        if problem is not None:
            self._distrust(problem)
            return
        self._trusted_until = began + TRUST
        self._next_look = began + TRUST / 2
        self._trouble.over()

    def _problem(self) -> str | None:
        """Why the replica cannot be read now; None where it had, a moment ago, all of the primary."""
        primary = _ask(self._primary, _OF_PRIMARY)
        give_up = time.monotonic() + PATIENCE
        while True:
            replica = _ask(self._replica, _OF_REPLICA, place=str(primary.place))
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
        self._trusted_until = 0.0
        self._next_look = time.monotonic() + PAUSE
        self._trouble.met(cause)


def _ask(connections: Connections, statement: TextClause, **parameters: str) -> Row[Any]:
    connection = connections.take()
    try:
        return connection.execute(statement, parameters).one()
    finally:
        connections.give_back(connection)
