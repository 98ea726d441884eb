"""The sockets that granian is given: opened by us, before the application is made, shared with nobody."""

import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

KEPT_ALIVE = 60
"""Seconds after which a connection that nobody uses is asked whether its other end is there."""


def listen(adjustments: Any) -> list[socket.socket]:
    """One for each address.

    :param adjustments: of waitress
    :raises OSError: one cannot be listened on
    """
    if adjustments.unix_socket is not None:
        return [_listen_unix(Path(adjustments.unix_socket), adjustments)]
    return [
        _listen_tcp(family, kind, address, adjustments) for family, kind, _, address in adjustments.listen
    ]


def address_of(listener: socket.socket) -> tuple[str, int | str]:
    """Host and port; ``unix`` and the path."""
    name = listener.getsockname()
    return ("unix", str(name)) if listener.family == socket.AF_UNIX else (name[0], name[1])


def _listen_tcp(family: int, kind: int, address: Any, adjustments: Any) -> socket.socket:
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        _inherit(listener, adjustments)
        listener.listen(adjustments.backlog)
    except OSError:
        listener.close()
        raise
    return listener


def _inherit(listener: socket.socket, adjustments: Any) -> None:
    """Every connection has the options of the socket that it came in by: whose other end is gone, or takes
    nothing of an answer, is ended by the kernel.
    """
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, adjustments.channel_timeout * 1000)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEPT_ALIVE)


def _listen_unix(path: Path, adjustments: Any) -> socket.socket:
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()  # of a process that was killed
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(adjustments.unix_socket_perms)
        listener.listen(adjustments.backlog)
    except OSError:
        listener.close()
        raise
    return listener
