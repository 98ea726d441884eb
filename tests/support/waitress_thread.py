"""A server of waitress that runs in a thread of the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any


@contextmanager
def running(server: Any) -> Iterator[int]:
    """
    :param server: of ``waitress.server.create_server``, ready to run
    :returns: the port on which it listens until the end of the block
    """
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(lambda: server.asyncore.close_all(server._map))
        thread.join(timeout=10)
