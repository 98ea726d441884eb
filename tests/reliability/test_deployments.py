"""The tests of the APIs once more, as larger deployments answer them: requests in turn over two servers
(R11), and PostgreSQL behind a pgbouncer in transaction mode.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

from sqlalchemy.engine import URL

from tests.conftest import Soak
from tests.support.pgbouncer import pgbouncer
from tests.support.servers import ROOT

SOME = ("tests/apis/dockerhub/test_user.py",)
ALL = ("tests/apis", "tests/oauth")


def run(server: URL, *words: str) -> None:
    environ = {**os.environ, "TEST_POSTGRES_URL": server.render_as_string(hide_password=False)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:]


def test_r11_the_tests_over_two_servers(postgres_server: URL, soak: Soak[Sequence[str]]) -> None:
    run(postgres_server, "--two-servers", *soak((*SOME, "-k", "not postgresql"), ALL))


def test_the_tests_through_pgbouncer(postgres_server: URL, soak: Soak[Sequence[str]]) -> None:
    with pgbouncer(postgres_server) as port:
        run(postgres_server, f"--pgbouncer={port}", "-k", "postgresql", *soak(SOME, ALL))
