"""``accountsapp secrets``."""

from pathlib import Path

import pytest
from sqlalchemy import update

from accountsapp.domain.credentials import recovery
from accountsapp.domain.data.models import Job, JobState
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.process import Process
from accountsapp.testing.people import SECRET, Person
from tests.cli.conftest import Run, write_ini
from tests.support.jobs import all_jobs
from tests.support.outbox import Outbox

NEW = "n" * 40


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.FAILED])
def test_r22_what_waits_or_was_given_up_is_done_without_the_old_secret(
    run: Run,
    ini: dict[str, str],
    tmp_path: Path,
    stores: Process,
    alice: Person,
    outbox: Outbox,
    state: JobState,
) -> None:
    with stores.transaction() as store:
        recovery.ask(store, alice.email)
        notices.queue(
            store.session,
            store.keyring,
            Notice.PASSWORD_CHANGED,
            to=alice.email,
            account=None,
            username="alice",
        )
        store.session.execute(update(Job).values(state=state))
    both = write_ini(tmp_path / "both.ini", {**ini, "accountsapp.secret": f"{NEW} {SECRET}"})
    assert run("secrets", "rotate", ini=both).json == {
        "api_keys": 1,
        "jwt_keys": 0,
        "mails": 2,
        "unreadable": 0,
    }
    assert run("secrets", "rotate", ini=both).json == {
        "api_keys": 0,
        "jwt_keys": 0,
        "mails": 0,
        "unreadable": 0,
    }
    new = write_ini(tmp_path / "new.ini", {**ini, "accountsapp.secret": NEW})
    for job in all_jobs(stores.database):
        run("jobs", "retry", str(job.id), ini=new)
    run("jobs", "run", "--until-empty", ini=new)
    assert [str(mail["To"]) for mail in outbox.take()] == [alice.email] * 2
