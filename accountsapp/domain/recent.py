"""Values that are costly to compute and may lag: computed now and then, for all threads of a process."""

from collections.abc import Callable, Hashable
from operator import is_
from threading import Lock
from time import monotonic
from typing import Any, TypeVar, cast

S = TypeVar("S")
T = TypeVar("T")

FRESH = 3.0
"""Seconds for which a value is used before somebody computes it anew."""
STALE = 4.5
"""Seconds for which the others go on with it meanwhile."""
PATIENCE = 5.0
"""Seconds that somebody waits for another one's computing before doing it himself."""

MOST_PRODUCTS = 512
"""Things made of values that are kept."""
NOTHING_MADE: tuple[tuple[object, ...], None] = ((), None)


class _Entry:
    """One value.

    :ivar since: when the computing of ``value`` began
    """

    def __init__(self) -> None:
        self.value: Any = None
        self.since = float("-inf")
        self.computing = Lock()


class Recent:
    """The values of one process, each under its key.

    Of many who ask at once for a value that is old, one computes it. The others take the old one, or wait
    where it is too old; nobody is given one that was begun longer than :data:`STALE` seconds ago.
    """

    def __init__(self) -> None:
        self._entries: dict[Hashable, _Entry] = {}
        self._products: dict[Hashable, tuple[tuple[object, ...], Any]] = {}
        self._making = Lock()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """
        :param key: one of a few
        :param compute: run by the thread that asks; what it raises goes to that thread alone
        """
        entry = self._entries.setdefault(key, _Entry())
        age = monotonic() - entry.since
        if age < FRESH:
            return cast(T, entry.value)
        if age < STALE:
            if not entry.computing.acquire(blocking=False):
                return cast(T, entry.value)
        elif not entry.computing.acquire(timeout=PATIENCE):
            return compute()
        try:
            if monotonic() - entry.since >= FRESH:
                since = monotonic()
                entry.value = compute()
                entry.since = since
            return cast(T, entry.value)
        finally:
            entry.computing.release()

    def made_of(self, key: Hashable, value: S, make: Callable[[S], T]) -> T:
        """What was made of a value that may lag, kept as long as the value is the same: it lags no more.

        :param key: what is made; of any number of them, :data:`MOST_PRODUCTS` are kept
        :param value: what :meth:`get` or this gave
        """
        return self.made_of_all(key, (value,), lambda: make(value))

    def made_of_all(self, key: Hashable, values: tuple[object, ...], make: Callable[[], T]) -> T:
        """As :meth:`made_of`, of several values: it is kept as long as each is the same."""
        sources, product = self._products.get(key, NOTHING_MADE)
        if len(sources) != len(values) or not all(map(is_, sources, values)):
            product = make()
            with self._making:
                self._products.pop(key, None)
                self._products[key] = values, product
                if len(self._products) > MOST_PRODUCTS:
                    del self._products[next(iter(self._products))]
        return cast(T, product)
