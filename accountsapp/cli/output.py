"""What commands print, a line at a time, in UTF-8 whatever the terminal's locale."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from accountsapp.cli.errors import Failed

JSON: Callable[..., Any] = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object instead of words."
)
"""The option of a command that says what it did (:func:`print_done`)."""

_LINE_ENDS = {ord(character): ascii(character)[1:-1] for character in "\u2028\u2029"}
_LINE_ENDS[0x85] = "\\u0085"


def print_json(value: Mapping[str, Any]) -> None:
    """What a command made or did, on one line.

    :raises Failed: nobody takes it
    """
    with _done():
        print_json_lines([value])


def print_json_lines(values: Iterable[Mapping[str, Any]]) -> None:
    """Each value on a line of its own, also for readers who take U+2028 for a line end."""
    print_lines(json.dumps(value, ensure_ascii=False).translate(_LINE_ENDS) for value in values)


def print_done(as_json: bool, what: str, **facts: Any) -> None:
    """What a command did, in one line.

    :param what: one word or a few, such as ``deactivated``
    :param facts: for ``--json``; the first one names what it was done to
    :raises Failed: nobody takes it
    """
    if as_json:
        print_json({**facts, "done": what})
        return
    with _done():
        print_lines([f"{next(iter(facts.values()))}: {what}"])


@contextmanager
def _done() -> Iterator[None]:
    """Of a command that is over but for what it prints, which may be a key that nobody sees again."""
    try:
        yield
    except OSError as error:
        raise Failed(f"it is done, but what it prints is lost: {error.strerror}") from None


def print_lines(lines: Iterable[str]) -> None:
    """As they come, so that any number of them needs no memory."""
    stream = sys.stdout.buffer
    for line in lines:
        stream.write(line.encode() + b"\n")
    stream.flush()
