"""Which connections something is waited for on: the kernel is told when that changes (epoll).

Waitress goes through all of its connections whenever anything happens, and is woken after each answer to go
through them once more. Here the thread that has answered says itself that more is to be read.
"""

import select
from collections.abc import Collection
from functools import partial
from typing import Any

from waitress import wasyncore

from accountsapp.server.connections import Channel

READ = select.POLLIN
WRITE = select.POLLOUT


class WatchedChannel(Channel):
    """The connection of one client. Who has changed what it waits for says so by :meth:`watch`."""

    def __init__(self, epoll: "select.epoll", *arguments: Any, **options: Any) -> None:
        self._epoll = epoll
        super().__init__(*arguments, **options)

    def add_channel(self, *places: dict[int, Any]) -> None:
        super().add_channel(*places)
        self._epoll.register(self._fileno, READ | select.EPOLLONESHOT)

    def del_channel(self, *places: dict[int, Any]) -> None:
        with self.outbuf_lock:  # a thread may close it too
            if self._fileno is not None:
                self._epoll.unregister(self._fileno)
            super().del_channel(*places)

    def watch(self) -> None:
        """Have :class:`Watch` told once when what the connection waits for now is possible."""
        with self.outbuf_lock:  # whoever closes it takes that first
            events = (READ if self.readable() else 0) | (WRITE if self.writable() else 0)
            if events and self.connected:
                self._epoll.modify(self._fileno, events | select.EPOLLONESHOT)

    def service(self) -> None:
        super().service()
        self.watch()

    def _flush_some(self, do_close: bool = True) -> bool:
        with self.outbuf_lock:  # waitress has a thread send "100 Continue" while its loop sends without
            return self.connected and bool(super()._flush_some(do_close))

    def write_soon(self, data: Any) -> int:
        written = super().write_soon(data)
        if self.total_outbufs_len:
            self.watch()
        return written

    def _flush_outbufs_below_high_watermark(self) -> None:
        if self.total_outbufs_len > self.adj.outbuf_high_watermark:
            self.watch()  # the thread waits until others have written
        super()._flush_outbufs_below_high_watermark()


class Watch:
    """Waits for all connections of a server.

    :param listeners: its sockets, one for each address; they accept nothing yet
    """

    def __init__(self, listeners: Collection[Any]) -> None:
        self._epoll = select.epoll()
        self._connections: dict[int, Any] = next(iter(listeners))._map
        for number in self._connections:
            self._epoll.register(number, READ)
        self._accepting = dict.fromkeys(listeners, True)
        self._next_cleanup = dict.fromkeys(listeners, 0.0)
        for listener in listeners:
            listener.channel_class = partial(WatchedChannel, self._epoll)
            listener.pull_trigger = _do_nothing

    def look(self, timeout: float) -> None:
        """Read and write where that is possible within so many seconds."""
        for listener in self._accepting:
            self._look_after(listener)
        for number, events in self._epoll.poll(timeout):
            place = self._connections.get(number)
            if place is not None:
                wasyncore.readwrite(place, events)
                if isinstance(place, WatchedChannel) and (place.total_outbufs_len or not place.requests):
                    place.watch()  # else by the thread that answers

    def _look_after(self, listener: Any) -> None:
        """Let it accept no more connections than it may have, and close those that are silent."""
        accepts = listener.readable()
        if accepts != self._accepting[listener]:
            self._accepting[listener] = accepts
            self._epoll.modify(listener.socket.fileno(), READ if accepts else 0)
        if listener.next_channel_cleanup != self._next_cleanup[listener]:  # since: also where it accepted
            self._next_cleanup[listener] = listener.next_channel_cleanup
            for channel in [*listener.active_channels.values()]:
                channel.watch()


def _do_nothing() -> None:
    """In place of the waking of the thread that waits: it is asleep for good reason."""
