"""Lets go of clients who stopped in the middle of a body: granian waits for them for ever (Linux).

granian ends connections itself on which no request comes, and the kernel those whose other end is gone or
takes nothing of an answer. A body that is waited for is its own: it can be told of nothing but its socket.
"""

import os
import socket
import struct
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

DESCRIPTORS = Path("/proc/self/fd")
_TIMES = struct.Struct("=44x4I")
"""Of ``struct tcp_info`` how long ago data was sent, acknowledged, received, acknowledged: milliseconds."""


class SilentClients:
    """Watches bodies that are being received.

    :param addresses: of the server: ports, and paths of UNIX sockets
    :param patience: seconds for which a client may be silent in the middle of a body
    :param interval: seconds between two looks
    """

    def __init__(self, addresses: Collection[int | str], patience: float, interval: float) -> None:
        self._addresses = frozenset(addresses)
        self._patience = patience
        self._interval = interval
        self._since: dict[int, float] = {}

    def start(self) -> None:
        """Watch in a daemon thread."""
        threading.Thread(target=self._run, name="silent clients", daemon=True).start()

    @contextmanager
    def part_of_body(self) -> Iterator[None]:
        """Surrounds the wait for a part of a body."""
        thread = threading.get_ident()
        self._since[thread] = monotonic()
        try:
            yield
        finally:
            del self._since[thread]

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(self._interval)
            if any(since < monotonic() - self._patience for since in [*self._since.values()]):
                self.let_go()

    def let_go(self) -> None:
        """End the connections on which nothing was said for too long, in either direction."""
        for connection in _connections(self._addresses):
            with connection, suppress(OSError):
                if _silence(connection) > self._patience:
                    connection.shutdown(socket.SHUT_RDWR)

    def are_there(self) -> bool:
        """Whether anybody is connected."""
        for connection in _connections(self._addresses):
            connection.close()
            return True
        return False


def _connections(addresses: Collection[int | str]) -> Iterator[socket.socket]:
    """Those of clients, each a second handle on it: it cannot become somebody else's meanwhile."""
    for name in os.listdir(DESCRIPTORS):
        try:
            handle = os.dup(int(name))
        except OSError:
            continue  # closed meanwhile
        try:
            connection = socket.socket(fileno=handle)
        except OSError:
            os.close(handle)  # no socket
            continue
        if _is_of_client(connection, addresses):
            yield connection
        else:
            connection.close()


def _is_of_client(connection: socket.socket, addresses: Collection[int | str]) -> bool:
    if connection.family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        return False
    try:
        connection.getpeername()
    except OSError:
        return False  # it listens, or is gone
    name = connection.getsockname()
    return (name if connection.family == socket.AF_UNIX else name[1]) in addresses


def _silence(connection: socket.socket) -> float:
    """Seconds."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TIMES.size)
    sent, _, received, _ = _TIMES.unpack(info)
    return min(sent, received) / 1000
