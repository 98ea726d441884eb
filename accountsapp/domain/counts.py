"""Counts in the memory of the process, in windows that begin with the first count; thread-safe.

Takes the place of the memory of ``limits``, which starts a thread each hundredth of a second while something
is counted, to look at every count that there is.
"""

from threading import Lock
from time import time

NONE = (0, 0.0)
FEWEST_SWEPT = 1000


class MemoryCounts:
    """As a storage of ``limits``, what the throttle needs of one.

    :ivar storage: count and end of the window (seconds since the epoch), by key; what ended goes now and then
    """

    base_exceptions = ()

    def __init__(self) -> None:
        self.storage: dict[str, tuple[int, float]] = {}
        self._lock = Lock()
        self._swept_at = FEWEST_SWEPT

    def get(self, key: str) -> int:
        count, end = self.storage.get(key, NONE)
        return count if end > time() else 0

    def get_expiry(self, key: str) -> float:
        """The end of the window; now, where there is none."""
        now = time()
        return max(now, self.storage.get(key, NONE)[1])

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """
        :param expiry: seconds of a window that begins now
        :returns: the count after it
        """
        now = time()
        with self._lock:
            count, end = self.storage.get(key, NONE)
            if end <= now or not count:
                count, end = 0, now + expiry
            self.storage[key] = count + amount, end
            if len(self.storage) > self._swept_at:
                self._sweep(now)
        return count + amount

    def clear(self, key: str) -> None:
        with self._lock:
            self.storage.pop(key, None)

    def _sweep(self, now: float) -> None:
        """Drop the windows that ended, whenever there are twice as many as were left the last time."""
        self.storage = {key: count for key, count in self.storage.items() if count[1] > now}
        self._swept_at = max(FEWEST_SWEPT, 2 * len(self.storage))
