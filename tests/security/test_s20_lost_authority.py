"""S20: a change comes before its maker loses the right to it, or not at all.

A request is let in, and before its change begins somebody takes a right from the account, or narrows the
credential: in every API that lets in by one, by every kind of credential. What it is answered is what it
would be a moment later.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from threading import Event, Thread
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select, update
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import profile
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import By
from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey
from accountsapp.domain.data.models import AuditEvent, EmailAddress
from accountsapp.domain.data.oauth_models import AccessToken
from accountsapp.domain.data.proofs import Actor, Rights
from accountsapp.domain.oauth import clients
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder, by_jwt, present
from accountsapp.testing.endings import before_change
from accountsapp.testing.everywhere import dump
from accountsapp.testing.people import PASSWORD, Person
from tests.support.imports import import_records
from tests.support.openedx import MERGE_PATCH
from tests.support.pictures import encoded, quarters
from tests.support.scenes import Change, Scene, answer_after_waiting, seen, somebody_waits, wait_for

JSON = "application/json"
BY_KEY = ("default key", "named key")
AMO = ("session header", "jwt")
BY_TOKEN = ("bearer", "signed token")
NEW_PASSWORD = "a new and better one"

ADMINISTRATOR = {"is_admin": True}
EDITOR = {"permissions": ["Users:Edit"]}
EDITOR_OF_ALL = {"permissions": ["Reviews:Edit", "Users:*"]}
CREATOR = {"permissions": ["Accounts:SuperCreate"]}
STAFF = {"is_staff": True}
NOTHING = {"is_admin": False, "is_staff": False, "permissions": []}

OF_OTHERS = [
    Change(
        "POST",
        "/api/v1/a/users/add",
        BY_KEY,
        {"username": "eve", "email": "eve@example.net"},
        by=ADMINISTRATOR,
    ),
    Change("POST", "/api/v1/a/accounts/invites/{other}/3", BY_KEY, by=ADMINISTRATOR),
    Change("DELETE", "/api/v1/a/users/delete/{other}", BY_KEY, by=ADMINISTRATOR),
    Change("DELETE", "/api/v1/a/nonactivated", BY_KEY, by=ADMINISTRATOR),
    Change("PATCH", "/api/v5/accounts/account/{other}/", AMO, {"biography": "Eve"}, JSON, by=EDITOR),
    Change("PATCH", "/api/v5/accounts/account/{other}/", AMO, {"biography": "E"}, JSON, by=EDITOR_OF_ALL),
    Change("PATCH", "/api/v5/accounts/account/{other}/", AMO, {"biography": "E"}, JSON, by=ADMINISTRATOR),
    Change("DELETE", "/api/v5/accounts/account/{other}/", AMO, by=EDITOR),
    Change("DELETE", "/api/v5/accounts/account/{other}/picture/", AMO, by=EDITOR),
    Change("POST", "/api/v5/accounts/account/{other}/notifications/", AMO, {"reply": False}, JSON, by=EDITOR),
    Change("POST", "/api/v5/accounts/super-create/", AMO, {}, JSON, by=CREATOR),
    Change("DELETE", "/api/user/v1/accounts/{other}/image", (*BY_TOKEN, "session"), by=STAFF),
    Change(
        "POST",
        "/account/{other}/update",
        ("session",),
        {"btn": "Profile", "fullname": "Eve L"},
        by=ADMINISTRATOR,
    ),
    Change(
        "POST",
        "/account/{other}/update",
        ("session",),
        {"btn": "External", "ckan_api": "x"},
        by=ADMINISTRATOR,
    ),
    Change(
        "POST",
        "/account/{other}/update",
        ("session",),
        {
            "btn": "Password",
            "current_password": PASSWORD,
            "new_password": NEW_PASSWORD,
            "confirm": NEW_PASSWORD,
        },
        by=ADMINISTRATOR,
    ),
    Change("POST", "/account/{other}/resetapikey", ("session",), by=ADMINISTRATOR),
]
"""By whom a right alone lets in."""
OWN = [
    Change("POST", "/api/v1/{me}/account", ("named key",), {"name": "Eve"}),
    Change("POST", "/api/v1/{me}/invite", ("named key",), {"email": "eve@example.net"}),
    Change("POST", "/api/v1/{me}/api_key", ("named key",)),
    Change("PATCH", "/api/v1.1/users/{me}/", ("bearer",), {"full_name": "Eve"}, JSON),
    Change("POST", "/api/v1.1/users/{me}/emails/", ("bearer",), {"email": "eve@example.net"}, JSON),
    Change("PATCH", "/api/user/v1/accounts/{me}", ("bearer",), {"name": "Eve"}, MERGE_PATCH),
    Change("PATCH", "/api/user/v1/preferences/{me}", ("bearer",), {"pref-lang": "en"}, MERGE_PATCH),
    Change("DELETE", "/api/user/v1/accounts/{me}/image", ("bearer",)),
]
"""By whose credential it must be good for it."""


def import_record(stores: Process, **record: Any) -> None:
    """As ``accounts import --update`` does."""
    parts, refused = import_records(stores, record, update_existing=True)
    assert refused == []
    assert [counts.updated for counts in parts] == [1, 1]


Loss = Callable[[Scene, Holder], None]


def take_rights(scene: Scene, holder: Holder) -> None:
    import_record(scene.stores, username=holder.person.username, **NOTHING)


def import_key(scene: Scene, holder: Holder, **changed: Any) -> None:
    assert scene.key is not None
    key = {"name": scene.key.key.name, "api_key": scene.key.api_key, "scopes": None, "expires": None}
    import_record(scene.stores, username=holder.person.username, api_keys=[{**key, **changed}])


def set_token(scene: Scene, holder: Holder, **values: Any) -> None:
    """Behind the application's back: it never changes one."""
    with scene.stores.transaction() as store:
        mine = AccessToken.account_id == holder.person.id
        store.session.execute(update(AccessToken).where(mine).values(values))


