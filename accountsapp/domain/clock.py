"""The one clock of the domain."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, aware, in UTC, with microseconds."""
    return datetime.now(UTC)


def whole_second(moment: datetime) -> datetime:
    """The second that a moment is in, as times are kept that are shown to the second."""
    return moment.replace(microsecond=0)
