"""The whole topology of ``deploy/cluster.py`` on the PostgreSQL of the tests, with people on it."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import bcrypt
from sqlalchemy.engine import URL

from accountsapp.testing.people import PASSWORD
from accountsapp.testing.postgres import PROGRAMS, maintain
from deploy.cluster import Cluster, valkey

HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


@contextmanager
def database(server: URL) -> Iterator[str]:
    """The URL of an empty one."""
    name = f"cluster_{uuid4().hex}"
    maintain(server, f"CREATE DATABASE {name}")
    yield server.set(database=name).render_as_string(hide_password=False)
    maintain(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def clustered(server: URL, **settings: str) -> Iterator[Cluster]:
    """One that runs, with a database and a Redis of its own.

    :param settings: environment variables of its programs
    """
    with (
        tempfile.TemporaryDirectory(prefix="accountsapp-cluster-") as folder,
        database(server) as url,
        valkey() as redis_url,
    ):
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder), url, redis_url, ACCOUNTSAPP_BCRYPT_ROUNDS="4", **settings)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def import_accounts(cluster: Cluster, count: int) -> list[tuple[str, str]]:
    """Usernames and API keys of new accounts, imported in one go."""
    records = [
        {
            "username": f"user{number}",
            "email": f"user{number}@example.com",
            "api_key": f"key{number:09x}",
            "password_hash": HASH,
        }
        for number in range(count)
    ]
    cluster.run("accounts", "import", "-", stdin="".join(f"{json.dumps(record)}\n" for record in records))
    return [(record["username"], record["api_key"]) for record in records]


def dump(url: str, file: Path) -> None:
    """By the words of ``docs/backup.rst``."""
    _postgres("pg_dump", "--format=custom", f"--file={file}", f"--dbname={_libpq(url)}")


def restore(file: Path, url: str) -> None:
    """Into an empty database."""
    _postgres("pg_restore", "--exit-on-error", f"--dbname={_libpq(url)}", str(file))


def _postgres(program: str, *words: str) -> None:
    """One of the server's version, from its package."""
    subprocess.run([PROGRAMS / program, *words], check=True, env=dict(os.environ), timeout=120)


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
