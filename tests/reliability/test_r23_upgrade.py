"""R23: two servers, nginx and people who go on, while a new version takes the place of the old one, by the
steps of ``docs/upgrade.rst``; then back.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import requests
from sqlalchemy.engine import URL

from accountsapp.db.database import Database
from accountsapp.migrations.revision import current_revision, newest_revision
from deploy.cluster import ROOT, Cluster
from tests.conftest import Soak
from tests.support import killing
from tests.support.clusters import clustered, database, dump, restore
from tests.support.load import Load

MIGRATION = '''
"""What a later version needs."""

import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{head}"
branch_labels = depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("later", sa.String(50)))
    op.create_index("ix_account_later", "account", ["later"])
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
'''

Versions = tuple[Path, Path]


def later_version(folder: Path) -> Versions:
    """This version, and the same with a migration more."""
    folder.mkdir()
    later = shutil.copytree(ROOT / "accountsapp", folder / "accountsapp")
    migration = later / "migrations" / "versions" / "later.py"
    migration.write_text(MIGRATION.format(head=newest_revision()))
    return ROOT, folder


def earlier_version(folder: Path) -> Versions:
    """What there was before the newest migration, with the libraries it needed then; and this version."""
    migration = next((ROOT / "accountsapp/migrations/versions").glob(f"{newest_revision()}_*.py"))
    added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", str(migration))
    assert added, "needs the history of the source: git fetch --unshallow"
    source = folder / "source"
    source.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", f"{added}^"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "--extract", f"--directory={source}"], input=archive.stdout, check=True)
    installed = folder / "installed"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    options = [f"--target={installed}", f"--constraint={source / 'requirements.txt'}"]
    subprocess.run([*pip, *options, f"{source}[postgresql,redis]"], check=True)
    return installed, ROOT


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def running(version: Path) -> dict[str, str]:
    """Environment variables of processes that run it."""
    return {"PYTHONPATH": str(version), "PYTHONSAFEPATH": "1"}


def readiness(cluster: Cluster) -> list[str]:
    return [requests.get(f"{url}/readyz", timeout=20).json()["status"] for url in cluster.urls]


def revision_of(url: str) -> str | None:
    opened = Database(url)
    try:
        return current_revision(opened)
    finally:
        opened.dispose()


@pytest.fixture
def versions(soak: Soak[Sequence[Callable[[Path], Versions]]], tmp_path: Path) -> list[Versions]:
    makers = soak([later_version], [later_version, earlier_version])
    return [make(tmp_path / make.__name__) for make in makers]


def test_r23_upgrade_under_load_and_back(
    versions: list[Versions], postgres_server: URL, tmp_path: Path
) -> None:
    for old, new in versions:
        with clustered(postgres_server, **running(old)) as cluster:
            url = cluster.environ["SQLALCHEMY_URL"]
            written = killing.write_records(tmp_path / "records", 3)
            killing.finish(
                killing.import_accounts,
                url,
                cluster.environ["ACCOUNTSAPP_SECRET"],
                str(tmp_path / "records"),
                False,
            )
            keys = {f"u{number}": key for number, key in enumerate(written)}
            before, copy = revision_of(url), tmp_path / "before.dump"
            dump(url, copy)
            with Load(cluster.url, keys) as load:
                cluster.environ.update(running(new))
                cluster.run("db", "upgrade")
                assert readiness(cluster) == ["unavailable"] * 2
                load.wait()
                cluster.restart()
                assert readiness(cluster) == ["ok"] * 2
                load.wait()
            assert load.failures == []
            for client in load.clients:
                seen = client.ask("GET", "account")
                assert seen is not None
                assert seen["name"] == client.name
            cluster.environ.update(running(old))
            with pytest.raises(RuntimeError, match="db upgrade never goes back"):
                cluster.run("accounts", "list")
            with database(postgres_server) as restored:
                restore(copy, restored)
                assert revision_of(restored) == before
