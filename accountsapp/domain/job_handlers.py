"""Who does which job: a feature registers its own, beside the operation that asks for it.

Both halves take a store first. The half that asks queues a job in its transaction. The half that does is
given a store of its own and the job: what it writes in the store's session and the end of the job are one
transaction. It works outside (mail, files) before it opens that session, and may be called again for the
same job after everything it did, so doing it twice must be harmless.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from accountsapp.domain.jobs import LeasedJob

if TYPE_CHECKING:
    from accountsapp.domain.store import Store

Handler = Callable[["Store", LeasedJob], None]
Clearing = Callable[[Session], int]

HANDLERS: dict[str, Handler] = {}
"""Job name to what does it."""

CLEARINGS: list[Clearing] = []
"""Each forgets some of what is too old, in the session's transaction, and returns how many rows that were.
Workers run them now and then, until there is none."""


def handles(name: str) -> Callable[[Handler], Handler]:
    """Decorator: this function does the jobs of that name."""

    def register(function: Handler) -> Handler:
        HANDLERS[name] = function
        return function

    return register


def clears(function: Clearing) -> Clearing:
    """Decorator: this function is a clearing."""
    CLEARINGS.append(function)
    return function
