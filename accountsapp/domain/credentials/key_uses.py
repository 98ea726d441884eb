"""When and where named keys were used last: gathered, and written a batch at a time, never in a request."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, or_, update
from sqlalchemy.exc import SQLAlchemyError

from accountsapp.domain.clock import now
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Base
from accountsapp.domain.data.rows import ApiKeyRow

log = logging.getLogger(__name__)

PRECISION = timedelta(minutes=4)
"""What is noted is not noted again before that."""

_keys = Base.metadata.tables[ApiKey.__tablename__]
_NOTE = (
    update(_keys)
    .where(
        _keys.c.id == bindparam("of"),
        or_(_keys.c.last_used.is_(None), _keys.c.last_used < bindparam("before")),
    )
    .values(last_used=bindparam("at"), last_used_in=bindparam("place"))
)


Write = Callable[[Callable[[Connection], None]], None]
"""Does something in a transaction of its own."""


class KeyUse(NamedTuple):
    """That a key was used."""

    at: datetime
    place: str


class KeyUses:
    """The uses of one process that are to be written; thread-safe.

    :param write: ``database.write``
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._lock = Lock()
        self._pending: dict[int, KeyUse] = {}

    def add(self, key: ApiKeyRow, place: str) -> bool:
        """Note the use of a key, if it is a named one whose last use was not noted just now.

        :param key: as it was read with the credential
        :returns: whether this is the first of a batch, for which somebody has to call :meth:`write`
        """
        moment = now()
        if key.public_id is None or (key.last_used is not None and moment - key.last_used <= PRECISION):
            return False
        with self._lock:
            is_first = not self._pending
            self._pending[key.id] = KeyUse(moment, place)
        return is_first

    def write(self) -> None:
        """Write what was gathered. A database that does not take it now changes nothing: it is logged."""
        with self._lock:
            pending, self._pending = self._pending, {}
        if not pending:
            return
        # In one order, so that two servers wait for each other and not in a circle.
        notes = [
            {"of": key_id, "at": use.at, "before": use.at - PRECISION, "place": use.place}
            for key_id, use in sorted(pending.items())
        ]
        try:
            self._write(partial(_note, notes=notes))
        except SQLAlchemyError as error:
            log.warning("uses of %d keys could not be noted: %s", len(notes), type(error).__name__)


def _note(connection: Connection, notes: list[dict[str, object]]) -> None:
    connection.execute(_NOTE, notes)
