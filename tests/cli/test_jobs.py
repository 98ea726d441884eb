"""``accountsapp jobs``."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from accountsapp.cli.jobs import group
from accountsapp.db import Database
from accountsapp.domain import jobs
from accountsapp.domain.data.models import JobState
from accountsapp.domain.errors import DomainError
from accountsapp.domain.jobs import JobNotFound
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.settings import Settings
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
