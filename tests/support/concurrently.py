"""Many clients at once, in threads that begin together."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TypeVar
from unittest.mock import patch

from accountsapp.waiting import Waiters

Result = TypeVar("Result")


@contextmanager
def served_by(threads: int) -> Iterator[None]:
    """This process has so many threads that answer, as a server whose ini says so, and some to spare."""
    with patch.object(Waiters, "threads", max(Waiters.threads, threads + Waiters.SPARE)):
        yield


def concurrently(clients: Sequence[Callable[[], Result]]) -> list[Result]:
    """What each client returned; all of them are running when the first one goes on."""
    start = Barrier(len(clients))

    def run(client: Callable[[], Result]) -> Result:
        start.wait(30)
        return client()

    with served_by(len(clients)), ThreadPoolExecutor(len(clients)) as pool:
        return [future.result() for future in [pool.submit(run, client) for client in clients]]
