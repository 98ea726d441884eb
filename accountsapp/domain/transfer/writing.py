"""How a long piece of work writes: in many short transactions."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Write(Protocol):
    """Does ``work`` in a transaction of its own, again from its start while others are in the way."""

    def __call__(self, work: Callable[[Connection], T], /) -> T: ...
