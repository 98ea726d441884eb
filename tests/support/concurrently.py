"""Many clients at once, in threads that begin together."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

Result = TypeVar("Result")


def concurrently(clients: Sequence[Callable[[], Result]]) -> list[Result]:
    """What each client returned; all of them are running when the first one goes on."""
    start = Barrier(len(clients))

    def run(client: Callable[[], Result]) -> Result:
        start.wait(30)
        return client()

    with ThreadPoolExecutor(len(clients)) as pool:
        return [future.result() for future in [pool.submit(run, client) for client in clients]]
