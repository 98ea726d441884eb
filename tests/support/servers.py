"""The application as it is deployed: ``pserve`` with an ini, on a port of its own."""

import atexit
import configparser
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from pyramid.scripts import pserve

from tests.support.forks import FORKS
from tests.support.mailserver import free_port

ROOT = Path(__file__).parent.parent.parent


RUNNER = "waitress"
"""The server of ours that is started where a test names no other."""
PSERVE = [sys.executable, "-m", "pyramid.scripts.pserve"]


def write_ini(file: Path, ini: dict[str, str], server: dict[str, str]) -> Path:
    """An ini with the settings of ``[app:main]``; those of ``[server:main]`` change ``development.ini``'s."""
    parser = configparser.RawConfigParser()
    parser.read(ROOT / "development.ini")
    for name in parser.options("app:main"):
        parser.remove_option("app:main", name)
    for name, value in {"use": "egg:accountsapp", **ini}.items():
        parser.set("app:main", name, re.sub(r"%(?!\()", "%%", value))
    for name, value in {"use": f"egg:accountsapp#{RUNNER}", **server}.items():
        parser.set("server:main", name, value)
    with file.open("w") as written:
        parser.write(written)
    file.chmod(0o600)
    return file


class Fork:
    """A server that is forked from a process which has imported the application; used as a ``Popen``."""

    def __init__(self, words: Sequence[str], log: Path) -> None:
        self._process: BaseProcess = FORKS.Process(
            target=_serve, args=(words, log, {**os.environ}), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """
        :returns: the exit status
        :raises TimeoutExpired: it goes on for longer
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(PSERVE, timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _serve(words: Sequence[str], log: Path, environ: dict[str, str]) -> None:
    """In the forked process: be ``pserve``."""
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(ROOT)
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    try:
        sys.exit(pserve.main([PSERVE[-1], *words]))
    finally:
        atexit._run_exitfuncs()  # a fork ends without them


class Server:
    """One server process. It keeps the settings of waitress that ``development.ini`` has.

    :param ini: settings of ``[app:main]``
    :param port: where it listens
    :param server: more settings of ``[server:main]``
    :param words: of the command line, after the ini
    :param prepare: run in the process before the server, which it is to become
    :param is_forked: whether from a process that has imported the application; it is a program of its own
        where its start, its end or its memory is tested, and where something is to be prepared
    """

    def __init__(
        self,
        folder: Path,
        ini: dict[str, str],
        port: int | None = None,
        server: dict[str, str] | None = None,
        words: Sequence[str] = (),
        prepare: Callable[[], None] | None = None,
        *,
        is_forked: bool = True,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"server-{self.port}.log"
        file = write_ini(
            folder / f"server-{self.port}.ini", ini, {"listen": f"127.0.0.1:{self.port}", **(server or {})}
        )
        self._process: Fork | subprocess.Popen[bytes]
        if is_forked and prepare is None:
            self.log.write_bytes(b"")
            self._process = Fork([str(file), *words], self.log)
            return
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [*PSERVE, str(file), *words],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=prepare,
            )

    def wait(self) -> "Server":
        """Until it answers."""
        give_up = time.monotonic() + 60
        while True:
            try:
                with urlopen(f"{self.url}/healthz", timeout=5):
                    return self
            except (URLError, OSError):
                alive = self._process.poll() is None and time.monotonic() < give_up
                assert alive, self.log.read_text()
                time.sleep(0.05)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def join(self, timeout: float) -> int:
        """The exit status; fails when the process goes on for longer."""
        return self._process.wait(timeout)

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        """What the process has computed so far (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def kill(self) -> None:
        """End it at once, whoever is connected: :meth:`stop` gives clients two seconds to go."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def own_site(folder: Path, ini: dict[str, str]) -> Iterator[Server]:
    """A server that is ready, and whose links lead to itself.

    :param ini: settings of ``[app:main]`` but ``accountsapp.site_url``
    """
    port = free_port()
    server = Server(folder, {**ini, "accountsapp.site_url": f"http://127.0.0.1:{port}"}, port=port)
    try:
        yield server.wait()
    finally:
        server.kill()
