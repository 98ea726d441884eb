"""``/metrics``: what this process counted, and what the database has."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain import jobs
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Job, JobState
from accountsapp.testing.people import Person

LINE = re.compile(r"^(accountsapp_\w+)(?:\{(.*)\})? (\S+)$", re.M)


def figures(app: TestApp) -> dict[str, float]:
    """Name with labels to value."""
    answer = app.get("/metrics", extra_environ={"REMOTE_ADDR": "127.0.0.1"})
    return {
        f"{name}{{{labels}}}" if labels else name: float(value)
        for name, labels, value in LINE.findall(answer.text)
    }


def change(app: TestApp, act: Callable[[], Any]) -> dict[str, float]:
    """By how much each figure is larger afterwards."""
    before = figures(app)
    act()
    after = figures(app)
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def test_requests_by_api_view_and_status(app: TestApp, alice: Person) -> None:
    def act() -> None:
        app.get("/api/v1/alice/account", {"api_key": alice.api_key})
        app.get("/api/v1/alice/account", {"api_key": alice.api_key})
        app.get("/api/v1/alice/api_key", status=403)
        app.get("/healthz")
        app.get("/secret-of-mine", status=404)

    counted = {
        name: by
        for name, by in change(app, act).items()
        if name.startswith("accountsapp_requests_total") and by and "metrics" not in name
    }
    assert counted == {
        'accountsapp_requests_total{api="bookie",method="GET",status="200",view="BookieProfile/"}': 2,
        'accountsapp_requests_total{api="bookie",method="GET",status="403",view="BookieAccount/api_key"}': 1,
        'accountsapp_requests_total{api="web",method="GET",status="200",view="Root/healthz"}': 1,
        'accountsapp_requests_total{api="web",method="GET",status="404",view="Root/-"}': 1,
    }


def test_sign_ins_and_limits(throttled: TestApp, alice: Person) -> None:
    def sign_in(password: str) -> None:
        throttled.authorization = ("Basic", ("alice", password))
        throttled.get("/api/v1.1/users/alice/", expect_errors=True)
        throttled.authorization = None

    def act() -> None:
        sign_in(alice.password)
        for number in range(12):
            sign_in(f"guess {number}")

    by = change(throttled, act)
    assert by['accountsapp_sign_ins_total{outcome="accepted"}'] == 1
    assert by['accountsapp_sign_ins_total{outcome="refused"}'] == 10
    assert by['accountsapp_sign_ins_total{outcome="throttled"}'] == 2
    assert by['accountsapp_throttled_total{limit="password"}'] == 2


def test_jobs(app: TestApp, database: Database) -> None:
    assert figures(app)["accountsapp_oldest_job_seconds"] == 0
    with database.begin() as session:
        jobs.enqueue(session, "send_mail", {}, run_at=now() - timedelta(seconds=500))
        jobs.enqueue(session, "send_mail", {}, run_at=now() + timedelta(days=1))
        jobs.enqueue(session, "clear", {}, run_at=now() + timedelta(days=1))
        session.flush()
        session.query(Job).filter_by(name="clear").update({"state": JobState.FAILED})
    shown = figures(app)
    assert shown['accountsapp_jobs{name="send_mail",state="queued"}'] == 2
    assert shown['accountsapp_jobs{name="clear",state="failed"}'] == 1
    assert 500 <= shown["accountsapp_oldest_job_seconds"] < 560
    assert (shown["accountsapp_database_up"], shown["accountsapp_writable"]) == (1, 1)


def test_a_database_in_trouble(app: TestApp, database: Database) -> None:
    database.writing.met("the disk is full (TEST)")
    shown = figures(app)
    assert (shown["accountsapp_database_up"], shown["accountsapp_writable"]) == (1, 0)
    database.writing.over()
    with database.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'another'"))
    shown = figures(app)
    assert (shown["accountsapp_database_up"], shown["accountsapp_writable"]) == (0, 0)
    assert (
        "accountsapp_requests_total" in app.get("/metrics", extra_environ={"REMOTE_ADDR": "127.0.0.1"}).text
    )
    with database.begin() as session:
        session.execute(text("DELETE FROM alembic_version"))


def test_every_figure_is_documented(app: TestApp) -> None:
    from tests.test_docs import ROOT

    page = (ROOT / "docs/watching.rst").read_text("utf-8")
    text_of_all = app.get("/metrics", extra_environ={"REMOTE_ADDR": "127.0.0.1"}).text
    names = set(re.findall(r"^# HELP (accountsapp_\w+) ", text_of_all, re.M))
    assert len(names) >= 8
    assert [name for name in sorted(names) if name not in page and not name.endswith("_created")] == []
