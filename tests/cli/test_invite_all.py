"""``accounts invite-all``: everybody without a password is mailed a link once, slowly."""

import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, update
from webtest import TestApp

from accountsapp.domain.accounts import password_invitations
from accountsapp.domain.data.models import Job
from accountsapp.domain.data.moved_models import PasswordInvitation
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD
from tests.cli.conftest import Load, Run
from tests.cli.test_import import HASH
from tests.support.outbox import Outbox, path_in

FAST = "1000000"
"""An hour: what is queued is due at once."""


def account(name: str, **fields: Any) -> dict[str, Any]:
    return {"username": name, "email": f"{name}@example.com", **fields}


@pytest.fixture
def outbox(stores: Process) -> Outbox:
    return Outbox(stores)


def take(outbox: Outbox) -> list[EmailMessage]:
    """The mails, once those that were queued at :data:`FAST` are due: they are some milliseconds apart."""
    time.sleep(0.03)
    return outbox.take()


def recipients(outbox: Outbox) -> list[str]:
    return sorted(str(message["To"]) for message in take(outbox))


def due(stores: Process) -> list[datetime]:
    with stores.transaction() as store:
        rows = store.session.scalars(select(Job.run_at).where(Job.name == password_invitations.INVITE))
        return sorted(rows)


def test_everybody_without_a_password_is_mailed_once(
    run: Run, load: Load, app: TestApp, stores: Process, outbox: Outbox
) -> None:
    load(
        account("ann"),
        account("bob", password_hash=HASH),
        account("carl", activated=False),
        account("dora", activated=False, last_login="2020-01-01"),
        account("emil", email="emil@nowhere.invalid"),
    )
    ran = run("accounts", "invite-all", "--per-hour", FAST, "--json").json
    assert ran["queued"] == 2
    mails = {str(message["To"]): message for message in take(outbox)}
    assert sorted(mails) == ["ann@example.com", "carl@example.com"]
    assert run("accounts", "invite-all", "--per-hour", FAST).out == "0 mails queued\n"
    assert take(outbox) == []

    path = path_in(mails["ann@example.com"])
    assert path.startswith("/recovery/ann/reset/")
    form = next(iter(app.get(path).forms.values()))
    form["new_password"] = PASSWORD
    form.submit()
    take(outbox)
    app.authorization = ("Basic", ("ann", PASSWORD))
    app.get("/api/v1.1/users/ann/")

    run("accounts", "invite-all", "--again", "--per-hour", FAST)
    assert recipients(outbox) == []
    with stores.transaction() as store:
        long_ago = datetime.now(UTC) - timedelta(days=8)
        store.session.execute(update(PasswordInvitation).values(sent=long_ago))
    run("accounts", "invite-all", "--again", "--per-hour", FAST)
    assert recipients(outbox) == ["carl@example.com"]


def test_slowly_and_from_where_it_ended(
    run: Run, load: Load, stores: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(*(account(f"user{number}") for number in range(6)))
    monkeypatch.setattr(password_invitations, "ACCOUNTS_AT_ONCE", 2)
    read = password_invitations._accounts_without
    calls: list[int] = []

    def fail_the_third(connection: Any, after: int, *, again: bool) -> list[tuple[int, str]]:
        calls.append(after)
        if len(calls) == 3:
            raise OSError(5, "the machine fails", "a file")
        return read(connection, after, again=again)

    monkeypatch.setattr(password_invitations, "_accounts_without", fail_the_third)
    run("accounts", "invite-all", "--per-hour", "60", exit_code=1)
    assert len(due(stores)) == 4
    ran = run("accounts", "invite-all", "--per-hour", "60", "--json").json
    moments = due(stores)
    assert (ran["queued"], len(moments)) == (2, 6)
    for one, other in pairwise(moments):
        assert 30 < (other - one).total_seconds() < 120  # the clock goes on between two of them
    assert abs((moments[-1] - datetime.fromisoformat(ran["last"])).total_seconds()) < 30


def test_who_has_a_password_or_is_gone_by_then_is_not_mailed(
    run: Run, load: Load, outbox: Outbox, stores: Process
) -> None:
    load(account("ann"), account("bob"), account("carl"), account("dora"))
    run("accounts", "invite-all", "--per-hour", FAST)
    load({"username": "ann", "password_hash": HASH}, update=True)
    run("accounts", "delete", "bob", "--yes")
    run("accounts", "deactivate", "carl")
    mails = [message for message in take(outbox) if "/recovery/" in str(message.get_body(("plain",)))]
    assert [str(message["To"]) for message in mails] == ["dora@example.com"]
    with stores.transaction() as store:
        assert len(store.session.scalars(select(PasswordInvitation)).all()) == 1
