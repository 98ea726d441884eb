"""Server processes to measure: pinned to one core, their CPU time read from outside."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
START_TIMEOUT = 30.0

WAITRESS: dict[str, Any] = {
    "threads": 16,
    "connection_limit": 800,
    "channel_timeout": 10,
    "cleanup_interval": 3,
    "asyncore_use_poll": True,
    "ident": "",
    "trusted_proxy": "127.0.0.1",
    "trusted_proxy_count": 1,
    "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto",
    "clear_untrusted_proxy_headers": True,
    "max_request_body_size": 16777216,
    "max_request_header_size": 65536,
}
"""The server settings of ``production.ini``; the bare waitress has its defaults, and as many threads."""


class Server:
    """A running server process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        # The clock of the whole process, in nanoseconds (clock_getcpuclockid(3)).
        self._clock = (~process.pid << 3) | 2

    def cpu_seconds(self) -> float:
        """User and system time of the process so far, all threads."""
        return time.clock_gettime(self._clock)


@contextmanager
def running(
    arguments: list[str],
    port: int,
    core: int,
    log: Path,
    python: str = sys.executable,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A Python process that serves ``port``, pinned to ``core``; stopped at the end.

    :param arguments: of the interpreter
    :param python: the interpreter
    :param variables: of its environment, besides ours
    :raises RuntimeError: it does not answer within 30 s
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, *arguments],
            cwd=ROOT,
            env={**os.environ, **(variables or {})},
            stdout=output,
            stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        _wait_until_up(process, port, log)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(timeout=15)


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server does not answer:\n{log.read_text(errors='replace')[-2000:]}")


def cores() -> tuple[int, int]:
    """Two that we may use, for the servers and for the client; one and the same where there is one."""
    ours = sorted(os.sched_getaffinity(0))
    return ours[0], ours[-1]


def free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def write_ini(
    path: Path, url: str, port: int, access_log: Path, secret: str, runner: str = "waitress"
) -> None:
    """An ini as in production: throttles on, an access line for every request into a file.

    :param runner: the server of ours
    """
    waitress = "\n".join(f"{name} = {value}" for name, value in WAITRESS.items())
    path.write_text(
        f"""
[app:main]
paste.app_factory = accountsapp:main
accountsapp.mode = production
accountsapp.secret = {secret}
accountsapp.site_url = http://127.0.0.1:{port}
accountsapp.apis = amo bookie dockerhub openedx pybossa
accountsapp.rate_limit = true
accountsapp.jobs = external
sqlalchemy.url = {url.replace("%", "%%")}

[server:main]
use = egg:accountsapp#{runner}
listen = 127.0.0.1:{port}
{waitress}

[loggers]
keys = root, accountsapp

[handlers]
keys = file

[formatters]
keys = generic

[logger_root]
level = WARN
handlers = file

[logger_accountsapp]
level = INFO
handlers =
qualname = accountsapp

[handler_file]
class = FileHandler
args = ({str(access_log)!r}, "w")
level = NOTSET
formatter = generic

[formatter_generic]
format = %(asctime)s %(process)d %(levelname)-5.5s [%(name)s] %(message)s
"""
    )
    path.chmod(0o600)