import_scopes = partial(import_key, scopes=["account:read"])
LONG_AGO = now() - timedelta(days=1)
NARROWING: dict[str, dict[str, Loss]] = {
    "named key": {
        "its scopes are fewer": import_scopes,
        "it has expired": partial(import_key, expires=LONG_AGO.isoformat()),
    },
    "bearer": {
        "its scopes are fewer": partial(set_token, scope=Scope.EMAIL_READ.value),
        "it has expired": partial(set_token, expires=LONG_AGO),
    },
}
"""By kind of credential."""


class Case(NamedTuple):
    """A change by somebody who loses something, or nothing that counts."""

    change: Change
    way: str
    name: str
    loss: Loss
    is_lost: bool = True


def cases() -> Iterable[Case]:
    for change in OF_OTHERS:
        for way in change.ways:
            yield Case(change, way, "his rights are taken", take_rights)
    for change in OWN:
        for way in change.ways:
            for name, loss in NARROWING[way].items():
                yield Case(change, way, name, loss)
    for name, loss in NARROWING["named key"].items():
        yield Case(OF_OTHERS[0], "named key", name, loss)
    yield from unaffected()


def keep(rights: dict[str, Any]) -> Loss:
    """Takes all but these."""

    def take_others(scene: Scene, holder: Holder) -> None:
        import_record(scene.stores, username=holder.person.username, **{**NOTHING, **rights})

    return take_others


def rotate_key(scene: Scene, holder: Holder) -> None:
    """It works on for a while, and then no more."""
    assert scene.key is not None
    with scene.stores.transaction() as store:
        named_keys.rotate(store, holder.person.id, scene.key.key.id, timedelta(hours=1), By.PAGE)


