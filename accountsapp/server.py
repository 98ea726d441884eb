"""``use = egg:accountsapp#waitress``: waitress, which says where it listens, or in one line why it cannot.

The sockets are opened before the application is made, so that a process whose port is taken does nothing
else. Clients that come in between wait.

What is no request of HTTP is refused here, before the application: :mod:`accountsapp.connections`.
"""

import gc
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from waitress.proxy_headers import PROXY_HEADERS
from waitress.server import create_server

from accountsapp import ini_file
from accountsapp.ini_file import UnreadableIni
from accountsapp.serving import serve_until_stopped
from accountsapp.settings import SettingsError
from accountsapp.waiting import Waiters
from accountsapp.web.client_address import FORWARDED_FOR, PEER

NEW_OBJECTS = 10_000
"""After so many the garbage collector looks at them; its default is 700, some requests."""

OF_PROXIES = frozenset(f"HTTP_{name}" for name in PROXY_HEADERS)
"""The headers in which a proxy says what it knows, as WSGI calls them."""

_VARIABLE = re.compile(r"%\((\w+)\)s")


def make_server(global_conf: Mapping[str, str], **options: str) -> Callable[[Any], None]:
    """Open the sockets (paste.server_factory).

    :param global_conf: the variables of the command line, among others
    :param options: those of waitress; ``%(name)s``, written ``%%(name)s`` in the ini, is such a variable
    :return: serves an application until it is stopped
    :raises SystemExit: the options are no good, or cannot be listened on; says why, in one line
    """
    ini = os.path.relpath(global_conf.get("__file__", "the ini"))
    _check_app(ini, global_conf)
    options = {name: _filled(ini, name, value, global_conf) for name, value in options.items()}
    application = _Application()
    try:
        server = create_server(application, **options)
    except OSError as error:
        where = options.get("listen") or options.get("unix_socket") or options.get("port") or "port 8080"
        raise SystemExit(
            f"accountsapp: cannot listen on {where}: {error.strerror}; "
            f"stop the program that has it, or name another address in [server:main] of {ini}"
        ) from None
    except ValueError as error:
        raise SystemExit(f"accountsapp: [server:main] of {ini}: {error}") from None

    Waiters.threads = server.adj.threads
    for listener in _listeners(server):
        # Let the application know who is connected, and for whom, whatever waitress makes of a proxy's word.
        listener.application = _KeepingPeer(listener.application, application)

    def serve(app: Any) -> None:
        application.app = app
        if "url_prefix" not in options:
            server.adj.url_prefix = _site_path(app)
        for url in _urls(server):
            click.echo(f"accountsapp listens on {url}", err=True)
        for line in _next_steps(app, ini):
            click.echo(line, err=True)
        _rest_collector()
        serve_until_stopped(server, _listeners(server))

    return serve


def _rest_collector() -> None:
    """What the application consists of stays: the garbage collector need not look at it again, and less often
    at what requests leave behind, which is no circle as a rule.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


def _site_path(app: Any) -> str:
    """The path of the site, which requests may begin with: a proxy hands it on or takes it away."""
    settings = getattr(getattr(app, "registry", None), "app_settings", None)
    return settings.site_path if settings is not None else ""


class _Application:
    """The application, which is made after the server."""

    app: Any

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return self.app(environ, start_response)


def _listeners(server: Any) -> list[Any]:
    """One for each address."""
    listeners = server.map.values() if hasattr(server, "effective_listen") else [server]
    return [listener for listener in listeners if hasattr(listener, "application")]


class _KeepingPeer:
    """Keeps who is connected.

    :param behind_proxy: the application behind what reads the headers of proxies, for requests that have some
    """

    def __init__(self, behind_proxy: Any, application: Any) -> None:
        self._behind_proxy = behind_proxy
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ[PEER] = environ["REMOTE_ADDR"]
        environ[FORWARDED_FOR] = environ.get("HTTP_X_FORWARDED_FOR", "")
        application = self._application if environ.keys().isdisjoint(OF_PROXIES) else self._behind_proxy
        return application(environ, start_response)


def _check_app(ini: str, variables: Mapping[str, str]) -> None:
    """PasteDeploy says what is wrong with a value in many lines, which quote it, be it a secret.

    :raises SystemExit: the settings of the application lack a variable
    """
    try:
        ini_file.load_app(ini, variables)
    except UnreadableIni:
        return  # pserve was told of another section
    except SettingsError as error:
        raise SystemExit(f"accountsapp: {error}") from None


def _filled(ini: str, name: str, value: str, variables: Mapping[str, str]) -> str:
    for variable in _VARIABLE.findall(value):
        if variable not in variables:
            raise SystemExit(
                f"accountsapp: {name} in [server:main] of {ini} needs {variable}; "
                f"give it on the command line: pserve {ini} {variable}=…"
            )
    return _VARIABLE.sub(lambda match: variables[match[1]], value)


def _urls(server: Any) -> Iterator[str]:
    addresses = getattr(server, "effective_listen", None) or [(server.effective_host, server.effective_port)]
    for host, port in addresses:
        if host == "unix":
            yield f"unix:{port}"
        else:
            yield f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _next_steps(app: Any, ini: str) -> Iterator[str]:
    """What a developer wants to know; nothing for others."""
    settings = getattr(getattr(app, "registry", None), "app_settings", None)
    if settings is None or settings.mode != "development":
        return
    command = Path(sys.argv[0]).with_name("accountsapp")
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    yield "To try it, in another terminal:"
    yield "    KEY=acct_...  # the api_key of admin, which was printed when the account was made"
    yield from (f"    {call.format(site=settings.site_url)}" for call in app.registry.first_calls)
    yield f"A new key: {command} -c {ini} accounts reset-key admin"
    if settings.mail.enabled:
        yield f"Mails go to {settings.mail.host}, port {settings.mail.port}."
    else:
        yield f"Mails are written into {settings.mail.directory}/."
    yield "Stop it with Ctrl-C."
