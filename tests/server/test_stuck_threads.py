"""How a server ends that was told to."""

import os
import signal
import socket
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest
from waitress.server import create_server

from accountsapp.server import stopping
from accountsapp.server.fairness import Dispatcher, be_fair


def test_a_request_that_hangs_does_not_hold_up_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = Event(), Event()

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        begun.set()
        go_on.wait(30)
        start_response("204 No Content", [])
        return []

    def stop() -> None:
        begun.wait(30)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(stopping, "LONGEST_STOP", 0.1)
    monkeypatch.setattr(stopping, "LAST_MOMENT", 0.1)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    server = create_server(app, listen="127.0.0.1:0", _dispatcher=Dispatcher())
    server.task_dispatcher.set_thread_count(1)
    be_fair(server)
    stopper = Thread(target=stop)
    try:
        with socket.create_connection(("127.0.0.1", int(server.effective_port))) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            stopper.start()
            began = monotonic()
            stopping.serve_until_stopped(server, [server])
            assert monotonic() - began < 4
    finally:
        go_on.set()
        stopper.join(30)
        for number, handler in before.items():
            signal.signal(number, handler)
