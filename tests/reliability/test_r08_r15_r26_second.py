"""R08, R15, R26 of mailed codes, sessions and jobs: clocks that jump, requests that fail or come twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from webtest import TestApp

from accountsapp.domain import audit
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import sessions, signin
from accountsapp.domain.data.locking import lock
from accountsapp.domain.mailing import links, notices
from accountsapp.domain.mailing.links import Purpose
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie
from tests.support.columns import columns_of
from tests.support.outbox import Outbox

NEW = "a new and better one"


LINK = timedelta(seconds=18000)
MARGIN = timedelta(seconds=30)


@pytest.mark.parametrize("wrong", ["who makes it", "who is shown it"])
@pytest.mark.parametrize("skew", [timedelta(hours=25), timedelta(hours=-25), timedelta(minutes=2)])
def test_r08_nothing_lives_longer_than_it_may(
    bookie: Bookie, app: TestApp, alice: Person, stores: Process, outbox: Outbox, skew: timedelta, wrong: str
) -> None:
    """A code or a session of one clock, looked at by another: it lives as long as it says, give or take what
    lies between them.
    """
    maker, viewer = (skew, timedelta(0)) if wrong == "who makes it" else (timedelta(0), skew)
    made = now()
    with time_machine.travel(made + maker):
        bookie("POST", "/suspend", form={"email": alice.email})
        path = outbox.link_to(alice.email)
        with stores.transaction() as store:
            cookie = signin.sign_in(store, signin.authenticate(store, "alice", PASSWORD))

    def opens() -> bool:
        return app.get(path, expect_errors=True).status_int == 200

    def is_signed_in() -> bool:
        with stores.transaction() as store:
            return sessions.find(store.connection, cookie) is not None

    for works, declared in ((opens, LINK), (is_signed_in, sessions.LIFE_UNUSED)):
        life = declared + maker - viewer
        assert life <= declared + abs(skew)
        for age in (timedelta(0), life - MARGIN, life + MARGIN, declared + abs(skew) + MARGIN):
            with time_machine.travel(made + viewer + max(age, timedelta(0))):
                assert works() is (max(age, timedelta(0)) < life)


@pytest.mark.parametrize("hours", [25, -25])
def test_r08_everything_works_on_a_server_whose_clock_is_wrong(
    bookie: Bookie, app: TestApp, alice: Person, outbox: Outbox, hours: int
) -> None:
    with time_machine.travel(now() + timedelta(hours=hours)):
        bookie("POST", "/alice/account", form={"api_key": alice.api_key, "email": "new@example.com"})
        bookie("POST", "/suspend", form={"email": alice.email})
        mails = {str(mail["To"]): mail for mail in outbox.take()}
        assert set(mails) == {"alice@example.com", "new@example.com"}
    # And when it is put right.
    bookie("POST", "/suspend", form={"email": alice.email})
    code = outbox.code_to(alice.email)
    given = {"username": "alice", "code": code, "password": NEW}
    assert bookie("DELETE", "/suspend", form=given).status_int == 200
    assert len(outbox.take()) == 1


def test_r08_a_jump_back_holds_no_mail_up(bookie: Bookie, alice: Person, outbox: Outbox) -> None:
    with time_machine.travel(now() + timedelta(hours=25)):
        bookie("POST", "/suspend", form={"email": alice.email})
        bookie("POST", "/alice/api_key", form={"api_key": alice.api_key})
    assert [str(mail["To"]) for mail in outbox.take()] == [alice.email] * 2


def test_r08_two_servers_two_minutes_apart(
    make_app: Callable[..., Any], bookie: Bookie, alice: Person, outbox: Outbox
) -> None:
    bookie("POST", "/suspend", form={"email": alice.email})
    path = outbox.link_to(alice.email)
    other = TestApp(make_app())
    for seconds in (-120, 120):
        with time_machine.travel(now() + timedelta(seconds=seconds)):
            assert other.get(path).status_int == 200


def test_r08_the_throttle_does_not_freeze(throttled: TestApp, alice: Person) -> None:
    bookie = Bookie(throttled)

    def ask(number: int) -> int:
        given = {"api_key": alice.api_key, "email": f"n{number}@example.com"}
        return bookie("POST", "/alice/account", form=given).status_int

    with time_machine.travel(now()) as clock:
        assert [ask(number) for number in range(12)][-1] == 429
        clock.shift(timedelta(minutes=61))
        assert ask(99) == 200


@pytest.mark.parametrize("call", ["suspend", "use", "email", "invite"])
def test_r15_a_fault_after_the_mail_was_queued_sends_none(
    make_app: Callable[..., Any],
    register: Callable[..., Person],
    stores: Process,
    outbox: Outbox,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    person = register("person", invite_ct=1)
    with stores.transaction() as store:
        account = lock(store.session, person.id)
        code = links.make(store.session, account, Purpose.RESET, person.email, 600)
    from accountsapp.domain import jobs

    real = jobs.enqueue

    def then_fail(*args: Any, **options: Any) -> Any:
        real(*args, **options)
        raise RuntimeError("a fault after it")

    monkeypatch.setattr(jobs, "enqueue", then_fail)
    assert notices.jobs is jobs
    bookie = Bookie(TestApp(make_app()))
    key = {"api_key": person.api_key}
    calls: dict[str, tuple[str, str, dict[str, str]]] = {
        "suspend": ("POST", "/suspend", {"email": person.email}),
        "use": ("DELETE", "/suspend", {"username": "person", "code": code, "password": NEW}),
        "email": ("POST", "/person/account", {**key, "email": "new@example.com"}),
        "invite": ("POST", "/person/invite", {**key, "email": "friend@example.com"}),
    }
    method, path, form = calls[call]
    answer = bookie(method, path, form=form)
    assert (answer.status_int, list(answer.json)) == (500, ["error"])
    monkeypatch.undo()
    assert outbox.take() == []
    with stores.transaction() as store:
        row = store.reader.by_id(person.id)
        assert row is not None
        assert (row.shown_email, columns_of(store, row.id).invite_ct) == (person.email, 1)
        assert store.reader.by_username("friend@example.com") is None
        assert links.find(store.connection, Purpose.RESET, code) is not None
        assert [e.event for e in audit.listing(store.connection)] == [Event.REGISTERED]
    # And again, without the fault: nothing was used up.
    assert bookie(method, path, form=form).status_int == 200


def test_r15_counts_and_audit_outlive_the_refusal(throttled: TestApp, stores: Process, alice: Person) -> None:
    bookie = Bookie(throttled)
    for _ in range(12):
        form = {"api_key": alice.api_key, "current_password": "wrong one", "new_password": NEW}
        last = bookie("POST", "/alice/password", form=form)
    assert last.status_int == 429
    with stores.transaction() as store:
        events = [row.event for row in audit.listing(store.connection)]
    assert events == [Event.PASSWORD_WRONG] * 10 + [Event.REGISTERED]


def test_r26_sent_twice(
    bookie: Bookie, app: TestApp, register: Callable[..., Person], admin: Person, outbox: Outbox
) -> None:
    person = register("person", invite_ct=5)
    register("victim")
    key, by_admin = {"api_key": person.api_key}, {"api_key": admin.api_key}

    def twice(method: str, path: str, **form: str) -> tuple[list[int], int]:
        statuses = [bookie(method, path, form=form).status_int for _ in range(2)]
        return statuses, len(outbox.take())

    assert twice("POST", "/suspend", email="nobody@example.com") == ([200, 200], 0)
    assert twice("POST", "/person/account", **key, email="new@example.com") == ([200, 200], 2)
    assert twice("POST", "/person/invite", **key, email="friend@example.com") == ([200, 406], 1)
    add = {"username": "added", "email": "added@example.com"}
    assert twice("POST", "/a/users/add", **by_admin, **add) == ([200, 406], 0)
    assert twice("POST", "/a/accounts/invites/victim/3", **by_admin) == ([200, 200], 0)
    assert twice("DELETE", "/a/users/delete/victim", **by_admin) == ([200, 404], 1)
    assert twice("DELETE", "/a/nonactivated", **by_admin) == ([200, 200], 0)
    bookie("POST", "/suspend", form={"email": person.email})
    used = {"username": "person", "code": outbox.code_to(person.email), "password": NEW}
    assert twice("DELETE", "/suspend", **used) == ([200, 403], 1)