def unaffected() -> Iterable[Case]:
    """What is not needed for it may go."""
    edits, adds = OF_OTHERS[4], OF_OTHERS[1]
    both = {**EDITOR_OF_ALL, **ADMINISTRATOR, **STAFF}
    for kept in (ADMINISTRATOR, EDITOR_OF_ALL, EDITOR):
        yield Case(edits._replace(by=both), "session header", f"{kept} is kept", keep(kept), False)
    yield Case(adds._replace(by=both), "default key", "an administrator stays", keep(ADMINISTRATOR), False)
    yield Case(OWN[0]._replace(by=ADMINISTRATOR), "named key", "it is his own", take_rights, False)
    yield Case(OWN[0], "named key", "it is rotated", rotate_key, False)
    yield Case(OWN[0], "named key", "enough is left", partial(import_key, scopes=["account:write"]), False)
    another = partial(set_token, scope=Scope.PROFILE_WRITE.value)
    yield Case(OWN[3], "bearer", "enough is left", another, False)


@pytest.fixture
def scene(wsgi: Any, register: Callable[..., Person]) -> Scene:
    return Scene(wsgi, register)


def test_s20_before_the_right_is_lost_or_not_at_all(scene: Scene) -> None:
    wrong = []
    for change, way, name, loss, is_lost in cases():
        holder, states = scene.cast(change, {way}), []

        def happen() -> None:
            loss(scene, holder)  # noqa: B023 called within the round
            states.append(dump(TestApp(scene.wsgi)))  # noqa: B023

        with before_change(scene.stores, happen):
            answer = scene.send(change, way, holder)
        assert states, f"nothing was about to be changed: {change} {way} {answer}"
        is_same = dump(TestApp(scene.wsgi)) == states[0]
        if is_lost:
            is_right = answer.status_int in (401, 403, 404) and is_same
            is_right = is_right and seen(answer) == seen(scene.send(change, way, holder))
        else:
            is_right = answer.status_int < 400 and not is_same
        if not is_right:
            wrong.append((change.method, change.path, way, name, answer.status))
    assert wrong == [], "\n".join(map(str, wrong))


def test_s20_who_is_staff_no_more_proves_no_address(scene: Scene) -> None:
    """His word does not count any more when the change begins."""
    says = {"email": "second@example.net", "verified": True}
    change = Change("PATCH", "/api/v1.1/users/{me}/emails/", ("basic",), says, JSON, by=STAFF)
    holder = scene.cast(change, {"basic"})
    with before_change(scene.stores, partial(take_rights, scene, holder)):
        answer = scene.send(change, "basic", holder)
    assert (answer.status_int, answer.json["code"]) == (403, "verification_required")
    of_him = select(EmailAddress.verified).where(
        EmailAddress.account_id == holder.person.id, EmailAddress.address == says["email"]
    )
    with scene.stores.transaction() as store:
        assert store.connection.scalars(of_him).all() == [False]


def test_s20_a_client_is_let_in_before_it_is_revoked_or_not_at_all(scene: Scene) -> None:
    change = Change("POST", "/api/v1.1/o/authorize/?{client asks}", ("session",), {"decision": "allow"})
    holder, states = scene.cast(change, {"session"}), []

    def happen() -> None:
        assert scene.client is not None
        with scene.stores.transaction() as store:
            clients.revoke(store, scene.client.client_id)
        states.append(dump(TestApp(scene.wsgi)))

    with before_change(scene.stores, happen):
        answer = scene.send(change, "session", holder)
    assert answer.status_int == 400
    assert seen(answer) == seen(scene.send(change, "session", holder))
    assert dump(TestApp(scene.wsgi)) == states[0]


def test_s20_a_token_that_works_once_is_no_other_one_in_a_further_try(scene: Scene) -> None:
    edits = OF_OTHERS[6]
    for kept, statuses in ((keep(ADMINISTRATOR), {200}), (take_rights, {403, 404})):
        holder = scene.cast(edits._replace(by={**ADMINISTRATOR, **EDITOR}), {"jwt"})
        headers = {**by_jwt(holder.signing, jti="once"), "Content-Type": JSON}
        path = edits.path.replace("{other}", scene.other)
        with before_change(scene.stores, partial(kept, scene, holder)):
            answer = TestApp(scene.wsgi).request(
                path, method="PATCH", body=b'{"biography": "E"}', headers=headers, expect_errors=True
            )
        assert answer.status_int in statuses


