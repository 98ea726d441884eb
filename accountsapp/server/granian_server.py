"""``use = egg:accountsapp#granian``: granian in place of waitress, by the same lines of the ini.

It is one process, as with waitress: the application and its threads are made in the process that serves, no
child is forked. Several processes are several starts. The options are waitress's, by their names; one that
granian cannot keep stops the start.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from socket import socket
from time import monotonic, sleep
from typing import Any

from waitress.adjustments import Adjustments
from waitress.proxy_headers import proxy_headers_middleware
from waitress.utilities import BadRequest

from accountsapp.server.granian_requests import Limits, Requests
from accountsapp.server.granian_sockets import address_of, listen
from accountsapp.server.proxy_headers import ProxyHeaders
from accountsapp.server.silent_clients import SilentClients
from accountsapp.server.starting import (
    check_app,
    filled,
    refuse_address,
    refuse_option,
    refuse_options,
    rest_collector,
    say_ready,
    site_path,
)
from accountsapp.server.stopping import LONGEST_PAUSE, LONGEST_STOP, TICK
from accountsapp.waiting import Waiters
from accountsapp.web.client_address import KeepingPeer

OPTIONS = frozenset(
    (
        *("host", "port", "listen", "unix_socket", "unix_socket_perms", "backlog", "ipv4", "ipv6"),
        *("threads", "connection_limit", "channel_timeout", "cleanup_interval"),
        *("trusted_proxy", "trusted_proxy_count", "trusted_proxy_headers"),
        *("clear_untrusted_proxy_headers", "log_untrusted_proxy_headers"),
        *("max_request_body_size", "max_request_header_size", "inbuf_overflow"),
        *("url_scheme", "url_prefix", "server_name"),
        *("asyncore_use_poll", "ident", "outbuf_high_watermark"),
    )
)
"""Those of waitress that are kept; the last three say nothing to granian: it polls, names itself, and has a
thread for each connection.
"""
SMALLEST_BUFFER = 8192
"""Bytes of headers that granian takes at least."""


def make_server(global_conf: Mapping[str, str], **options: str) -> Callable[[Any], None]:
    """Open the sockets (paste.server_factory).

    :param global_conf: the variables of the command line, among others
    :param options: :data:`OPTIONS`; ``%(name)s``, written ``%%(name)s`` in the ini, is such a variable
    :return: serves an application until it is stopped
    :raises SystemExit: the options are no good, or cannot be listened on; says why, in one line
    """
    ini = os.path.relpath(global_conf.get("__file__", "the ini"))
    check_app(ini, global_conf)
    options = filled(ini, options, global_conf)
    adjustments = _adjusted(ini, options)
    try:
        listeners = listen(adjustments)
    except OSError as error:
        refuse_address(ini, options, error)
    Waiters.threads = adjustments.threads

    def serve(app: Any) -> None:
        prefix = adjustments.url_prefix if "url_prefix" in options else site_path(app)
        say_ready(app, ini, [address_of(listener) for listener in listeners])
        rest_collector()
        Server(app, adjustments, listeners, prefix).run()

    return serve


class Server:
    """granian with an application.

    :param adjustments: of waitress
    :param listeners: become granian's own
    :param prefix: the path of the site, which requests may begin with
    """

    def __init__(self, app: Any, adjustments: Any, listeners: Sequence[socket], prefix: str) -> None:
        self._stopping = threading.Event()
        self._loop = asyncio.new_event_loop()  # granian asks for one, and runs nothing in it
        self._clients = SilentClients(
            [where for _, where in map(address_of, listeners)],
            adjustments.channel_timeout,
            adjustments.cleanup_interval,
        )
        self._requests = Requests(
            KeepingPeer(_trusting(app, adjustments), app),
            Limits(adjustments.threads, adjustments.max_request_body_size, adjustments.inbuf_overflow),
            _every(adjustments),
            prefix,
            self._clients.part_of_body,
        )
        self._workers = [_Worker(self._requests, adjustments, one, self._loop) for one in listeners]

    def start(self) -> None:
        """Serve from other threads."""
        self._clients.start()
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Take no more connections; each of those that are there ends with its next answer."""
        if not self._stopping.is_set():
            # Whoever is told that his answer is the last one finds nobody here any more.
            for worker in self._workers:
                worker.close_socket()
            self._requests.are_last = True
            self._stopping.set()

    def join(self) -> None:
        """Wait until what has begun is answered, and who asks all the time was told to go elsewhere; not for
        long.
        """
        give_up = monotonic() + LONGEST_STOP
        while self._are_there_clients() and monotonic() < give_up:
            sleep(TICK)
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.ended.wait(max(0.0, give_up - monotonic()))
        self._loop.close()

    def _are_there_clients(self) -> bool:
        """Whether any may be about to ask."""
        is_quiet = self._requests.answered < monotonic() - LONGEST_PAUSE
        return not is_quiet and self._clients.are_there()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then answer what has begun."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda _number, _frame: self.stop())
        self.start()
        # A signal that another thread is given is only seen when this one runs.
        while not self._stopping.wait(LONGEST_PAUSE):
            continue
        self.join()


