"""S18: mails to strangers end, whoever causes them and by whichever API; so do rows of refusals."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain import audit
from accountsapp.domain.accounts import administration
from accountsapp.process import Process
from accountsapp.testing.oauth import basic, mails
from accountsapp.testing.people import Person
from tests.support.front_end import FrontEnd

BY_ACCOUNT, BY_CLIENT = 20, 30

Act = Callable[[TestApp, Person, str, dict[str, str]], Any]


def prove(app: TestApp, person: Person, address: str, environ: dict[str, str]) -> Any:
    given = {"headers": basic(person.username), "extra_environ": environ}
    path = f"/api/v1.1/users/{person.username}/emails/"
    app.post_json(path, {"email": address}, status=201, **given)
    asked = {"email": address, "verified": True}
    answer = app.patch_json(path, asked, expect_errors=True, **given)
    app.delete_json(path, {"email": address}, status=204, **given)
    return answer


def invite(app: TestApp, person: Person, address: str, environ: dict[str, str]) -> Any:
    given = {"api_key": person.api_key, "email": address}
    path = f"/api/v1/{person.username}/invite"
    return app.post_json(path, given, expect_errors=True, extra_environ=environ)


def change(app: TestApp, person: Person, address: str, environ: dict[str, str]) -> Any:
    given = {"api_key": person.api_key, "email": address}
    path = f"/api/v1/{person.username}/account"
    return app.post_json(path, given, expect_errors=True, extra_environ=environ)


ACTS: dict[str, Act] = {"prove": prove, "invite": invite}
MAILS = {"verify_email", "invitation", "confirm_email", "confirm_registration"}
GOOD = "correct horse battery"


def mailed(stores: Process) -> int:
    """To strangers."""
    return sum(notice in MAILS for notice, _to, _context in mails(stores))


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_s18_an_account(
    throttled: TestApp, stores: Process, register: Callable[..., Person], act: Act
) -> None:
    person, other = register("eve", invite_ct=100), register("carol", invite_ct=100)
    answers = [
        act(throttled, person, f"s{n}@example.org", {"REMOTE_ADDR": f"192.0.2.{n % 9}"}) for n in range(25)
    ]
    assert mailed(stores) == BY_ACCOUNT
    assert [answer.status_int for answer in answers[BY_ACCOUNT:]] == [429] * 5
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert act(throttled, other, "last@example.org", {"REMOTE_ADDR": "192.0.2.1"}).status_int != 429


def test_s18_a_client(throttled: TestApp, stores: Process, register: Callable[..., Person]) -> None:
    people = [register(f"eve{n}", invite_ct=100) for n in range(6)]
    acts = (prove, invite, change)
    statuses = [
        acts[n % 3](
            throttled, people[n % 6], f"s{n}@example.org", {"REMOTE_ADDR": f"2001:db8::{n:x}"}
        ).status_int
        for n in range(45)
    ]
    assert statuses[BY_CLIENT:] == [429] * 15
    assert 429 not in statuses[:BY_CLIENT]
    assert change(throttled, people[0], "last@example.org", {"REMOTE_ADDR": "2001:db8:1::"}).status_int == 200


def test_s18_a_client_without_an_account(make_app: Callable[..., Any], stores: Process, bob: Person) -> None:
    """Who registers mails strangers, too, where their addresses are confirmed first."""
    wsgi = make_app(**{"accountsapp.rate_limit": "true", "accountsapp.registration": "confirm"})
    app, environ = TestApp(wsgi), {"REMOTE_ADDR": "127.0.0.1"}
    with stores.transaction() as store:
        administration.set_invites(store, bob.id, 100)
    for number in range(15):
        assert invite(app, bob, f"s{number}@example.org", environ).status_int == 200
    for number in range(20):
        filled = {"fullname": "Eve Evil", "name": f"eve{number}", "email_addr": f"eve{number}@example.org"}
        page = FrontEnd(wsgi)
        page.post("/account/register", 200 if number < 15 else 429, **filled, password=GOOD, confirm=GOOD)
    assert mailed(stores) == BY_CLIENT
    assert invite(app, bob, "last@example.org", environ).status_int == 429


def test_s18_ones_own_address_that_was_never_proved(
    throttled: TestApp, stores: Process, register: Callable[..., Person]
) -> None:
    """It may be a stranger's. What one does goes on, and the mails about it end."""
    person, proved = register("eve", verified=False), register("carol")
    for owner in (person, proved):
        key = owner.api_key
        for number in range(25):
            environ = {"REMOTE_ADDR": f"192.0.2.{number % 9}"}
            path = f"/api/v1/{owner.username}/api_key"
            key = throttled.post_json(path, {"api_key": key}, extra_environ=environ).json["api_key"]
    told = [to for _notice, to, _context in mails(stores)]
    assert (told.count(person.email), told.count(proved.email)) == (BY_ACCOUNT, 25)


def test_s18_what_is_refused_does_not_count(
    throttled: TestApp, stores: Process, register: Callable[..., Person]
) -> None:
    eve, bob = register("eve", invite_ct=1), register("bob")
    environ = {"REMOTE_ADDR": "192.0.2.1"}
    statuses = [invite(throttled, eve, bob.email, environ).status_int for _ in range(25)]
    assert statuses == [406] * 25
    assert invite(throttled, eve, "new@example.org", environ).status_int == 200


def test_s18_without_limits(app: TestApp, stores: Process, register: Callable[..., Person]) -> None:
    eve = register("eve", invite_ct=100)
    for number in range(35):
        assert invite(app, eve, f"s{number}@example.org", {}).status_int == 200


@pytest.mark.parametrize("limited", [True, False])
def test_s18_refusals_end_in_one_row(
    make_app: Callable[..., Any], stores: Process, alice: Person, bob: Person, limited: bool
) -> None:
    app = TestApp(make_app(**{"accountsapp.rate_limit": str(limited).lower()}))
    for number in range(57):
        path = (f"/api/v1/nobody{number}/account", "/api/v1/bob/api_key", "/api/v1/a/users/list")[number % 3]
        app.get(path, {"api_key": alice.api_key}, status=403)
    app.get("/api/v1/alice/account", {"api_key": bob.api_key}, status=403)
    with stores.transaction() as store:
        rows = [(row.event, row.actor, row.detail) for row in audit.listing(store.connection)]
    of_alice = [(event, detail) for event, actor, detail in rows if actor == "alice"]
    assert [event for event, _ in of_alice].count(audit.Event.REFUSED) == 20
    assert of_alice[0] == (audit.Event.REFUSED_AGAIN, {"times": 37})
    assert len([row for row in rows if row[1] == "bob" and row[0] == audit.Event.REFUSED]) == 1
