"""Serves until the process is told to stop, then finishes what has begun and loses nothing on the way.

Waitress itself waits for its threads while clients can still connect, whom nobody will answer. Here the
sockets are closed first, so that a proxy in front turns to the next server at once. Who is connected already
is answered once more and told by that answer to go elsewhere (``Connection: close``); who asks nothing for a
while is let go of without.
"""

import select
import signal
import threading
from collections.abc import Callable, Collection
from functools import partial
from time import monotonic, time
from typing import Any

from waitress import wasyncore

from accountsapp.server.connections import Channel
from accountsapp.server.fairness import accept_all
from accountsapp.server.watching import Watch

LONGEST_STOP = 8.0
"""Seconds in which requests that have begun are answered."""
LAST_MOMENT = 1.0
"""Seconds that threads have to end after that; who hangs is left behind."""
LONGEST_PAUSE = 1.0
"""Seconds of silence after which a client is taken for one who does not ask at once again."""
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
        if stopped.is_set():
            return
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
    while _end(connections) and monotonic() < give_up:
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


def _end(connections: dict[int, Any]) -> bool:
    """Have all clients go with their next answer, or when they are silent; whether any is there."""
    channels = [channel for channel in connections.values() if isinstance(channel, Channel)]
    before = time() - LONGEST_PAUSE
    for channel in channels:
        channel.is_ending = True
        if channel.ended is None:
            if channel.is_idle and channel.last_activity < before:
                channel.end()
        elif channel.ended < before:
            channel.will_close = True
    return bool(channels)
