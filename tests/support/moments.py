"""Something that happens between two statements of one request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Engine, event

Answer = TypeVar("Answer")


@contextmanager
def before_statement(engine: Engine, number: int, happen: Callable[[], None]) -> Iterator[list[str]]:
    """Has something happen once, before a statement of that engine runs.

    :param number: of the statement, from 0 on
    :returns: the statements that were run
    """
    statements: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)
        if len(statements) == number + 1:
            happen()

    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", listen)


def at_every_moment(
    engine: Engine, ask: Callable[[], Answer], first: Callable[[], None], then: Callable[[], None]
) -> Iterator[Answer]:
    """The answers to one request, during which the one state gives way to the other: before its first
    statement, before its second one, and so on; in the last answer not at all.

    :param first: brings about the one state
    :param then: the other
    """
    for number in count():
        first()
        with before_statement(engine, number, then) as statements:
            yield ask()
        if len(statements) <= number:
            return
