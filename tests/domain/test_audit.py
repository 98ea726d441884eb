"""S43: one row per event, by the right actor, without a secret, there although the request was refused."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from webtest import TestApp

from accountsapp.domain import audit
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.audit import AuditRow, Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import signin
from accountsapp.domain.errors import WrongPassword
from accountsapp.process import Process
from accountsapp.testing.credentials import by_jwt, hold
from accountsapp.testing.people import PASSWORD, Person
from tests.support.activity import add_addon
from tests.support.amo import Amo
from tests.support.bookie import Bookie
from tests.support.concurrently import concurrently
from tests.support.outbox import Outbox

NEW = "a new and better one"
HERE = "192.0.2.1"


@pytest.fixture
def app(app: TestApp) -> TestApp:
    app.extra_environ["REMOTE_ADDR"] = HERE
    return app


@pytest.fixture
def bookie(app: TestApp) -> Bookie:
    return Bookie(app)


@pytest.fixture
def news(stores: Process) -> Callable[[], list[AuditRow]]:
    """The events since the last time, oldest first."""
    seen: set[int] = set()

    def take() -> list[AuditRow]:
        with stores.transaction() as store:
            rows = [row for row in audit.listing(store.connection) if row.id not in seen]
        seen.update(row.id for row in rows)
        return rows[::-1]

    return take


def outline(rows: list[AuditRow]) -> list[tuple[str, str | None, str | None]]:
    return [(row.event, row.account, row.actor) for row in rows]


def test_s43_one_row_per_event(
    bookie: Bookie,
    app: TestApp,
    alice: Person,
    bob: Person,
    admin: Person,
    stores: Process,
    outbox: Outbox,
    news: Callable[[], list[AuditRow]],
) -> None:
    assert outline(news()) == [(Event.REGISTERED, name, None) for name in ("alice", "bob", "admin")]
    everything: list[AuditRow] = []

    def happened(*expected: tuple[str, str | None, str | None], address: str | None = HERE) -> None:
        rows = news()
        everything.extend(rows)
        assert outline(rows) == list(expected)
        assert {row.address for row in rows} <= {address}

    key = {"api_key": alice.api_key}
    bookie("GET", "/alice/account", query=key)
    bookie("GET", "/alice/account", query={"api_key": "wrong"})
    happened()

    bookie("GET", "/bob/account", query=key)
    happened((Event.REFUSED, "bob", "alice"))
    bookie("GET", "/a/users/list", query=key)
    happened((Event.REFUSED, None, "alice"))
    bookie("GET", "/nobody/api_key", query=key)
    happened((Event.REFUSED, None, "alice"))

    bookie("POST", "/alice/account", form={**key, "email": "new@example.com"})
    happened((Event.EMAIL_ASKED, "alice", "alice"))
    app.post(outbox.link_to("new@example.com"))
    happened((Event.EMAIL_CHANGED, "alice", "alice"))

    passwords = {"current_password": "typo of mine", "new_password": NEW}
    bookie("POST", "/alice/password", form={**key, **passwords})
    happened((Event.PASSWORD_WRONG, "alice", "alice"))
    bookie("POST", "/alice/password", form={**key, **passwords, "current_password": PASSWORD})
    happened((Event.PASSWORD_CHANGED, "alice", "alice"))
    fresh = bookie("POST", "/alice/api_key", form=key).json["api_key"]
    happened((Event.API_KEY_RESET, "alice", "alice"))
    bookie("POST", "/alice/api_key", form=key)
    happened()

    bookie("POST", "/suspend", form={"email": "nobody@example.com"})
    outbox.take()
    happened()
    bookie("POST", "/suspend", form={"email": "new@example.com"})
    code = outbox.code_to("new@example.com")
    happened((Event.RECOVERY_SENT, "alice", None))
    bookie("DELETE", "/suspend", form={"username": "alice", "code": "wrong", "password": NEW})
    happened()
    bookie("DELETE", "/suspend", form={"username": "alice", "code": code, "password": NEW})
    happened((Event.PASSWORD_RESET, "alice", "alice"))

    by_admin = {"api_key": admin.api_key}
    bookie("POST", "/a/accounts/invites/alice/1", form=by_admin)
    happened((Event.INVITES_SET, "alice", "admin"))
    bookie("POST", "/alice/invite", form={"api_key": fresh, "email": "friend@example.com"})
    happened((Event.INVITED, "friend@example.com", "alice"))
    bookie("POST", "/a/users/add", form={**by_admin, "username": "added", "email": "added@example.com"})
    happened((Event.REGISTERED, "added", "admin"))
    bookie("DELETE", "/a/users/delete/added", form=by_admin)
    happened((Event.DELETED, None, "admin"))

    with stores.transaction() as store:
        lifecycle.deactivate(store, bob.id)
    happened((Event.DEACTIVATED, "bob", None), address=None)
    bookie("GET", "/bob/account", query={"api_key": bob.api_key})
    happened((Event.REFUSED, "bob", "bob"))
    with stores.transaction() as store:
        lifecycle.activate(store, bob.id)
    happened((Event.ACTIVATED, "bob", None), address=None)

    with stores.transaction(HERE) as store:
        row = signin.authenticate(store, "bob", PASSWORD)
        signin.sign_in(store, row)
    happened((Event.SIGNED_IN, "bob", "bob"))
    with pytest.raises(WrongPassword), stores.transaction(HERE) as store:
        signin.authenticate(store, "bob", "typo of mine")
    happened((Event.SIGN_IN_FAILED, "bob", None))
    with pytest.raises(WrongPassword), stores.transaction(HERE) as store:
        signin.authenticate(store, "typo of mine", PASSWORD)
    happened((Event.SIGN_IN_FAILED, None, None))

    told = str(everything)
    for secret in (alice.api_key, fresh, code, PASSWORD, NEW, "typo of mine", "new@example.com", "$2b$"):
        assert secret not in told.replace("'friend@example.com'", "")


def test_s43_one_row_per_event_of_addons_server(
    app: TestApp, stores: Process, register: Callable[..., Person], news: Callable[[], list[AuditRow]]
) -> None:
    amo = Amo(app)
    publisher, reader = hold(stores, register("publisher")), hold(stores, register("reader"))
    editor = hold(stores, register("editor", permissions=["Users:Edit"]))
    creator = hold(stores, register("creator", permissions=["Accounts:SuperCreate"]))
    with stores.transaction() as store:
        add_addon(store.session, "mine", [publisher.person.id])
    news()
    everything: list[AuditRow] = []

    def happened(*expected: tuple[str, str | None, str | None], address: str | None = HERE) -> None:
        rows = news()
        everything.extend(rows)
        assert outline(rows) == list(expected)
        assert {row.address for row in rows} <= {address}

    # Nobody is proved, or nothing is refused.
    bad = reader.signing._replace(secret="x" * 64)
    for headers in ({}, {"Authorization": "Session wrong"}, by_jwt(bad), by_jwt(bad, jti="once")):
        for path in ("/profile/", "/account/publisher/", "/account/reader/"):
            amo("GET", path, headers=headers)
        amo("PATCH", "/account/publisher/", body={"location": "x"}, headers=headers)
        amo("POST", "/super-create/", headers=headers)
    for path in ("/profile/", "/account/publisher/", "/account/reader/", "/nothing"):
        amo("GET", path, reader)
    amo.account(reader, "PATCH", {"location": "Here"})
    amo.account(reader, "PATCH", {"location": 1})
    amo("GET", "/account/reader/", editor)
    happened()

    for caller in (publisher, creator):
        name = caller.person.username
        for path, target in (("reader", "reader"), ("nobody", None)):
            amo("GET", f"/account/{path}/", caller)
            happened((Event.REFUSED, target, name))
            amo("PATCH", f"/account/{path}/", caller, {"location": "x"}, by_token=True)
            happened((Event.REFUSED, target, name))
    for method, path in (("DELETE", ""), ("DELETE", "picture"), ("GET", "notifications/")):
        amo(method, f"/account/publisher/{path}", reader)
        happened((Event.REFUSED, "publisher", "reader"))
    amo("POST", "/super-create/", editor, {"username": "x"})
    happened((Event.REFUSED, None, "editor"))

    amo("PATCH", "/account/reader/", editor, {"location": "canary"})
    happened((Event.PROFILE_EDITED, "reader", "editor"))
    amo("DELETE", "/account/reader/picture", editor, by_token=True)
    happened((Event.PROFILE_EDITED, "reader", "editor"))
    amo("POST", "/account/reader/notifications/", editor, {"reply": False})
    happened((Event.PROFILE_EDITED, "reader", "editor"))
    amo("PATCH", "/account/reader/", editor, {"location": "x", "homepage": "x"})
    amo("POST", "/account/reader/notifications/", editor, {"reply": True, "upgrade_fail": True})
    amo("PATCH", "/account/reader/", editor, {"location": "canary"})
    amo.account(editor, "PATCH", {"location": "canary"})
    happened()

    made = amo("POST", "/super-create/", creator, {"username": "fresh", "fxa_id": "canary"}).json
    happened((Event.SUPER_CREATED, "fresh", "creator"))
    amo("POST", "/super-create/", creator, {"username": "fresh"})
    happened()
    cookie = made["session_cookie"]["value"]
    amo("DELETE", "/session/", headers={"Authorization": f"Session {cookie}"})
    happened((Event.SIGNED_OUT, "fresh", "fresh"))
    amo("DELETE", "/account/fresh/", editor)
    happened((Event.DELETED, None, "editor"))
    amo("DELETE", "/account/publisher/", publisher)
    happened((Event.DELETED, None, None), address=None)

    said = str(everything)
    for secret in (cookie, "canary", reader.cookie, reader.signing.secret, "reader@example.com"):
        assert secret not in said


def test_s43_what_is_rolled_back_is_not_told(
    bookie: Bookie, alice: Person, bob: Person, news: Callable[[], list[AuditRow]]
) -> None:
    news()
    given = {"api_key": alice.api_key, "email": "new@example.com", "name": "x" * 256}
    assert bookie("POST", "/alice/account", form=given).status_int == 406
    assert news() == []


def test_s43_a_key_of_one_name_presented_with_another(
    bookie: Bookie, alice: Person, bob: Person, news: Callable[[], list[AuditRow]]
) -> None:
    news()
    for query in ({"username": "bob"}, {"username": ""}):
        assert bookie("GET", "/alice/account", query={"api_key": alice.api_key, **query}).status_int == 403
    assert [(row.event, row.account, row.actor) for row in news()] == [(Event.REFUSED, "alice", "alice")] * 2


def test_s43_every_password_change_that_lost_the_race_is_told(
    wsgi: Any, alice: Person, news: Callable[[], list[AuditRow]]
) -> None:
    news()
    body = {"api_key": alice.api_key, "current_password": PASSWORD, "new_password": NEW}
    change = partial(TestApp(wsgi).post, "/api/v1/alice/password", body, expect_errors=True)
    statuses = Counter(answer.status_int for answer in concurrently([change] * 8))
    assert statuses == {200: 1, 403: 7}
    assert Counter(row.event for row in news()) == {Event.PASSWORD_CHANGED: 1, Event.PASSWORD_WRONG: 7}


def test_listing(stores: Process, alice: Person, bob: Person) -> None:
    with stores.transaction() as store:
        for number in range(3):
            audit.record(
                store.session, Event.REFUSED, account_id=alice.id, actor_id=bob.id, address="::1", n=number
            )
    with stores.transaction() as store:
        rows = list(audit.listing(store.connection, account_id=alice.id, most=2))
        assert [row.detail for row in rows] == [{"n": 2}, {"n": 1}]
        assert {(row.account, row.actor, row.address) for row in rows} == {("alice", "bob", "::1")}
        assert list(audit.listing(store.connection, since=now() + timedelta(seconds=1))) == []
        assert len(list(audit.listing(store.connection, since=now() - timedelta(minutes=1)))) == 5


def test_a_deleted_account_leaves_rows_that_name_nobody(stores: Process, alice: Person, bob: Person) -> None:
    for name, address in (("alice", "192.0.2.1"), ("bob", "192.0.2.2")):
        with stores.transaction(address) as store:
            signin.sign_in(store, signin.authenticate(store, name, PASSWORD))
    with stores.transaction() as store:
        lifecycle.delete(store, alice.id)
    with stores.transaction() as store:
        rows = list(audit.listing(store.connection))
    signed_in = {(row.account_id, row.actor_id, row.address) for row in rows if row.event == Event.SIGNED_IN}
    assert signed_in == {(None, None, None), (bob.id, bob.id, "192.0.2.2")}
    assert next(row for row in rows if row.event == Event.DELETED).detail == {"was": alice.id}


def test_old_ones_are_cleared_and_no_others(stores: Process, alice: Person) -> None:
    def left(days: int) -> int:
        with time_machine.travel(now() + timedelta(days=days)), stores.transaction() as store:
            audit.clear_old(store.session)
        with stores.transaction() as store:
            return len(list(audit.listing(store.connection)))

    assert left(399) == 1
    assert left(401) == 0


def test_the_log_of_administrators_tells_the_same(
    bookie: Bookie, alice: Person, admin: Person, news: Callable[[], list[AuditRow]]
) -> None:
    bookie("GET", "/admin/account", query={"api_key": alice.api_key})
    logs: list[dict[str, Any]] = bookie("GET", "/a/applog/list", query={"api_key": admin.api_key}).json[
        "logs"
    ]
    assert [log["message"] for log in logs[::-1]] == [row.event for row in news()]
