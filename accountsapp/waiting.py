"""How long a thread may wait for others, and how many threads may.

A server has a fixed number of threads. What hangs must hold neither one of them for ever nor all at once:
a request has a deadline, and of the threads that have one only so many wait for the same thing.
"""

import threading
from time import monotonic
from typing import ClassVar

_thread = threading.local()


class Deadline:
    """Surrounds work that must end in time. A deadline inside another one can only be an earlier one.

    :param seconds: from the entry of the block
    """

    __slots__ = ("_outer", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._outer: float | None = getattr(_thread, "end", None)
        end = monotonic() + self._seconds
        _thread.end = end if self._outer is None else min(end, self._outer)

    def __exit__(self, *_error: object) -> None:
        _thread.end = self._outer


def remaining() -> float | None:
    """Seconds until the deadline of this thread, not less than 0; None where there is none."""
    end: float | None = getattr(_thread, "end", None)
    return None if end is None else max(0.0, end - monotonic())


class TooManyWaiting(Exception):
    """So many wait already that this one would keep the server from answering anything."""


class Waiters:
    """The threads with a deadline that wait for one thing.

    :param most: so many may wait until their deadline; by default all threads of the server but two
    :param patience: seconds that those beyond may wait
    :param standstill: seconds without anybody's end after which those beyond may not wait at all
    """

    SPARE = 2

    threads: ClassVar[int] = 16
    """How many the server has, which says so when it begins."""

    def __init__(self, most: int | None = None, patience: float = 2.0, standstill: float = 0.5) -> None:
        self._most = most
        self._patience = patience
        self._standstill = standstill
        self._progress = 0.0
        self._since: dict[int, float] = {}
        self._lock = threading.Lock()

    def enter(self) -> float | None:
        """Begin to wait; :meth:`leave` must follow.

        :returns: seconds that the thread may wait, None for as long as it takes
        :raises TooManyWaiting: it may not; nothing was begun
        """
        left = remaining()
        if left is None:
            return None
        now = monotonic()
        with self._lock:
            most = self._most if self._most is not None else max(1, self.threads - self.SPARE)
            if len(self._since) >= most:
                if now - max(self._progress, next(iter(self._since.values()))) > self._standstill:
                    raise TooManyWaiting
                left = min(left, self._patience)
            self._since[threading.get_ident()] = now
        return left

    def leave(self, *, in_vain: bool = False) -> None:
        """Have waited.

        :param in_vain: until the time was over
        """
        with self._lock:
            self._since.pop(threading.get_ident(), None)
            if not in_vain:
                self._progress = monotonic()
