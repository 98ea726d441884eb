"""What becomes of keys that are reported, and of those that only look like one (keys 7, 8)."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import api_keys, key_reports, named_keys
from accountsapp.domain.credentials.named_keys import By, NewKey
from accountsapp.domain.data.models import AuditEvent
from accountsapp.domain.errors import UnknownKey
from accountsapp.domain.oauth import tokens
from accountsapp.domain.rules.api_keys import ALPHABET, make_api_key
from accountsapp.process import Process
from accountsapp.security.permissions import Permission
from accountsapp.testing.people import SITE_URL, Person
from tests.support.bookie import Bookie
from tests.support.concurrently import concurrently
from tests.support.outbox import Outbox, text_of
from tests.support.reporting import URL, Reporter

TRUE, FALSE = "true_positive", "false_positive"
AddKey = Callable[..., NewKey]
Snapshot = Callable[[], dict[str, list[tuple[Any, ...]]]]
Report = Callable[..., list[str]]
Leaked = Callable[[], list[tuple[int | None, dict[str, Any]]]]


@pytest.fixture
def report(app: TestApp, reporter: Reporter) -> Report:
    """Reports tokens; the label of each."""
    return partial(reporter.report, app)


@pytest.fixture
def add_key(stores: Process) -> AddKey:
    """Gives somebody a named key: ``add_key(alice, "laptop")``."""

    def add(
        person: Person, name: str, *, scopes: tuple[str, ...] | None = None, lifetime: timedelta | None = None
    ) -> NewKey:
        with stores.transaction() as store:
            return named_keys.add(
                store, person.id, name=name, scopes=scopes, lifetime=lifetime, by=By.PAGE, most=20
            )

    return add


@pytest.fixture
def leaked(database: Database) -> Leaked:
    """Whose keys were recorded as leaked, and the details."""

    def read() -> list[tuple[int | None, dict[str, Any]]]:
        with database.read_engine.connect() as connection:
            rows = connection.execute(
                select(AuditEvent.account_id, AuditEvent.detail)
                .where(AuditEvent.event == "API key leaked")
                .order_by(AuditEvent.id)
            )
            return [(row.account_id, row.detail) for row in rows]

    return read


def opens(bookie: Bookie, person: Person, api_key: str) -> bool:
    return bookie("GET", f"/{person.username}/account", query={"api_key": api_key}).status_int == 200


def test_a_named_key_is_dead_and_nothing_else(
    report: Report,
    bookie: Bookie,
    stores: Process,
    alice: Person,
    add_key: AddKey,
    outbox: Outbox,
    leaked: Leaked,
) -> None:
    sibling, old = add_key(alice, "phone"), add_key(alice, "laptop")
    with stores.transaction() as store:
        new = named_keys.rotate(store, alice.id, old.key.id, timedelta(hours=5), By.PAGE)
    outbox.take()
    assert report(new.api_key) == [TRUE]
    assert not opens(bookie, alice, new.api_key)
    assert all(opens(bookie, alice, key) for key in (sibling.api_key, old.api_key, alice.api_key))
    assert leaked() == [(alice.id, {"key": new.key.id, "by": "report"})]
    (mail,) = outbox.take()
    text = text_of(mail)
    assert mail["To"] == alice.email
    assert all(part in text for part in ("laptop", URL, f"{SITE_URL}/keys"))
    assert new.api_key not in mail.as_string()
    assert report(old.api_key) == [TRUE]
    assert [opens(bookie, alice, key) for key in (old.api_key, sibling.api_key)] == [False, True]


def test_a_default_key_is_replaced_by_one_that_nobody_is_shown(
    app: TestApp,
    reporter: Reporter,
    bookie: Bookie,
    stores: Process,
    alice: Person,
    outbox: Outbox,
    leaked: Leaked,
) -> None:
    body = json.dumps([{"token": alice.api_key}]).encode()
    answer = reporter.send(app, body)
    assert [told["label"] for told in answer.json] == [TRUE]
    assert not opens(bookie, alice, alice.api_key)
    fresh = default_key_of(stores, "alice")
    assert opens(bookie, alice, fresh)
    assert fresh not in answer.text
    assert leaked() == [(alice.id, {"key": "default", "by": "report"})]
    (mail,) = outbox.take()
    assert "default key" in text_of(mail)
    assert not {fresh, alice.api_key} & set(mail.as_string().split())


def test_a_report_again_does_nothing(
    report: Report,
    bookie: Bookie,
    alice: Person,
    add_key: AddKey,
    outbox: Outbox,
    leaked: Leaked,
    snapshot: Snapshot,
) -> None:
    key = add_key(alice, "laptop")
    outbox.take()
    tokens = (key.api_key, alice.api_key, key.api_key, "x", alice.api_key)
    labels = [TRUE, TRUE, TRUE, FALSE, TRUE]
    assert report(*tokens) == labels
    after, events = snapshot(), leaked()
    assert (len(events), len(outbox.take())) == (2, 2)
    assert report(*tokens) == labels
    assert (snapshot(), leaked(), outbox.take()) == (after, events, [])


def test_what_is_true_and_what_is_false(
    report: Report,
    app: TestApp,
    stores: Process,
    register: Callable[..., Person],
    alice: Person,
    bob: Person,
    add_key: AddKey,
    outbox: Outbox,
) -> None:
    foreign = register("eve", api_key="an older system's")
    deleted_key = add_key(bob, "laptop").api_key
    revoked, replaced, living = (add_key(alice, name) for name in ("old", "new", "living"))
    expired = add_key(alice, "short", lifetime=timedelta(days=1))
    bookie = Bookie(app)
    with stores.transaction() as store:
        token = tokens.issue_by_hand(store, alice.id, ("profile_read",), seconds=3600)
        named_keys.revoke(store, alice.id, revoked.key.id, By.PAGE)
    reset = bookie("POST", "/eve/api_key", query={"api_key": foreign.api_key}).json["api_key"]
    bookie("POST", "/alice/api_key", query={"api_key": replaced.api_key})
    with stores.transaction() as store:
        lifecycle.delete(store, bob.id)
    outbox.take()
    with time_machine.travel(now() + timedelta(days=2), tick=False):
        assert (
            report(
                expired.api_key,
                revoked.api_key,
                replaced.api_key,
                foreign.api_key,
                living.api_key.swapcase(),
                f" {living.api_key}",
                f"{living.api_key}\n",
                living.api_key[:-1],
                living.key.id,
                token,
                bob.api_key,
                deleted_key,
                make_api_key(),
                foreign.api_key.upper(),
            )
            == [TRUE] * 4 + [FALSE] * 10
        )
        assert outbox.take() == []
        assert opens(bookie, alice, living.api_key)
        assert opens(bookie, foreign, reset)
        assert report(reset) == [TRUE]
    with time_machine.travel(now() + timedelta(days=93), tick=False):
        assert report(revoked.api_key, replaced.api_key, foreign.api_key) == [FALSE] * 3


def test_a_deactivated_account_is_not_mailed(
    report: Report,
    bookie: Bookie,
    stores: Process,
    alice: Person,
    add_key: AddKey,
    outbox: Outbox,
    leaked: Leaked,
) -> None:
    key = add_key(alice, "laptop")
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    outbox.take()
    assert report(key.api_key, alice.api_key) == [TRUE, TRUE]
    assert (len(leaked()), outbox.take()) == (2, [])
    with stores.transaction() as store:
        lifecycle.activate(store, alice.id)
    assert not any(opens(bookie, alice, api_key) for api_key in (key.api_key, alice.api_key))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://code.example/a?b=<i>&c", "https://code.example/a?b=<i>&c"),
        ("http://code.example/\r\nBcc: eve@example.com\x00\x85", "http://code.example/Bcc: eve@example.com"),
        ("https://" + "x" * 3000, "https://" + "x" * 1992),
    ],
)
def test_where_it_was_found_is_mailed_as_text(
    report: Report, alice: Person, outbox: Outbox, url: str, shown: str
) -> None:
    assert report(alice.api_key, url=url) == [TRUE]
    mail = outbox.to(alice.email)
    assert shown in " ".join(text_of(mail).split())
    assert shown + "x" not in text_of(mail)
    assert mail["Bcc"] is None


def test_what_is_no_web_address_is_not_mailed(report: Report, alice: Person, outbox: Outbox) -> None:
    assert report(alice.api_key, url="javascript:alert(1)") == [TRUE]
    assert "javascript" not in outbox.to(alice.email).as_string()


def near_misses(api_key: str) -> Iterator[str]:
    """Keys of our form and of others that differ from one in one place, and not."""
    for place in range(len(api_key)):
        for character in ALPHABET:
            yield api_key[:place] + character + api_key[place + 1 :]
        yield api_key[:place] + api_key[place + 1 :]
        yield api_key[:place] + api_key[place].swapcase() + api_key[place + 1 :]
    while True:
        yield make_api_key()


def test_ten_thousand_near_misses_end_nothing(
    report: Report, alice: Person, add_key: AddKey, snapshot: Snapshot, leaked: Leaked
) -> None:
    keys = {alice.api_key, add_key(alice, "laptop").api_key, add_key(alice, "phone").api_key}
    before = snapshot()
    missing: list[str] = []
    for key in keys:
        misses = (miss for miss in near_misses(key) if miss not in keys)
        missing += [next(misses) for _ in range(3334)]
    for start in range(0, 10_000, 1000):
        assert set(report(*missing[start : start + 1000])) == {FALSE}
    assert (snapshot(), leaked()) == (before, [])


def test_what_a_failure_cuts_short_can_be_sent_again(
    app: TestApp,
    reporter: Reporter,
    report: Report,
    bookie: Bookie,
    alice: Person,
    add_key: AddKey,
    outbox: Outbox,
    leaked: Leaked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each key is dead for good before the next one is looked at."""
    keys = [add_key(alice, name).api_key for name in "abc"]
    outbox.take()
    real, failing = key_reports.report, keys[2]

    def fail_at_the_last(store: Any, token: str, url: str) -> bool:
        if token == failing:
            raise RuntimeError
        return real(store, token, url)

    monkeypatch.setattr(key_reports, "report", fail_at_the_last)
    content = json.dumps([{"token": key} for key in keys]).encode()
    reporter.send(app, content, 500)
    assert [opens(bookie, alice, key) for key in keys] == [False, False, True]
    monkeypatch.undo()
    assert report(*keys) == [TRUE] * 3
    assert (len(leaked()), len(outbox.take())) == (3, 3)


