"""R15: what a transaction that was rolled back had queued is not done."""

import pytest
import transaction

from accountsapp.db.database import Database
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.settings import Settings
from tests.support.jobs import all_jobs, worker_of


def test_r15_mail_of_a_request_that_failed_is_not_sent(
    database: Database, settings: Settings, keyring: Keyring
) -> None:
    def request_that_fails_after(steps: int) -> None:
        with transaction.manager:
            session = database.request_sessions()
            for step in range(steps):
                to = f"{step}@example.com"
                notices.queue(
                    session, keyring, Notice.API_KEY_RESET, to=to, account=None, unique_key=to, username="x"
                )
            raise ZeroDivisionError

    for steps in range(3):
        with pytest.raises(ZeroDivisionError):
            request_that_fails_after(steps)
    worker_of(database, settings, keyring).run_until_empty()
    assert all_jobs(database) == []
    assert not settings.mail.directory.exists()
