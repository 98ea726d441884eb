"""A pgbouncer in transaction mode, as ``deploy/pgbouncer`` sets it, in front of the tests' PostgreSQL."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL

from accountsapp.testing.postgres import SYSTEM_USER
from deploy.cluster import ROOT, free_port

DOCUMENTED = ROOT / "deploy" / "pgbouncer" / "pgbouncer.ini"


@contextmanager
def pgbouncer(server: URL) -> Iterator[int]:
    """Its port; each database of the server is behind it under its own name."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "pgbouncer is not installed: apt-get install pgbouncer"
    folder = Path(tempfile.mkdtemp(prefix="accountsapp-pgbouncer-"))
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(_configuration(server, port))
    command = [program, "--quiet", str(configuration)]
    if os.geteuid() == 0:  # it refuses to run as the superuser
        folder.chmod(0o755)
        command[1:1] = ["--user", SYSTEM_USER]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "log")
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def _configuration(server: URL, port: int) -> str:
    host = server.host or server.query["host"]
    target = f"* = host={host} port={server.port or server.query.get('port', 5432)} user={server.username}"
    text = DOCUMENTED.read_text()
    for documented, ours in {
        "accountsapp = host=127.0.0.1 port=5432 dbname=accountsapp": target,
        "listen_port = 6432": f"listen_port = {port}\nunix_socket_dir =",
        "auth_type = scram-sha-256": "auth_type = any",
        "auth_file = /etc/pgbouncer/userlist.txt": "",
        # Between tests the server sends everybody away.
        "server_idle_timeout = 60": "server_idle_timeout = 5\nserver_check_delay = 0",
    }.items():
        assert documented in text
        text = text.replace(documented, ours)
    return text


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            is_coming = process.poll() is None and time.monotonic() < give_up
            assert is_coming, log.read_text()
            time.sleep(0.05)
        else:
            return
