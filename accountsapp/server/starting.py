"""What every server of ours does with an ini when it starts, and what it says then."""

import gc
import linecache
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from waitress.adjustments import Adjustments

from accountsapp import ini_file
from accountsapp.ini_file import NoSection
from accountsapp.settings import SettingsError

NEW_OBJECTS = 10_000
"""After so many the garbage collector looks at them; its default is 700, some requests."""

TRUSTED = {"trusted_proxy": "localhost", "trusted_proxy_headers": "x-forwarded-for"}
"""Without these, the other options about a trusted proxy are no good by themselves."""

LEAST = {
    **dict.fromkeys(("threads", "connection_limit", "backlog", "channel_timeout", "cleanup_interval"), 1),
    **dict.fromkeys(("max_request_header_size", "max_request_body_size", "recv_bytes", "send_bytes"), 1),
    **dict.fromkeys(("inbuf_overflow", "outbuf_overflow", "outbuf_high_watermark"), 1),
    **dict.fromkeys(("asyncore_loop_timeout", "trusted_proxy_count"), 1),
    **dict.fromkeys(("channel_request_lookahead", "port"), 0),
}
"""Of the options that are numbers; waitress takes any, and answers nobody with some."""
HIGHEST_PORT = 65535

OPTIONS = frozenset(dict(Adjustments._params))
"""Those of waitress."""
_VARIABLE = re.compile(r"%\((\w+)\)s")


def check_app(ini: str, variables: Mapping[str, str]) -> None:
    """PasteDeploy says what is wrong with a value in many lines, which quote it, be it a secret.

    :raises SystemExit: the section of the application cannot be read
    """
    if not Path(ini).is_file():
        return  # whoever makes a server without one has an application
    try:
        ini_file.load_app(ini, variables)
    except SettingsError as error:
        if isinstance(error, NoSection) and error.others:
            return  # pserve was told of another section
        raise SystemExit(f"accountsapp: {error}") from None


def filled(ini: str, options: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """The options of ``[server:main]``, in which ``%(name)s`` is a variable of the command line.

    :raises SystemExit: one is missing, or an option is no good by itself
    """
    values = {name: _filled(ini, name, value, variables) for name, value in options.items()}
    if problems := problems_of(values):
        refuse_option(ini, "; ".join(problems))
    return values


def problems_of(options: Mapping[str, str], variables: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """What is wrong with options of waitress that there are, each by itself; one whose variable is not among
    these is passed over.
    """
    problems = []
    for name, value in options.items():
        text = _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), value)
        if name in OPTIONS and not _VARIABLE.search(text):
            problems.append(_problem_of(name, text))
    return [problem for problem in problems if problem]


def _filled(ini: str, name: str, value: str, variables: Mapping[str, str]) -> str:
    for variable in _VARIABLE.findall(value):
        if variable not in variables:
            raise SystemExit(
                f"accountsapp: {name} in [server:main] of {ini} needs {variable}; "
                f"give it on the command line: accountsapp -c {ini} serve {variable}=… "
                f"or pserve {ini} {variable}=…"
            )
    return _VARIABLE.sub(lambda match: variables[match[1]], value)


def refuse_address(ini: str, options: Mapping[str, str], error: OSError) -> NoReturn:
    """
    :raises SystemExit: what is to be done about an address that cannot be listened on
    """
    where = options.get("listen") or options.get("unix_socket") or options.get("port") or "port 8080"
    raise SystemExit(
        f"accountsapp: cannot listen on {where}: {error.strerror or error}; "
        f"stop the program that has it, or name another address in [server:main] of {ini}"
    ) from None


def refuse_option(ini: str, what: object) -> NoReturn:
    """
    :raises SystemExit: which option is no good
    """
    raise SystemExit(f"accountsapp: [server:main] of {ini}: {what}") from None


def refuse_options(ini: str, options: Mapping[str, str], error: ValueError) -> NoReturn:
    """
    :param error: what waitress says of all of them
    :raises SystemExit: which options are no good
    """
    unknown = [f"waitress has no option {name}" for name in options if name not in OPTIONS]
    refuse_option(ini, "; ".join(unknown) or error)


def _problem_of(name: str, value: str) -> str | None:
    """Of an option that there is."""
    beside = TRUSTED if name.startswith("trusted_proxy") else {}
    try:
        adjustments = Adjustments(**{**beside, name: value})
    except ValueError:
        return f"{name} cannot be {value!a:.80}"
    number = getattr(adjustments, name)
    if name in LEAST and number < LEAST[name]:
        return f"{name} must be at least {LEAST[name]}"
    ports = adjustments.port, *(word.rpartition(":")[2] for word in value.split() if name == "listen")
    if any(int(port) > HIGHEST_PORT for port in ports if str(port).isdecimal()):
        return f"{name}: a port is at most {HIGHEST_PORT}"
    if name == "listen" and not adjustments.listen:
        return "listen must name an address, such as 127.0.0.1:6543"
    return None


def site_path(app: Any) -> str:
    """The path of the site, which requests may begin with: a proxy hands it on or takes it away."""
    settings = _settings(app)
    return settings.site_path if settings is not None else ""


def say_ready(app: Any, ini: str, addresses: Collection[tuple[str, int | str]]) -> None:
    """Say where the server listens, and what to do next where a developer reads it.

    :param addresses: host and port each; the host of a UNIX socket is ``unix``, its port the path
    """
    for host, port in addresses:
        where = f"unix:{port}" if host == "unix" else f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        sys.stderr.write(f"accountsapp listens on {where}\n")
    for line in _next_steps(app, ini):
        sys.stderr.write(f"{line}\n")


def rest_collector() -> None:
    """What the application consists of stays: the garbage collector need not look at it again, and less often
    at what requests leave behind, which is no circle as a rule.
    """
    linecache.clearcache()  # where views and tweens were configured
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


def _settings(app: Any) -> Any:
    return getattr(getattr(app, "registry", None), "app_settings", None)


def _next_steps(app: Any, ini: str) -> Iterator[str]:
    """What a developer wants to know; nothing for others."""
    settings = _settings(app)
    if settings is None or settings.mode != "development":
        return
    command = Path(sys.argv[0]).with_name("accountsapp")
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    calls = [f"    {call.format(site=settings.site_url)}" for call in app.registry.first_calls]
    if calls:
        yield "To try it, in another terminal:"
        yield "    KEY=acct_...  # the api_key of admin, which was printed when the account was made"
        yield from calls
    yield f"In a browser: {settings.site_url}/ and, with the APIs' documents, {settings.site_url}/docs/"
    yield f"A new key: {command} -c {ini} accounts reset-key admin"
    if settings.mail.enabled:
        yield f"Mails go to {settings.mail.host}, port {settings.mail.port}."
    else:
        yield f"Mails are written into {settings.mail.directory}/."
    yield "Stop it with Ctrl-C."
