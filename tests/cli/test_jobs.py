"""``accountsapp jobs``."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from accountsapp.cli.jobs import group
from accountsapp.db.database import Database
from accountsapp.domain import jobs
from accountsapp.domain.data.models import JobState
from accountsapp.domain.errors import DomainError
from accountsapp.domain.jobs import JobNotFound
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.settings import Settings
from tests.cli.conftest import write_ini
from tests.support.jobs import all_jobs, only_job, process_of


@pytest.fixture
def command(database: Database, settings: Settings, keyring: Keyring) -> Any:
    application = SimpleNamespace(
        database=database, settings=settings, process=process_of(database, settings, keyring)
    )

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(group, arguments, obj=application, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.fixture
def mail_id(database: Database, keyring: Keyring) -> int:
    with database.begin() as session:
        return notices.queue(
            session, keyring, Notice.API_KEY_RESET, to="alice@example.com", account=None, username="alice"
        ).id


def test_run_until_empty(command: Any, database: Database, settings: Settings, mail_id: int) -> None:
    assert command("run", "--until-empty") == ""
    assert only_job(database).state == JobState.DONE
    assert len(list(settings.mail.directory.iterdir())) == 1


def test_list(command: Any, database: Database, mail_id: int) -> None:
    row = json.loads(command("list", "--json"))
    assert (row["id"], row["name"], row["state"], row["attempts"]) == (mail_id, "send_mail", "queued", 0)
    assert row["run_at"].endswith("+00:00")
    assert f"{mail_id} queued" in command("list")
    assert "send_mail" in command("list")
    assert "sealed" not in command("list", "--json")


def test_retry(command: Any, database: Database, mail_id: int) -> None:
    with database.begin() as session:
        leased = jobs.lease(session, 60)
        assert leased is not None
        jobs.fail(session, leased, "refused", tries=1)
    assert "refused" in command("list")
    command("retry", str(mail_id))
    assert all_jobs(database)[0].state == JobState.QUEUED
    command("run", "--until-empty")
    with pytest.raises(JobNotFound):
        command("retry", str(mail_id))
    assert issubclass(JobNotFound, DomainError)


def test_run_says_when_it_begins_and_ends(
    command: Any, mail_id: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "accountsapp.cli.jobs"):
        command("run", "--until-empty")
    said = [record.getMessage() for record in caplog.records if record.name == "accountsapp.cli.jobs"]
    assert said == ["working off what is due", "stopped: 1 jobs done, 0 tries failed"]


def test_run_says_so_on_standard_error(ini: dict[str, str], tmp_path: Path) -> None:
    ini_file = write_ini(tmp_path / "test.ini", ini)
    program = [sys.executable, "-c", "from accountsapp.cli import main; main()", "-c", str(ini_file)]
    with subprocess.Popen([*program, "jobs", "run"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "working off jobs" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.stderr.read().rstrip().endswith("stopped: 0 jobs done, 0 tries failed")
    assert process.returncode == 0
