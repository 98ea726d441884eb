"""Bookie 2.3: invitations."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import update
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.data.reads import sealed_api_key
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.bookie import Bookie
from tests.support.columns import columns_of
from tests.support.concurrently import served_by
from tests.support.outbox import Outbox, links_in, text_of

NONE_LEFT = "You have no invites left at this time."


@pytest.fixture
def inviter(register: Callable[..., Person]) -> Person:
    return register("inviter", invite_ct=2)


def left(stores: Process, person: Person) -> int:
    with stores.transaction() as store:
        return columns_of(store, person.id).invite_ct


@pytest.mark.parametrize("how", ["query", "form", "json"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_invite(
    bookie: Bookie, inviter: Person, stores: Process, outbox: Outbox, how: str, slash: str
) -> None:
    started = now() - timedelta(seconds=2)
    answer = bookie(
        "POST", f"/inviter/invite{slash}", **{how: {"api_key": inviter.api_key, "email": " New@Example.com "}}
    )
    assert (answer.status_int, answer.json) == (200, {"message": "You have invited: new@example.com"})
    assert left(stores, inviter) == 1
    with stores.transaction() as store:
        row = store.reader.by_username("new@example.com")
        assert row is not None
        assert (row.username, row.email, row.state) == (
            "new@example.com",
            "new@example.com",
            AccountState.PENDING,
        )
        columns = columns_of(store, row.id)
        assert (columns.invited_by, row.email_verified) == ("inviter", False)
        assert sealed_api_key(store.connection, row.id)
        assert columns.signup is not None
        assert started <= columns.signup <= now()
        assert store.reader.password_hash(row.id) is None
    (message,) = outbox.take()
    assert message["To"] == "new@example.com"
    assert "inviter" in str(message["Subject"])
    assert "inviter" in text_of(message)
    (link,) = links_in(message)
    assert "/recovery/new%40example.com/reset/" in link


def test_an_invited_person_sets_a_password_and_a_name(
    bookie: Bookie, inviter: Person, outbox: Outbox, app: TestApp
) -> None:
    bookie("POST", "/inviter/invite", json={"api_key": inviter.api_key, "email": "new@example.com"})
    path = outbox.link_to("new@example.com")
    form = app.get(path).form
    form["new_username"], form["new_password"] = "neo", "a good long one"
    assert form.submit().status_int == 200
    outbox.take()
    again = bookie("POST", "/suspend", form={"email": "new@example.com"})
    assert again.status_int == 200
    assert "/recovery/neo/reset/" in links_in(outbox.to("new@example.com"))[0]


@pytest.mark.parametrize("lose", [lifecycle.deactivate, lifecycle.delete])
def test_an_invitation_outlives_its_inviter(
    bookie: Bookie,
    inviter: Person,
    stores: Process,
    outbox: Outbox,
    app: TestApp,
    lose: Callable[[Store, int], object],
) -> None:
    bookie("POST", "/inviter/invite", json={"api_key": inviter.api_key, "email": "new@example.com"})
    form = app.get(outbox.link_to("new@example.com")).form
    with stores.transaction() as store:
        lose(store, inviter.id)
    form["new_username"], form["new_password"] = "neo", "a good long one"
    assert form.submit().status_int == 200


def test_the_code_works_three_days(bookie: Bookie, inviter: Person, outbox: Outbox, app: TestApp) -> None:
    bookie("POST", "/inviter/invite", json={"api_key": inviter.api_key, "email": "new@example.com"})
    path = outbox.link_to("new@example.com")
    life = timedelta(days=3)
    with time_machine.travel(now() + life - timedelta(seconds=30)):
        assert app.get(path).status_int == 200
    with time_machine.travel(now() + life + timedelta(seconds=30)):
        assert app.get(path, expect_errors=True).status_int == 404


def test_no_invites_left_is_looked_at_first(
    bookie: Bookie, alice: Person, bob: Person, outbox: Outbox
) -> None:
    bodies = set()
    for email in ("new@example.com", bob.email, "malformed", "", None):
        answer = bookie("POST", "/alice/invite", json={"api_key": alice.api_key, "email": email})
        bodies.add((answer.status_int, answer.body))
        assert answer.json == {"username": "alice", "error": NONE_LEFT}
    assert len(bodies) == 1
    assert outbox.take() == []


def test_addresses_that_cannot_be_invited(
    bookie: Bookie, inviter: Person, bob: Person, register: Callable[..., Person], stores: Process
) -> None:
    register("named@example.com", "elsewhere@example.com")
    taken = [bob.email, bob.email.upper(), inviter.email, "named@example.com"]
    for email in (None, "", "x", "a@b@c", "a b@c", "x/y@example.com", "a@b\r\nBcc: c@d", 5, [], *taken):
        given = {"api_key": inviter.api_key} | ({} if email is None else {"email": email})
        answer = bookie("POST", "/inviter/invite", json=given)
        assert answer.status_int == 406, email
        assert set(answer.json) == {"username", "error"}
        assert answer.json["username"] == "inviter"
        assert "bob" not in answer.json["error"]
    assert left(stores, inviter) == 2


def test_with_registration_closed(make_app: Callable[..., Any], inviter: Person) -> None:
    bookie = Bookie(TestApp(make_app(**{"accountsapp.registration": "closed"})))
    answer = bookie("POST", "/inviter/invite", form={"api_key": inviter.api_key, "email": "n@example.com"})
    assert answer.status_int == 200


def test_who_may_not(bookie: Bookie, inviter: Person, admin: Person) -> None:
    for query in ({}, {"api_key": "wrong"}, {"api_key": admin.api_key}):
        answer = bookie("POST", "/inviter/invite", query=query, form={"email": "n@example.com"})
        assert (answer.status_int, answer.json) == (403, {"error": "Not authorized for request."})
    answer = bookie("GET", "/inviter/invite", query={"api_key": inviter.api_key, "email": "n@example.com"})
    assert (answer.status_int, answer.headers["Allow"]) == (405, "OPTIONS, POST")
    assert bookie("OPTIONS", "/nobody/invite/").headers["Allow"] == "OPTIONS, POST"
    for path in ("/inviter/invite/x", "/inviter/Invite"):
        assert bookie("POST", path, form={"api_key": inviter.api_key}).status_int == 404


def test_as_api_js_sends_it(bookie: Bookie, inviter: Person) -> None:
    given = {"api_key": inviter.api_key, "username": "Inviter", "email": "n@example.com"}
    assert bookie("POST", "/inviter/invite", json=given).status_int == 200
    given["username"] = "other"
    assert bookie("POST", "/inviter/invite", json=given).status_int == 403


def test_sent_twice_costs_one(bookie: Bookie, inviter: Person, stores: Process, outbox: Outbox) -> None:
    given = {"api_key": inviter.api_key, "email": "n@example.com"}
    answers = [bookie("POST", "/inviter/invite", json=given).status_int for _ in range(2)]
    assert answers == [200, 406]
    assert left(stores, inviter) == 1
    assert len(outbox.take()) == 1


def test_jsonp(bookie: Bookie, inviter: Person, stores: Process) -> None:
    given = {"api_key": inviter.api_key, "email": "n@example.com"}
    assert bookie("POST", "/inviter/invite", query={"callback": "f;"}, json=given).status_int == 400
    assert left(stores, inviter) == 2
    answer = bookie("POST", "/inviter/invite", query={"callback": "f"}, json=given)
    assert answer.text == '/**/f({"message": "You have invited: n@example.com"});'


def test_fifty_at_once_with_one_left(
    bookie: Bookie, inviter: Person, stores: Process, outbox: Outbox
) -> None:
    with stores.transaction() as store:
        store.session.execute(update(Account).where(Account.id == inviter.id).values(invite_ct=1))

    def invite(number: int) -> int:
        given = {"api_key": inviter.api_key, "email": f"n{number}@example.com"}
        return bookie("POST", "/inviter/invite", json=given).status_int

    with served_by(50), ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(invite, range(50)))
    assert sorted(statuses) == [200] + [406] * 49
    assert left(stores, inviter) == 0
    assert len(outbox.take()) == 1