@pytest.mark.parametrize("rival", ["replace", "end", "use"])
def test_a_report_against_the_holder(
    report: Report, bookie: Bookie, alice: Person, add_key: AddKey, rival: str
) -> None:
    """The reported key is dead after both; a replacement that its holder made lives."""
    calls = {"replace": ("POST", "/api_key"), "end": ("DELETE", "/api_key"), "use": ("GET", "/account")}
    method, path = calls[rival]
    for turn in range(4):
        key = add_key(alice, f"laptop {turn}", scopes=(Permission.KEY_WRITE, Permission.ACCOUNT_READ)).api_key
        call = partial(bookie, method, f"/alice{path}", query={"api_key": key})
        answer, labels = race(call, partial(report, key))
        assert labels == [TRUE]
        assert answer.status_int in (200, 403)
        assert not opens(bookie, alice, key)
        if rival == "replace" and answer.status_int == 200:
            assert opens(bookie, alice, answer.json["api_key"])


def test_a_report_against_a_reset(report: Report, bookie: Bookie, stores: Process, alice: Person) -> None:
    for _ in range(4):
        key = default_key_of(stores, "alice")
        reset = partial(bookie, "POST", "/alice/api_key", query={"api_key": key})
        answer, labels = race(reset, partial(report, key))
        assert labels == [TRUE]
        assert not opens(bookie, alice, key)
        fresh = default_key_of(stores, "alice")
        assert opens(bookie, alice, fresh)
        if answer.status_int == 200:
            assert answer.json["api_key"] == fresh