def test_s20_a_picture_of_an_editor_who_is_none_any_more_is_not_kept(scene: Scene) -> None:
    holder, files = scene.cast(OF_OTHERS[4], {"session header"}), scene.stores.settings.files
    path = OF_OTHERS[4].path.replace("{other}", scene.other)
    before = sorted(files.rglob("*"))
    with before_change(scene.stores, partial(take_rights, scene, holder)):
        answer = TestApp(scene.wsgi).patch(
            path,
            headers=dict(present("session header", holder).headers),
            upload_files=[("picture_upload", "a.png", encoded(quarters()))],
            expect_errors=True,
        )
    assert answer.status_int in (403, 404), answer
    assert [each for each in sorted(files.rglob("*")) if each.is_file()] == [
        each for each in before if each.is_file()
    ]


def test_s43_who_lost_a_right_is_recorded_once(scene: Scene) -> None:
    for change, way, _, loss, _ in (next(iter(cases())), Case(OWN[0], "named key", "", import_scopes)):
        holder = scene.cast(change, {way})
        with before_change(scene.stores, partial(loss, scene, holder)):
            assert scene.send(change, way, holder).status_int == 403
        of_him = select(AuditEvent.event).where(
            AuditEvent.actor_id == holder.person.id, AuditEvent.event.startswith("refused")
        )
        with scene.stores.transaction() as store:
            assert store.connection.scalars(of_him).all() == ["refused"]


def test_who_loses_rights_again_and_again_may_come_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rights, "are_lost", lambda self, present: True)
    change = OF_OTHERS[1]
    holder = scene.cast(change, {"default key"})
    before = dump(TestApp(scene.wsgi))
    answer = scene.send(change, "default key", holder)
    assert (answer.status_int, answer.headers["Retry-After"]) == (503, "1")
    assert dump(TestApp(scene.wsgi)) == before


def set_rights(store: Store, holder: Holder) -> None:
    """As an import takes them: it locks the account first."""
    store.lock(holder.person.id).is_admin = False


def set_scopes(store: Store, holder: Holder) -> None:
    store.lock(holder.person.id)
    mine = update(ApiKey).where(ApiKey.account_id == holder.person.id, ~IS_DEFAULT)
    store.session.execute(mine.values(scopes="account:read"))


WAITING = [
    (OF_OTHERS[0], "default key", set_rights),
    (OF_OTHERS[1], "default key", set_rights),
    (OF_OTHERS[1], "named key", set_scopes),
    (OF_OTHERS[6], "session header", set_rights),
    (OF_OTHERS[-1], "session", set_rights),
    (OWN[0], "named key", set_scopes),
    (OWN[2], "named key", set_scopes),
]
"""Changes that begin while the loss is not committed yet."""


def test_s20_who_waits_until_it_is_lost_is_refused(scene: Scene, database: Database) -> None:
    """What the request has locked is as it is then, not as it was when it asked for the lock."""
    for change, way, lose in WAITING:
        answer, before = answer_after_waiting(scene, database, change, way, lose)
        assert answer.status_int in (403, 404), (change, way, answer)
        assert dump(TestApp(scene.wsgi)) == before


def test_s20_a_change_that_has_begun_is_before_the_loss(scene: Scene, database: Database) -> None:
    """Who acts on another account keeps his own from losing rights for as long as that takes."""
    holder, lost = scene.cast(OF_OTHERS[6], {"session header"}), Event()

    def lose() -> None:
        take_rights(scene, holder)
        lost.set()

    losing = Thread(target=lose)
    with scene.stores.transaction() as store:
        store.actor = Actor(holder.person.id, 0, rights=Rights(is_admin=True))
        target = store.reader.by_username(scene.other)
        assert target is not None
        profile.change(store, target.id, {"name": "Changed"})
        losing.start()
        wait_for(lambda: somebody_waits(database))
        assert not lost.is_set()
    losing.join(10)
    assert lost.is_set()
