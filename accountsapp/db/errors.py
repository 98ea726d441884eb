"""What an error of the database means: others are in the way, it is in trouble, or the code is wrong."""

from typing import Any

from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    PendingRollbackError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

CONTENDED = ("40001", "40P01", "55P03")
"""serialization_failure, deadlock_detected, lock_not_available."""

LOST = ("08", "57P01", "57P02", "57P03", "25006")
"""SQLSTATEs, or their beginnings, of a server that went away or is the primary no more: another connection
may lead to the one that is. Class 08 are connection exceptions, also what pgbouncer says; then
admin_shutdown, crash_shutdown, cannot_connect_now, read_only_sql_transaction."""

FULL = "the disk is full"
AT_LIMIT = "over its limit"
BUSY = "others are in the way"
AWAY = "it does not answer"
READ_ONLY = "read-only (25006)"
"""Of PostgreSQL: a standby, or one that was told to be so."""

_OF_SQLITE = {
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
    "SQLITE_FULL": FULL,
    "SQLITE_READONLY": "read-only",
    "SQLITE_IOERR": "the disk fails",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_NOTADB": "damaged",
    "SQLITE_CANTOPEN": "cannot be opened",
    "SQLITE_PERM": "not permitted",
    "SQLITE_NOMEM": "out of memory",
}
"""By the first two words of SQLite's own names."""

_OF_POSTGRESQL = {
    "40": BUSY,
    "55P03": BUSY,
    "53100": FULL,
    "53": AT_LIMIT,
    "25006": "read-only",
    "25P03": "a transaction was idle for too long",
    "42501": "not permitted",
    "08": AWAY,
    "57": "shutting down",
    "58": "the disk fails",
    "XX": "damaged",
}
"""By SQLSTATE, or the first two characters of it."""

_SAID_TO_WHO_CONNECTS = {
    "password authentication failed": "wrong password",
    "not permitted to log in": "not permitted",
    "permission denied": "not permitted",
    "pg_hba.conf": "not permitted",
    "not currently accepting connections": "not permitted",
    "too many": AT_LIMIT,
    "remaining connection slots": AT_LIMIT,
    "does not exist": "there is none of that name",
}
"""PostgreSQL gives no SQLSTATE to who is not let in. One that speaks another language than English only does
not answer."""

_FAULTS_OF_OURS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)


def is_retryable(error: BaseException | None) -> bool:
    """Whether nothing was done, and the same work done from its start again may succeed."""
    return is_contended(error) or is_lost(error)


def is_contended(error: BaseException | None) -> bool:
    """Whether the database refused because others wrote at the same time."""
    if not isinstance(error, DBAPIError):
        return False
    original: Any = error.orig
    if getattr(original, "sqlstate", None) in CONTENDED:
        return True
    return getattr(original, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def is_lost(error: BaseException | None) -> bool:
    """Whether the transaction ended with its connection, or on a server that is not the primary any more.

    Not where that was the answer to a COMMIT, which may have been done all the same, nor where there was no
    connection to begin with, or no more time: those errors say so (``ends_tries``).
    """
    if not isinstance(error, DBAPIError) or getattr(error.orig, "ends_tries", False):
        return False
    original: Any = error.orig
    state: str | None = getattr(original, "sqlstate", None)
    if state is not None:
        return state.startswith(LOST)
    return error.connection_invalidated and not hasattr(original, "sqlite_errorname")


def cause_of(error: BaseException) -> str | None:
    """Why the database did not do its work, in few words without values; None: it is not at fault."""
    if isinstance(error, PoolTimeout):
        return "no connection is free"
    if isinstance(error, PendingRollbackError):
        return "the connection was lost"
    if not isinstance(error, DBAPIError):
        return None
    original: Any = error.orig
    name: str = getattr(original, "sqlite_errorname", None) or ""
    state: str = getattr(original, "sqlstate", None) or ""
    known = _OF_SQLITE.get("_".join(name.split("_")[:2])) or (
        _OF_POSTGRESQL.get(state) or _OF_POSTGRESQL.get(state[:2])
    )
    if known is not None and known != BUSY:
        return f"{known} ({name or state})"
    if known is not None:
        return known
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return _cause_at_connect(str(original)) or AWAY
    if isinstance(error, _FAULTS_OF_OURS) or not isinstance(error, DatabaseError):
        return None
    return f"it refuses ({name or state})" if name or state else _cause_at_connect(str(original)) or AWAY


def _cause_at_connect(text: str) -> str | None:
    """Why nobody was let in; None where there was no word of the server's."""
    _, fatal, said = text.partition("FATAL:")
    return next((cause for words, cause in _SAID_TO_WHO_CONNECTS.items() if fatal and words in said), None)