def test_a_report_against_a_rotation(
    report: Report, bookie: Bookie, stores: Process, alice: Person, add_key: AddKey
) -> None:
    for turn in range(4):
        key = add_key(alice, f"laptop {turn}")
        new, labels = race(partial(rotated, stores, alice, key.key.id), partial(report, key.api_key))
        assert labels == [TRUE]
        assert not opens(bookie, alice, key.api_key)
        assert new is None or opens(bookie, alice, new)


def test_two_reports_at_once(
    report: Report,
    bookie: Bookie,
    stores: Process,
    alice: Person,
    add_key: AddKey,
    leaked: Leaked,
    outbox: Outbox,
) -> None:
    keys = [add_key(alice, "laptop").api_key, alice.api_key]
    outbox.take()
    assert concurrently([partial(report, *keys), partial(report, *reversed(keys))]) == [[TRUE] * 2] * 2
    assert not any(opens(bookie, alice, key) for key in keys)
    assert opens(bookie, alice, default_key_of(stores, "alice"))
    assert (len(leaked()), len(outbox.take())) == (2, 2)


def race(rival: Callable[[], Any], report: Callable[[], list[str]]) -> tuple[Any, list[str]]:
    """What both came to that began together."""
    outcome, labels = concurrently([rival, report])
    return outcome, labels


def rotated(stores: Process, person: Person, key_id: str) -> str | None:
    """The new key; None where the old one was dead already."""
    try:
        with stores.transaction() as store:
            return named_keys.rotate(store, person.id, key_id, timedelta(hours=1), By.PAGE).api_key
    except UnknownKey:
        return None


def default_key_of(stores: Process, username: str) -> str:
    with stores.transaction() as store:
        row = store.reader.by_username(username)
        assert row is not None
        api_key = api_keys.reveal(store, row)
        assert api_key is not None
        return api_key
