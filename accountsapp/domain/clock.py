"""The one clock of the domain."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, aware, in UTC, with microseconds."""
    return datetime.now(UTC)
