"""Trouble that lasts is told of once a minute, and when it is over."""

import logging
from threading import Lock
from time import monotonic

PAUSE = 60.0
"""Seconds between two lines about the same cause."""


class Trouble:
    """What is wrong with one thing, such as the database.

    :param log: where it is told
    :param subject: begins the lines: ``the database refuses writes``
    :param relief: the line when it is over
    """

    def __init__(self, log: logging.Logger, subject: str, relief: str) -> None:
        self._log = log
        self._subject = subject
        self._relief = relief
        self._lock = Lock()
        self._next: dict[str, float] = {}
        self._is_reported = False
        self.cause: str | None = None
        """What was wrong last; None while nothing is."""

    @property
    def was_met(self) -> bool:
        """Whether it went wrong at any time; then a line may be missing that was written a moment ago."""
        return bool(self._next)

    def met(self, cause: str) -> None:
        """It went wrong once more.

        :param cause: one of few, without anything from outside
        """
        now = monotonic()
        with self._lock:
            self.cause = cause
            if now < self._next.get(cause, 0.0):
                return
            self._next[cause] = now + PAUSE
            self._is_reported = True
        self._log.warning("%s: %s", self._subject, cause)

    def over(self) -> None:
        """It went well. Costs nothing while there is no trouble."""
        if self.cause is None:
            return
        with self._lock:
            was_reported, self._is_reported, self.cause = self._is_reported, False, None
        if was_reported:
            self._log.warning("%s", self._relief)
