"""Serves until the process is told to stop, then finishes what has begun and loses nothing on the way.

Waitress itself waits for its threads while clients can still connect, whom nobody will answer. Here the
sockets are closed first, so that a proxy in front turns to the next server at once.
"""

import select
import signal
import threading
from collections.abc import Callable, Collection
from functools import partial
from time import monotonic
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel

from accountsapp.connections import Channel
from accountsapp.fairness import accept_all
from accountsapp.watching import Watch

LONGEST_STOP = 8.0
"""Seconds in which requests that have begun are answered."""
LAST_MOMENT = 1.0
"""Seconds that threads have to end after that; who hangs is left behind."""
TICK = 0.05
"""Seconds between two looks at them."""


def serve_until_stopped(server: Any, listeners: Collection[Any]) -> None:
    """Serve until SIGTERM or SIGINT; then answer what has begun.

    :param server: of waitress, with a :class:`.Dispatcher`
    :param listeners: its sockets, one for each address
    """
    connections: dict[int, Any] = next(iter(listeners))._map
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopped.set()
        for listener in listeners:
            listener.trigger.pull_trigger()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
    adjustments = server.adj
    poll = partial(wasyncore.loop, use_poll=adjustments.asyncore_use_poll, map=connections, count=1)
    look = _watch(listeners) or poll

    def turn(look: Callable[[float], None], timeout: float) -> None:
        look(timeout)
        server.task_dispatcher.hand_out()

    while not stopped.is_set():
        turn(look, adjustments.asyncore_loop_timeout)
    for listener in listeners:
        accept_all(listener)
        wasyncore.dispatcher.close(listener)
    give_up = monotonic() + LONGEST_STOP
    turn(poll, TICK)
    while _close_idle(connections) and monotonic() < give_up:
        turn(poll, TICK)
    server.task_dispatcher.shutdown(timeout=max(LAST_MOMENT, give_up - monotonic()))
    wasyncore.close_all(connections)


def _watch(listeners: Collection[Any]) -> Callable[[float], None] | None:
    """What reads and writes where that is possible within so many seconds; None where the system lacks it."""
    if hasattr(select, "epoll"):
        return Watch(listeners).look
    for listener in listeners:
        listener.channel_class = Channel
    return None


def _close_idle(connections: dict[int, Any]) -> bool:
    """Let go of clients who wait for nothing; whether any client is there."""
    channels = [channel for channel in connections.values() if isinstance(channel, HTTPChannel)]
    for channel in channels:
        if not channel.requests and channel.request is None and not channel.total_outbufs_len:
            channel.will_close = True
    return bool(channels)
