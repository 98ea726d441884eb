"""Named keys: made, listed, rotated, replaced, ended; what is kept of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from webtest import TestApp

from accountsapp.domain import audit
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import api_keys, key_expiry, key_memory, key_reports, named_keys
from accountsapp.domain.credentials.named_keys import By, KeyOwner, KeyState, NewKey
from accountsapp.domain.data.api_key_models import ApiKey, EndedApiKey
from accountsapp.domain.errors import (
    InvalidValue,
    KeyNameTaken,
    NotRotatable,
    StaleCredential,
    TooManyKeys,
    UnknownKey,
)
from accountsapp.domain.rotation import Rotated
from accountsapp.domain.rotation import rotate as rotate_secrets
from accountsapp.domain.rules import key_scopes
from accountsapp.process import Process
from accountsapp.testing.people import SECRET, Person
from tests.support.outbox import Outbox, text_of

NEW = "n" * 40
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def add(stores: Process, person: Person, name: str = "laptop", **more: Any) -> NewKey:
    wanted = {"scopes": ["account:read"], "lifetime": 30 * DAY, "by": By.PAGE, "most": 3, **more}
    with stores.transaction() as store:
        return named_keys.add(store, person.id, name=name, **wanted)


def listed(stores: Process, person: Person) -> list[named_keys.NamedKey]:
    with stores.transaction() as store:
        return named_keys.listing(store.connection, person.id)


def rotate(stores: Process, person: Person, key_id: str, overlap: timedelta) -> named_keys.Rotation:
    with stores.transaction() as store:
        return named_keys.rotate(store, person.id, key_id, overlap, By.PAGE)


def whose(stores: Process, api_key: str) -> KeyOwner | None:
    with stores.transaction() as store:
        return named_keys.whose(store.connection, store.keyring, api_key)


def set_row(stores: Process, key_id: str, **values: object) -> None:
    with stores.transaction() as store:
        store.session.execute(update(ApiKey).where(ApiKey.public_id == key_id).values(values))


def report(stores: Process, token: str, url: str = "") -> bool:
    with stores.transaction() as store, store.apart() as own:
        return key_reports.report(own, token, url)


def events(stores: Process, person: Person) -> list[tuple[str, dict[str, Any]]]:
    with stores.transaction() as store:
        rows = [*audit.listing(store.connection, account_id=person.id)]
    return [(row.event, row.detail) for row in reversed(rows) if row.event.startswith("API key")]


def test_what_a_key_is(
    stores: Process, alice: Person, bob: Person, database_dump: Callable[[], bytes]
) -> None:
    before = now()
    key, api_key = add(stores, alice, "  Laptop ", scopes=["key:read", "account:read", "key:read"])
    assert key.name == "Laptop"
    assert key.scopes == ("account:read", "key:read")
    assert key.prefix == api_key[:9]
    assert key.expires == key.created + 30 * DAY
    assert abs(key.created - before) < timedelta(seconds=2)
    assert (key.last_used, key.last_used_in, key.state) == (None, None, KeyState.ACTIVE)
    other = add(stores, alice, "phone", scopes=None, lifetime=None).key
    assert (other.scopes, other.expires) == (None, None)
    assert listed(stores, alice) == [key, other]
    assert listed(stores, bob) == []
    assert whose(stores, api_key) == KeyOwner(alice.id, key.id)
    assert whose(stores, alice.api_key) == KeyOwner(alice.id, None)
    assert whose(stores, api_key[:-1]) is None
    dump = database_dump()
    for secret in (api_key, api_key[9:], key_memory.hash_of(api_key)):
        assert secret.encode() not in dump
    assert bytes.fromhex(key_memory.hash_of(api_key)) not in dump


def test_what_is_refused(stores: Process, alice: Person, bob: Person) -> None:
    for name in ("", "  ", "x" * 81, "a\nb", "a\0b", "a\ud800"):
        with pytest.raises(InvalidValue) as refused:
            add(stores, alice, name)
        assert refused.value.field == "name"
    for scopes in ([], ["account:read", "profile:read"], ["full"], [""]):
        with pytest.raises(InvalidValue) as refused:
            add(stores, alice, scopes=scopes)
        assert refused.value.field == "scopes"
    first = add(stores, alice, "Straße").key
    with pytest.raises(KeyNameTaken):
        add(stores, alice, "STRASSE")
    add(stores, bob, "Straße")
    add(stores, alice, "b")
    rotate(stores, alice, first.id, HOUR)  # the retiring one does not count
    add(stores, alice, "c")
    with pytest.raises(TooManyKeys):
        add(stores, alice, "d")
    set_row(stores, listed(stores, alice)[1].id, expires=now() - HOUR)
    add(stores, alice, "d")
    with pytest.raises(TooManyKeys):
        add(stores, alice, "e", most=0)
    assert events(stores, bob) == [("API key added", {"key": listed(stores, bob)[0].id, "by": "page"})]


def test_presets_and_order() -> None:
    assert dict(key_scopes.PRESETS) == {
        "read-only": ("account:read",),
        "extension": ("account:read", "account:write", "key:read", "key:write"),
        "full": None,
    }
    assert key_scopes.ordered(list(reversed(key_scopes.SCOPES))) == key_scopes.SCOPES


def test_revocation(stores: Process, alice: Person, bob: Person, outbox: Outbox) -> None:
    key, api_key = add(stores, alice)
    outbox.take()
    for person, key_id in ((bob, key.id), (alice, "default"), (alice, ""), (alice, "\0"), (alice, "ä" * 99)):
        with stores.transaction() as store, pytest.raises(UnknownKey):
            named_keys.revoke(store, person.id, key_id, By.PAGE)
    with stores.transaction() as store:
        assert named_keys.revoke(store, alice.id, key.id, By.CLI) == key
    with stores.transaction() as store, pytest.raises(UnknownKey):
        named_keys.revoke(store, alice.id, key.id, By.CLI)
    assert listed(stores, alice) == []
    assert whose(stores, api_key) is None
    assert outbox.take() == []
    assert events(stores, alice)[1:] == [("API key revoked", {"key": key.id, "by": "cli"})]


def test_rotation(stores: Process, alice: Person) -> None:
    first = add(stores, alice).key
    set_row(stores, first.id, created=first.created - 2 * DAY, expires=first.created + DAY)
    rotation = rotate(stores, alice, first.id, HOUR)
    new, old = rotation.key, rotation.replaced
    assert (new.name, new.scopes, new.state) == (first.name, first.scopes, KeyState.ACTIVE)
    assert new.expires is not None
    assert new.expires - new.created == 3 * DAY
    assert (old.id, old.state) == (first.id, KeyState.RETIRING)
    assert old.expires == new.created + HOUR
    for key_id in (old.id, new.id):
        with pytest.raises(NotRotatable):
            rotate(stores, alice, key_id, HOUR)
    with pytest.raises(UnknownKey):
        rotate(stores, alice, "x", HOUR)
    with stores.transaction() as store:
        named_keys.revoke(store, alice.id, old.id, By.PAGE)
    at_once = rotate(stores, alice, new.id, timedelta())
    assert at_once.replaced.expires == at_once.key.created
    assert [key.id for key in listed(stores, alice)] == [at_once.key.id]
    set_row(stores, at_once.key.id, expires=now() + 2 * HOUR)
    capped = rotate(stores, alice, at_once.key.id, 5 * HOUR)
    assert capped.replaced.expires is not None
    assert capped.replaced.expires < now() + 3 * HOUR
    set_row(stores, capped.key.id, expires=now() - HOUR)
    with pytest.raises(NotRotatable):
        rotate(stores, alice, capped.key.id, HOUR)
    endless = add(stores, alice, "endless", lifetime=None).key
    again = rotate(stores, alice, endless.id, HOUR)
    assert again.key.expires is None
    assert again.replaced.expires == again.key.created + HOUR
    assert events(stores, alice)[1] == ("API key rotated", {"key": first.id, "new": new.id, "by": "page"})


def test_its_holder_replaces_and_ends_it(stores: Process, alice: Person, outbox: Outbox) -> None:
    key, api_key = add(stores, alice)
    outbox.take()
    with stores.transaction() as store:
        new = named_keys.replace(store, alice.id, api_key)
    assert new.key.id != key.id
    assert new.key._replace(id=key.id, created=key.created, prefix=key.prefix) == key
    for presented in (api_key, alice.api_key, ""):
        with stores.transaction() as store, pytest.raises(StaleCredential):
            named_keys.replace(store, alice.id, presented)
        with stores.transaction() as store, pytest.raises(StaleCredential):
            named_keys.end(store, alice.id, presented)
    with stores.transaction() as store:
        assert named_keys.end(store, alice.id, new.api_key).id == new.key.id
    assert listed(stores, alice) == []
    replaced, ended = outbox.take()
    for mail in (replaced, ended):
        assert mail["To"] == alice.email
        assert "laptop" in text_of(mail)
        assert "/keys" in text_of(mail)
        assert new.api_key not in mail.as_string()
    assert events(stores, alice)[1:] == [
        ("API key replaced", {"key": key.id, "new": new.key.id, "by": "holder"}),
        ("API key revoked", {"key": new.key.id, "by": "holder"}),
    ]


def test_reports(stores: Process, alice: Person, outbox: Outbox) -> None:
    revoked, expired, living = (add(stores, alice, name) for name in ("a", "b", "c"))
    with stores.transaction() as store:
        named_keys.revoke(store, alice.id, revoked.key.id, By.PAGE)
        named_keys.replace(store, alice.id, living.api_key)
    set_row(stores, expired.key.id, expires=now() - HOUR)
    last = add(stores, alice, "d")
    outbox.take()
    before = len(events(stores, alice))
    for token in (revoked.api_key, expired.api_key, living.api_key):
        assert report(stores, token)
    for token in (last.api_key[:-1], last.api_key.lower(), "", "\0", "\ud800"):
        assert not report(stores, token)
    assert outbox.take() == []
    assert len(events(stores, alice)) == before
    assert report(stores, last.api_key, "https://paste.example/1")
    assert report(stores, alice.api_key)
    assert report(stores, alice.api_key)
    assert report(stores, last.api_key)
    assert [key.name for key in listed(stores, alice)] == ["b", "c"]
    named, default = outbox.take()
    assert "https://paste.example/1" in text_of(named)
    assert "“d”" in text_of(named)
    assert "default key" in text_of(default)
    assert whose(stores, alice.api_key) is None
    assert events(stores, alice)[before:] == [
        ("API key leaked", {"key": last.key.id, "by": "report"}),
        ("API key leaked", {"key": "default", "by": "report"}),
    ]
    with stores.transaction() as store:
        store.session.execute(update(EndedApiKey).values(ended=now() - timedelta(days=90)))
    assert not report(stores, alice.api_key)
    with stores.transaction() as store:
        assert key_memory.clear_memory(store.session) == 4
        assert key_memory.clear_memory(store.session) == 0


def test_secrets_rotation(make_app: Callable[..., Any], stores: Process, alice: Person, bob: Person) -> None:
    living, gone = add(stores, alice).api_key, add(stores, bob)
    with stores.transaction() as store:
        named_keys.revoke(store, bob.id, gone.key.id, By.PAGE)
    both = make_app(**{"accountsapp.secret": f"{NEW} {SECRET}"}).registry.process
    assert whose(both, living) is not None
    with both.transaction() as store:
        assert rotate_secrets(store, both.database.write) == Rotated(api_keys=3, mails=2)
        assert rotate_secrets(store, both.database.write) == Rotated()
    alone = make_app(**{"accountsapp.secret": NEW})
    owner = whose(alone.registry.process, living)
    assert owner is not None
    assert owner.key_id is not None
    answer = TestApp(alone).get("/api/v1/alice/account", headers={"X-Api-Key": living})
    assert answer.status_int == 200
    assert report(alone.registry.process, gone.api_key)
    assert report(alone.registry.process, living)


def test_nothing_outlives_the_account(stores: Process, alice: Person, outbox: Outbox) -> None:
    living, ended = add(stores, alice).api_key, add(stores, alice, "ended")
    with stores.transaction() as store:
        named_keys.revoke(store, alice.id, ended.key.id, By.PAGE)
    with stores.transaction() as store:
        lifecycle.ask_deletion(store, alice.id)
    for token in (living, ended.api_key, alice.api_key):
        assert whose(stores, token) is None
        assert not report(stores, token)
    outbox.take()
    with stores.transaction() as store:
        for table in (ApiKey, EndedApiKey):
            assert store.session.scalars(select(table).where(table.account_id == alice.id)).all() == []


def test_a_reset_is_remembered(stores: Process, alice: Person) -> None:
    with stores.transaction() as store:
        new = api_keys.reset(store, alice.id)
    assert report(stores, alice.api_key)
    assert whose(stores, new) == KeyOwner(alice.id, None)


def test_expired_keys_are_listed_for_thirty_days(stores: Process, alice: Person) -> None:
    key, api_key = add(stores, alice)
    set_row(stores, key.id, expires=now() - timedelta(days=29))
    assert [(row.id, row.state) for row in listed(stores, alice)] == [(key.id, KeyState.EXPIRED)]
    add(stores, alice)  # the name is free
    with stores.transaction() as store:
        assert key_expiry.clear_expired(store.session) == 0
    set_row(stores, key.id, expires=now() - timedelta(days=30))
    assert key.id not in [row.id for row in listed(stores, alice)]
    with stores.transaction() as store, pytest.raises(UnknownKey):
        named_keys.revoke(store, alice.id, key.id, By.PAGE)
    assert whose(stores, api_key) == KeyOwner(alice.id, key.id)
    with stores.transaction() as store:
        assert key_expiry.clear_expired(store.session) == 1
        assert key_expiry.clear_expired(store.session) == 0
    assert whose(stores, api_key) is None
    assert report(stores, api_key)


def test_who_is_told_that_a_key_expires(stores: Process, alice: Person, bob: Person, outbox: Outbox) -> None:
    told = add(stores, alice, "told").key
    short = add(stores, alice, "short", lifetime=7 * DAY).key
    rotated = add(stores, alice, "rotated").key
    mute = add(stores, bob, "deactivated").key
    rotate(stores, alice, rotated.id, 30 * DAY)
    outbox.take()
    for key in (told, short, rotated, mute):
        set_row(stores, key.id, expires=now() + 5 * DAY)
    with stores.transaction() as store:
        due = ApiKey.remind_at.is_not(None) & ApiKey.public_id.in_([told.id, short.id, rotated.id, mute.id])
        store.session.execute(update(ApiKey).where(due).values(remind_at=now() - HOUR))
        account = store.lock(bob.id)
        account.state = "deactivated"
    for count in (2, 0):
        with stores.transaction() as store:
            assert key_expiry.queue_reminders(store.session) == count
    (mail,) = outbox.take()
    assert "“told”" in text_of(mail)
    assert outbox.take() == []
