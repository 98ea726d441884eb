"""Among many clients at once nobody waits for all the others.

Waitress takes up one client each time its loop goes round, and gives every request to the threads as soon as
it is read. Python runs one thread at a time, so from the first request on the loop waits for all busy threads
after each call of the system, of which two hundred new clients need four hundred. Here all who wait are taken
up and read first, then the threads get to work.

Of several requests that a client sent ahead, the next is answered when he has taken what came before: what is
kept for those who do not read is one answer each, and no thread waits for them.
"""

from collections import deque
from functools import partial
from threading import get_ident
from typing import Any

from waitress.channel import HTTPChannel

from accountsapp.server.request_threads import RequestThreads


class Dispatcher(RequestThreads):
    """Has what was read answered once the loop says so, which runs in the thread that made this."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = get_ident()
        self._read: deque[HTTPChannel] = deque()
        self._sent_ahead: deque[HTTPChannel] = deque()

    def add_task(self, task: HTTPChannel) -> None:
        """
        :param task: a connection with a request; a thread names one that has a further request
        """
        if get_ident() == self._loop:
            self._read.append(task)
            return
        with task.outbuf_lock:  # whoever sends what is left takes that first
            if task.total_outbufs_len:
                self._sent_ahead.append(task)
                return
        super().add_task(task)

    def hand_out(self) -> None:
        """Give the threads what the loop has read, and what clients sent ahead who have taken all answers."""
        while self._read:
            super().add_task(self._read.popleft())
        for _ in range(len(self._sent_ahead)):
            channel = self._sent_ahead.popleft()
            if channel.connected and channel.total_outbufs_len:
                self._sent_ahead.append(channel)
            else:
                super().add_task(channel)


def be_fair(listener: Any) -> None:
    """Have a listener of waitress, whose dispatcher is a :class:`Dispatcher`, do the same."""
    listener.handle_accept = partial(accept_all, listener)
    listener.maintenance = partial(_let_go, listener)


def accept_all(listener: Any) -> None:
    """Take up all clients that wait for it, up to the limit of connections."""
    while accept(listener):
        continue


def accept(listener: Any) -> bool:
    """Take up a client that waits to be, and is not to be refused; whether there was one."""
    before = len(listener.active_channels)
    if listener.readable():
        type(listener).handle_accept(listener)
    return len(listener.active_channels) > before


def _let_go(listener: Any, now: float) -> None:
    """Close the connections of clients who are silent, and of those who take nothing of an answer: waitress
    waits until it can send them something.
    """
    type(listener).maintenance(listener, now)
    for channel in [*listener.active_channels.values()]:
        if channel.total_outbufs_len and channel.last_activity < now - listener.adj.channel_timeout:
            channel.handle_close()
