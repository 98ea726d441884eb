"""``use = egg:accountsapp#waitress``: waitress, which says where it listens, or in one line why it cannot.

The sockets are opened before the application is made, so that a process whose port is taken does nothing
else. Clients that come in between wait.

What is no request of HTTP is refused here, before the application: :mod:`accountsapp.server.connections`.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from waitress.server import create_server

from accountsapp.server.fairness import Dispatcher, be_fair
from accountsapp.server.proxy_headers import ProxyHeaders
from accountsapp.server.starting import (
    check_app,
    filled,
    refuse_address,
    refuse_options,
    rest_collector,
    say_ready,
    site_path,
)
from accountsapp.server.stopping import serve_until_stopped
from accountsapp.waiting import Waiters
from accountsapp.web.client_address import KeepingPeer


def make_server(global_conf: Mapping[str, str], **options: str) -> Callable[[Any], None]:
    """Open the sockets (paste.server_factory).

    :param global_conf: the variables of the command line, among others
    :param options: those of waitress; ``%(name)s``, written ``%%(name)s`` in the ini, is such a variable
    :return: serves an application until it is stopped
    :raises SystemExit: the options are no good, or cannot be listened on; says why, in one line
    """
    ini = os.path.relpath(global_conf.get("__file__", "the ini"))
    check_app(ini, global_conf)
    options = filled(ini, options, global_conf)
    application = _Application()
    try:
        server = create_server(application, _dispatcher=Dispatcher(), **options)
    except OSError as error:
        refuse_address(ini, options, error)
    except ValueError as error:
        refuse_options(ini, options, error)

    server.task_dispatcher.set_thread_count(server.adj.threads)
    Waiters.threads = server.adj.threads
    for listener in _listeners(server):
        # Let the application know who is connected, and for whom, whatever waitress makes of a proxy's word.
        behind_proxy = ProxyHeaders(listener.application, application, server.adj)
        listener.application = KeepingPeer(behind_proxy, application)
        be_fair(listener)

    def serve(app: Any) -> None:
        application.app = app
        if "url_prefix" not in options:
            server.adj.url_prefix = site_path(app)
        addresses = getattr(server, "effective_listen", None)
        say_ready(app, ini, addresses or [(server.effective_host, server.effective_port)])
        rest_collector()
        serve_until_stopped(server, _listeners(server))

    return serve


class _Application:
    """The application, which is made after the server."""

    app: Any

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return self.app(environ, start_response)


def _listeners(server: Any) -> list[Any]:
    """One for each address."""
    listeners = server.map.values() if hasattr(server, "effective_listen") else [server]
    return [listener for listener in listeners if hasattr(listener, "application")]
