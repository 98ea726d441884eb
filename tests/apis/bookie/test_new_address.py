"""S22, Bookie 1.9: a new e-mail address, shown at once, in force after its confirmation."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import EmailAddress
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.bookie import Bookie
from tests.support.outbox import Outbox, links_in, outline, text_of

ASKED = "accounts.example.org: a new address was asked for"
CONFIRM = "accounts.example.org: confirm your new address"
CHANGED = "accounts.example.org: your address was changed"


def ask(bookie: Bookie, person: Person, email: str) -> str:
    """Ask for the address; the one that is shown then."""
    given = {"api_key": person.api_key, "email": email}
    answer = bookie("POST", f"/{person.username}/account", form=given)
    assert answer.status_int == 200
    shown: str = answer.json["email"]
    return shown


def shown(bookie: Bookie, person: Person) -> str:
    answer = bookie("GET", f"/{person.username}/account", query={"api_key": person.api_key})
    email: str = answer.json["email"]
    return email


def addresses(stores: Process, person: Person) -> list[tuple[str, bool, bool]]:
    with stores.transaction() as store:
        mine = select(EmailAddress).where(EmailAddress.account_id == person.id)
        return [(email.address, email.primary, email.verified) for email in store.session.scalars(mine)]


def link_in_mail_to(outbox: Outbox, address: str) -> str:
    path = outbox.link_to(address)
    assert path.startswith("/confirm/email/")
    return path


def confirm(app: TestApp, path: str) -> int:
    """Open the page and press its button; the status of whichever fails, else of the latter."""
    opened = app.get(path, expect_errors=True)
    if opened.status_int != 200:
        return opened.status_int
    assert len(opened.forms) == 1
    return opened.form.submit(expect_errors=True).status_int


def test_s22_asked_for_and_confirmed(
    bookie: Bookie, app: TestApp, alice: Person, stores: Process, outbox: Outbox
) -> None:
    assert ask(bookie, alice, " New@Example.com ") == "new@example.com"
    assert shown(bookie, alice) == "new@example.com"
    assert addresses(stores, alice) == [("alice@example.com", True, True)]
    mails = outbox.take()
    assert outline(mails) == [("alice@example.com", ASKED), ("new@example.com", CONFIRM)]
    by_reader = {str(mail["To"]): mail for mail in mails}
    assert links_in(by_reader["alice@example.com"]) == []
    assert "new@example.com" in text_of(by_reader["alice@example.com"])
    (link,) = links_in(by_reader["new@example.com"])
    assert link.startswith(f"{SITE_URL}/confirm/email/")

    path = link.removeprefix(SITE_URL)
    for method in ("get", "head", "get"):  # mail scanners open links
        assert getattr(app, method)(path).status_int == 200
    assert addresses(stores, alice) == [("alice@example.com", True, True)]
    assert confirm(app, path) == 200
    assert addresses(stores, alice) == [("new@example.com", True, True)]
    assert shown(bookie, alice) == "new@example.com"
    assert outline(outbox.take()) == [("alice@example.com", CHANGED), ("new@example.com", CHANGED)]
    assert confirm(app, path) == 404
    assert app.post(path, expect_errors=True).status_int == 404
    assert outbox.take() == []


def test_s22_recovery_goes_on_with_the_old_one(bookie: Bookie, alice: Person, outbox: Outbox) -> None:
    ask(bookie, alice, "new@example.com")
    outbox.take()
    for email in ("new@example.com", "alice@example.com"):
        bookie("POST", "/suspend", form={"email": email})
    assert [str(mail["To"]) for mail in outbox.take()] == ["alice@example.com"]


def test_s22_codes_to_the_old_address_are_void_after_it(
    bookie: Bookie, app: TestApp, alice: Person, outbox: Outbox
) -> None:
    ask(bookie, alice, "new@example.com")
    path = link_in_mail_to(outbox, "new@example.com")
    bookie("POST", "/suspend", form={"email": alice.email})
    reset = outbox.link_to(alice.email)
    assert app.get(reset).status_int == 200
    assert confirm(app, path) == 200
    assert app.get(reset, expect_errors=True).status_int == 404


def test_s22_an_address_that_another_account_has(
    bookie: Bookie,
    app: TestApp,
    alice: Person,
    bob: Person,
    outbox: Outbox,
    snapshot: Callable[[], Any],
) -> None:
    before = snapshot()
    taken = bookie("POST", "/alice/account", form={"api_key": alice.api_key, "email": "BOB@example.com"})
    assert (taken.status_int, taken.json["email"]) == (200, "bob@example.com")
    assert outline(outbox.take()) == [("alice@example.com", ASKED)]
    assert [row for row in snapshot()["account"] if row[0] == bob.id] == [
        row for row in before["account"] if row[0] == bob.id
    ]
    free = bookie("POST", "/alice/account", form={"api_key": alice.api_key, "email": "free@example.com"})
    assert set(free.json) == set(taken.json)
    assert {k: v for k, v in free.json.items() if k != "email"} == {
        k: v for k, v in taken.json.items() if k != "email"
    }


@pytest.mark.parametrize("again", ["alice@example.com", "ALICE@Example.Com", " alice@example.com "])
def test_the_address_it_has_changes_nothing(
    bookie: Bookie, alice: Person, outbox: Outbox, snapshot: Callable[[], Any], again: str
) -> None:
    before = snapshot()
    assert ask(bookie, alice, again) == "alice@example.com"
    assert snapshot()["email_address"] == before["email_address"]
    assert outbox.jobs() == 0


def test_the_pending_address_again_changes_nothing(
    bookie: Bookie, app: TestApp, alice: Person, outbox: Outbox
) -> None:
    ask(bookie, alice, "new@example.com")
    path = link_in_mail_to(outbox, "new@example.com")
    given = {"api_key": alice.api_key, "email": "NEW@example.com", "name": "Alice L."}
    answer = bookie("POST", "/alice/account", json=given)  # as the web UI saves: name and address
    assert (answer.json["email"], answer.json["name"]) == ("new@example.com", "Alice L.")
    assert outbox.take() == []
    assert confirm(app, path) == 200


def test_s22_back_to_the_old_one(bookie: Bookie, app: TestApp, alice: Person, outbox: Outbox) -> None:
    ask(bookie, alice, "new@example.com")
    path = link_in_mail_to(outbox, "new@example.com")
    assert ask(bookie, alice, "Alice@example.com") == "alice@example.com"
    assert outbox.take() == []
    assert confirm(app, path) == 404
    assert shown(bookie, alice) == "alice@example.com"


def test_a_newer_one_replaces_it(bookie: Bookie, app: TestApp, alice: Person, outbox: Outbox) -> None:
    ask(bookie, alice, "first@example.com")
    first = link_in_mail_to(outbox, "first@example.com")
    ask(bookie, alice, "second@example.com")
    second = link_in_mail_to(outbox, "second@example.com")
    assert confirm(app, first) == 404
    assert shown(bookie, alice) == "second@example.com"
    assert confirm(app, second) == 200


def test_a_taken_address_replaces_it_too(
    bookie: Bookie, app: TestApp, alice: Person, bob: Person, outbox: Outbox
) -> None:
    ask(bookie, alice, "first@example.com")
    first = link_in_mail_to(outbox, "first@example.com")
    ask(bookie, alice, bob.email)
    assert confirm(app, first) == 404


@pytest.mark.parametrize("ending", ["password", "deactivated", "reset", "deleted"])
def test_what_ends_the_pending_one(
    bookie: Bookie, app: TestApp, alice: Person, outbox: Outbox, stores: Process, ending: str
) -> None:
    ask(bookie, alice, "new@example.com")
    path = link_in_mail_to(outbox, "new@example.com")
    if ending == "password":
        given = {"api_key": alice.api_key, "current_password": PASSWORD, "new_password": "another one 1"}
        assert bookie("POST", "/alice/password", form=given).status_int == 200
    elif ending == "reset":
        bookie("POST", "/suspend", form={"email": alice.email})
        given = {"username": "alice", "code": outbox.code_to(alice.email), "password": "another one 1"}
        assert bookie("DELETE", "/suspend", form=given).status_int == 200
    else:
        with stores.transaction() as store:
            if ending == "deleted":
                lifecycle.delete(store, alice.id)
            else:
                lifecycle.deactivate(store, alice.id)
                lifecycle.activate(store, alice.id)
    assert confirm(app, path) == 404
    assert app.post(path, expect_errors=True).status_int == 404
    if ending != "deleted":
        assert shown(bookie, alice) == alice.email


def test_what_does_not_end_it(bookie: Bookie, app: TestApp, alice: Person, outbox: Outbox) -> None:
    ask(bookie, alice, "new@example.com")
    path = link_in_mail_to(outbox, "new@example.com")
    bookie("POST", "/alice/account", form={"api_key": alice.api_key, "name": "Other"})
    assert bookie("POST", "/alice/api_key", form={"api_key": alice.api_key}).status_int == 200
    assert confirm(app, path) == 200


def test_it_expires(bookie: Bookie, app: TestApp, alice: Person, outbox: Outbox) -> None:
    ask(bookie, alice, "new@example.com")
    path = link_in_mail_to(outbox, "new@example.com")
    started = now()
    with time_machine.travel(started + timedelta(seconds=17990)):
        assert app.get(path).status_int == 200
        assert shown(bookie, alice) == "new@example.com"
    with time_machine.travel(started + timedelta(seconds=18001)):
        assert confirm(app, path) == 404
        assert app.post(path, expect_errors=True).status_int == 404
        assert shown(bookie, alice) == "alice@example.com"
        assert ask(bookie, alice, "new@example.com") == "new@example.com"
        assert confirm(app, link_in_mail_to(outbox, "new@example.com")) == 200


@pytest.mark.parametrize("how", ["registered", "invited", "added", "confirmed"])
def test_taken_by_somebody_meanwhile(
    bookie: Bookie,
    app: TestApp,
    alice: Person,
    bob: Person,
    admin: Person,
    register: Callable[..., Person],
    outbox: Outbox,
    how: str,
) -> None:
    ask(bookie, alice, "new@example.com")
    path = link_in_mail_to(outbox, "new@example.com")
    if how == "registered":
        register("fast", "NEW@example.com")
    elif how == "invited":
        inviter = register("inviter", invite_ct=1)
        given = {"api_key": inviter.api_key, "email": "new@example.com"}
        assert bookie("POST", "/inviter/invite", form=given).status_int == 200
    elif how == "added":
        given = {"api_key": admin.api_key, "username": "fast", "email": "new@example.com"}
        assert bookie("POST", "/a/users/add", form=given).status_int == 200
    else:
        ask(bookie, bob, "new@example.com")
        assert confirm(app, link_in_mail_to(outbox, "new@example.com")) == 200
    assert confirm(app, path) == 404
    assert app.post(path, expect_errors=True).status_int == 404
    assert shown(bookie, alice) == "alice@example.com"


def test_several_confirm_one_free_address_at_once(
    bookie: Bookie, app: TestApp, register: Callable[..., Person], outbox: Outbox, stores: Process
) -> None:
    people = [register(f"user{number}") for number in range(12)]
    paths = []
    for person in people:
        assert ask(bookie, person, "wanted@example.com") == "wanted@example.com"
        paths.append(link_in_mail_to(outbox, "wanted@example.com"))
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda path: app.post(path, expect_errors=True).status_int, paths))
    assert sorted(statuses) == [200] + [404] * 11
    winner = people[statuses.index(200)]
    for person in people:
        expected = "wanted@example.com" if person is winner else person.email
        assert shown(bookie, person) == expected
    assert len(outbox.take()) == 2


def test_an_own_unproved_further_address_becomes_the_primary(
    bookie: Bookie, app: TestApp, alice: Person, bob: Person, outbox: Outbox, stores: Process
) -> None:
    for person in (alice, bob):
        with stores.transaction() as store:
            store.session.add(
                EmailAddress(
                    account_id=person.id, address="second@example.com", address_key="second@example.com"
                )
            )
    ask(bookie, alice, "second@example.com")
    assert confirm(app, link_in_mail_to(outbox, "second@example.com")) == 200
    assert addresses(stores, alice) == [("second@example.com", True, True)]
    assert addresses(stores, bob) == [("bob@example.com", True, True)]


def test_flood(throttled: TestApp, alice: Person, bob: Person, outbox: Outbox) -> None:
    bookie = Bookie(throttled)
    statuses = []
    for number in range(12):
        given = {"api_key": alice.api_key, "email": f"new{number}@example.com"}
        answer = bookie("POST", "/alice/account", form=given)
        statuses.append(answer.status_int)
    assert statuses == [200] * 10 + [429] * 2
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["error"]
    # The name goes on, and so do others.
    name = bookie("POST", "/alice/account", form={"api_key": alice.api_key, "name": "A"})
    assert (name.status_int, name.json["email"]) == (200, "new9@example.com")
    assert ask(bookie, bob, "b2@example.com") == "b2@example.com"
    # Saving what is shown is no request for a change.
    assert ask(bookie, alice, "new9@example.com") == "new9@example.com"


def test_a_refused_name_asks_for_no_address(bookie: Bookie, alice: Person, outbox: Outbox) -> None:
    given = {"api_key": alice.api_key, "email": "new@example.com", "name": "x" * 256}
    assert bookie("POST", "/alice/account", form=given).status_int == 406
    assert outbox.jobs() == 0
    assert shown(bookie, alice) == alice.email


def test_works_whichever_apis_are_mounted(
    make_app: Callable[..., Any], bookie: Bookie, alice: Person, outbox: Outbox
) -> None:
    ask(bookie, alice, "new@example.com")
    path = link_in_mail_to(outbox, "new@example.com")
    assert confirm(TestApp(make_app(**{"accountsapp.apis": "amo"})), path) == 200