class _Worker:
    """granian on one socket.

    :ivar ended: after a stop, once everything is answered
    """

    def __init__(
        self, requests: Requests, adjustments: Any, listener: socket, loop: asyncio.AbstractEventLoop
    ) -> None:
        native, new_scheduler, http1_settings = _import_granian()
        is_unix = adjustments.unix_socket is not None
        connections = adjustments.connection_limit
        self._socket = listener.detach()
        worker = native.WSGIWorker(
            1,
            (None, native.SocketHolder(self._socket, is_unix, adjustments.backlog)),
            None,  # no other process is told anything
            1,
            1,
            # A thread for each connection, so that slow bodies leave some for the rest. Most of them never
            # begin; the application has as few requests at a time as the ini says.
            connections,
            adjustments.channel_timeout,
            connections,
            "1",
            http1_settings(
                header_read_timeout=adjustments.channel_timeout * 1000,
                max_buffer_size=max(SMALLEST_BUFFER, adjustments.max_request_header_size),
            ),
            None,
            None,
            *(False, None, None, None, "tls1.3", None, [], False),  # a proxy ends TLS
            (None, None),
        )
        self._serve = worker.serve_str_uds if is_unix else worker.serve_str
        self._scheduler = new_scheduler(loop, requests, impl_asyncio=True)
        self._loop = loop
        self._signal = native.WorkerSignal()
        self.ended = threading.Event()
        self._signal.add_cb(self.ended.set)

    def start(self) -> None:
        self._serve(self._scheduler, self._loop, self._signal)

    def close_socket(self) -> None:
        """Have nobody connect any more.

        granian itself would end connections at the same time, of which some are about to ask. So it keeps the
        number of the socket, under which there is another file from now on, where nothing happens.
        """
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), self._socket)

    def stop(self) -> None:
        """Let go of clients who wait for nothing, and of the others when they are answered."""
        self._signal.set()


def _import_granian() -> tuple[Any, Any, Any]:
    """What is needed of an optional package: its workers, which take sockets and callables as they are."""
    from granian import _granian
    from granian._futures import _new_cbscheduler
    from granian.http import HTTP1Settings

    return _granian, _new_cbscheduler, HTTP1Settings


def _adjusted(ini: str, options: Mapping[str, str]) -> Any:
    """
    :raises SystemExit: an option is no good, or granian is not installed
    """
    try:
        _import_granian()
    except ImportError:
        refuse_option(ini, "granian is not installed: pip install 'accountsapp[granian]'")
    unknown = sorted(options.keys() - OPTIONS)
    if unknown:
        refuse_option(ini, f"granian has no option {unknown[0]}")
    try:
        return Adjustments(**options)
    except ValueError as error:
        refuse_options(ini, options, error)


def _trusting(app: Any, adjustments: Any) -> Any:
    """What waitress itself makes of the headers of proxies."""
    if not (adjustments.trusted_proxy or adjustments.clear_untrusted_proxy_headers):
        return app
    by_waitress = proxy_headers_middleware(
        app,
        trusted_proxy=adjustments.trusted_proxy,
        trusted_proxy_count=adjustments.trusted_proxy_count,
        trusted_proxy_headers=adjustments.trusted_proxy_headers,
        clear_untrusted=adjustments.clear_untrusted_proxy_headers,
        log_untrusted=adjustments.log_untrusted_proxy_headers,
    )
    return _knowing_clients(ProxyHeaders(by_waitress, app, adjustments), adjustments)


def _knowing_clients(application: Any, adjustments: Any) -> Any:
    """Refuse what leaves out whom a trusted proxy speaks for (WSGI middleware).

    granian empties a value with bytes beyond ASCII, with what a proxy put behind them: the client would have
    the address of the proxy.
    """
    names = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in adjustments.trusted_proxy_headers}
    said = [names[name] for name in ("x-forwarded-for", "forwarded") if name in names]
    trusted, count = adjustments.trusted_proxy, adjustments.trusted_proxy_count

    def ask(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if trusted in ("*", environ["REMOTE_ADDR"]):
            parts = [part for name in said if name in environ for part in environ[name].split(",")[-count:]]
            if not all(map(str.strip, parts)):
                refusal = BadRequest("The address of the client cannot be read.")
                return refusal.wsgi_response(environ, start_response)
        return application(environ, start_response)

    return ask


def _every(adjustments: Any) -> dict[str, object]:
    """What each environ has. A client at a UNIX socket has no address; waitress calls it ``localhost``."""
    return {
        "SERVER_NAME": adjustments.server_name,
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.url_scheme": adjustments.url_scheme,
        "wsgi.version": (1, 0),
        **({"REMOTE_ADDR": "localhost"} if adjustments.unix_socket is not None else {}),
    }
