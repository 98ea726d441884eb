"""How a command is stopped: SIGINT and SIGTERM raise an exception where it is; what is being committed is
committed first, so that a command knows how far it came.

Without a handler SIGTERM would do nothing to the first process of a container.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from accountsapp.cli.errors import Failed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accountsapp.domain.transfer.writing import Write

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LONGEST_HOLD = 3.0
"""Seconds for which a transaction may go on: it may stand at a lock of somebody else."""
AGAIN = "run it again to go on"
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


class Stopped(KeyboardInterrupt):
    """Whoever catches interrupts catches this.

    :ivar number: of the signal
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interrupted(Failed):
    """A command was stopped by SIGINT; the exit status is as shells have it."""

    exit_code = 128 + signal.SIGINT


class Terminated(Interrupted):
    """The same by SIGTERM."""

    exit_code = 128 + signal.SIGTERM


def failure_of(stop: KeyboardInterrupt, how_far: str = "") -> Interrupted:
    """What a stopped command says."""
    is_terminated = isinstance(stop, Stopped) and stop.number == signal.SIGTERM
    text = f"interrupted: {how_far}" if how_far else "interrupted"
    return (Terminated if is_terminated else Interrupted)(text)


class _Stop:
    """What came while something was being committed."""

    number: int | None = None
    is_held = False


_stop = _Stop()


@contextmanager
def stoppable() -> Iterator[None]:
    """The signals raise :class:`Stopped` in the block. One that whoever started us ignores stays ignored."""
    _stop.number, _stop.is_held = None, False
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) in _DEFAULTS:
                before[number] = signal.signal(number, _receive)
        if before:
            before[signal.SIGALRM] = signal.signal(signal.SIGALRM, _hurry)
    try:
        yield
    finally:
        if before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _receive(number: int, _frame: FrameType | None) -> None:
    if not _stop.is_held or _stop.number is not None:  # who asks twice does not want to wait
        raise Stopped(number)
    _stop.number = number
    signal.setitimer(signal.ITIMER_REAL, LONGEST_HOLD)


def _hurry(_number: int, _frame: FrameType | None) -> None:
    if _stop.is_held:
        look()


def look() -> None:
    """
    :raises Stopped: a signal came while something was committed
    """
    number, _stop.number = _stop.number, None
    if number is not None:
        raise Stopped(number)


def whole(write: "Write", *, looks_before: bool = False) -> "Write":
    """What runs a transaction, and is not stopped inside of one that ends soon: :func:`look` tells
    afterwards.

    :param looks_before: whether to look before each, where nobody does after it
    """

    def write_whole(work: "Callable[[Connection], T]", /) -> T:
        if looks_before:
            look()
        _stop.is_held = True
        try:
            return write(work)
        finally:
            _stop.is_held = False

    return write_whole


def in_words(counts: Any) -> str:
    """
    :param counts: a dataclass of numbers
    """
    return ", ".join(f"{number} {name}" for name, number in asdict(counts).items())


@contextmanager
def report_stop(how_far: Callable[[], str]) -> Iterator[None]:
    """
    :raises Interrupted: the block was stopped; says how far it came
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise failure_of(stop, how_far()) from None
