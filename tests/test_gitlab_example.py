"""``examples/gitlab-api``: a distribution of its own passes the contract of ``accountsapp.testing``."""

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy.engine import URL

from tests.support.distributions import write_metadata
from tests.support.servers import ROOT

FOLDER = ROOT / "examples" / "gitlab-api"


def test_its_tests_pass_when_it_is_installed(tmp_path: Path, postgres_server: URL) -> None:
    write_metadata(tmp_path / "installed", "gitlab", "accountsapp_gitlab")
    paths = os.pathsep.join([str(tmp_path / "installed"), str(FOLDER), str(ROOT)])
    database = postgres_server.render_as_string(hide_password=False)
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:schemathesis",
            str(FOLDER),
        ],
        env={**os.environ, "PYTHONPATH": paths, "TEST_POSTGRES_URL": database},
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:]
