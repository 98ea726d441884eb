"""S20: a change comes before the end of the credential that proved who makes it, or not at all.

A request is let in, and before its change begins its credential is ended: in every API, by every kind of
credential, by every way to end one. What it is answered is what it would be a moment later.
"""

from collections.abc import Callable, Iterable
from itertools import chain, product
from threading import Event, Thread
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle, profile
from accountsapp.domain.credentials import api_keys, own_sessions, sessions
from accountsapp.domain.data.proofs import ACCESS_TOKEN, SESSION, Actor, Proof
from accountsapp.domain.oauth import applications
from accountsapp.domain.rules.digests import digest_of
from accountsapp.domain.store import Store
from accountsapp.testing import endings
from accountsapp.testing.credentials import Holder
from accountsapp.testing.endings import before_change
from accountsapp.testing.everywhere import dump
from accountsapp.testing.people import PASSWORD, Person
from tests.support.openedx import MERGE_PATCH
from tests.support.scenes import (
    Change,
    Scene,
    answer_after_waiting,
    is_refused,
    seen,
    somebody_waits,
    wait_for,
    with_named_key,
)

NEW_PASSWORD = "a new and better one"

BY_KEY = ("default key", "named key")
BY_TOKEN = ("bearer", "signed token", "granted token")
BY_SESSION = ("session",)


def reset_key(store: Store, holder: Holder) -> None:
    api_keys.reset(store, holder.person.id)


def revoke_key(store: Store, holder: Holder) -> None:
    endings.end_key(store, with_named_key(holder))


def withdraw(store: Store, holder: Holder) -> None:
    """All access that the account has granted."""
    for application in applications.listing(store.connection, holder.person.id):
        applications.withdraw(store, holder.person.id, application.client_id)


def end_sessions(store: Store, holder: Holder) -> None:
    own_sessions.end_others(store, holder.person.id, "that of its owner")


def delete(store: Store, holder: Holder) -> None:
    lifecycle.delete(store, holder.person.id)


BY_EPOCH = ("basic", *BY_TOKEN, "session", "session header", "jwt")
EVERYTHING = (*BY_KEY, *BY_EPOCH)
ENDINGS: dict[str, tuple[endings.End, tuple[str, ...]]] = {
    "key reset": (reset_key, ("default key",)),
    "key revoked": (revoke_key, ("named key",)),
    "session ended": (endings.end_session, ("session", "session header")),
    "all sessions ended": (end_sessions, ("session", "session header")),
    "token revoked": (endings.end_token, ("bearer",)),
    "client revoked": (endings.end_client, ("signed token", "granted token")),
    "access withdrawn": (withdraw, ("granted token",)),
    "signing key replaced": (endings.end_signing_key, ("jwt",)),
    "password changed": (endings.change_password, BY_EPOCH),
    "deactivated": (endings.deactivate, EVERYTHING),
    "deleted": (delete, EVERYTHING),
}
"""What happens, and which credentials it ends."""


ADMINISTRATOR = {"is_admin": True}
EDITOR = {"permissions": ["Users:Edit"]}
CREATOR = {"permissions": ["Accounts:SuperCreate"]}
JSON = "application/json"
AMO = ("session header", "jwt")
BOOKIE = [
    Change("POST", "/api/v1/{me}/account", BY_KEY, {"name": "Eve"}),
    Change("POST", "/api/v1/{me}/account", BY_KEY, {"email": "eve@example.net"}),
    Change("POST", "/api/v1/{me}/api_key", BY_KEY),
    Change("DELETE", "/api/v1/{me}/api_key", ("named key",)),
    Change(
        "POST",
        "/api/v1/{me}/password",
        BY_KEY,
        {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    ),
    Change("POST", "/api/v1/{me}/invite", BY_KEY, {"email": "eve@example.net"}),
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
]
DOCKERHUB = [
    Change("PATCH", "/api/v1.1/users/{me}/", ("basic", "bearer"), {"full_name": "Eve"}, JSON),
    Change("POST", "/api/v1.1/users/{me}/emails/", ("bearer", "basic"), {"email": "eve@example.net"}, JSON),
    Change(
        "PATCH",
        "/api/v1.1/users/{me}/emails/",
        ("bearer", "basic"),
        {"email": "second@example.net", "verified": True, "primary": True},
        JSON,
    ),
    Change("DELETE", "/api/v1.1/users/{me}/emails/", ("basic",), {"email": "second@example.net"}, JSON),
]
ADDONS = [
    Change("PATCH", "/api/v5/accounts/account/{me}/", AMO, {"biography": "Eve"}, JSON),
    Change("PATCH", "/api/v5/accounts/account/{other}/", AMO, {"biography": "Eve"}, JSON, by=EDITOR),
    Change("DELETE", "/api/v5/accounts/account/{me}/", AMO),
    Change("DELETE", "/api/v5/accounts/account/{other}/", AMO, by=EDITOR),
    Change("DELETE", "/api/v5/accounts/account/{me}/picture/", AMO),
    Change("POST", "/api/v5/accounts/account/{me}/notifications/", AMO, {"reply": False}, JSON),
    Change("POST", "/api/v5/accounts/super-create/", ("jwt", "session header"), {}, JSON, by=CREATOR),
    Change("DELETE", "/api/v5/accounts/session/", ("session header",)),
]
OPENEDX = [
    Change("PATCH", "/api/user/v1/accounts/{me}", (*BY_TOKEN, "session"), {"name": "Eve"}, MERGE_PATCH),
    Change("PATCH", "/api/user/v1/accounts/{me}", BY_TOKEN, {"email": "eve@example.net"}, MERGE_PATCH),
    Change("PATCH", "/api/user/v1/preferences/{me}", BY_TOKEN, {"pref-lang": "en"}, MERGE_PATCH),
    Change("DELETE", "/api/user/v1/accounts/{me}/image", (*BY_TOKEN, "session")),
    Change("POST", "/api/user/v1/accounts/deactivate_logout", BY_SESSION, {"password": PASSWORD}),
]
PYBOSSA = [
    Change("POST", "/account/{me}/update", BY_SESSION, {"btn": "Profile", "fullname": "Eve L"}),
    Change(
        "POST",
        "/account/{me}/update",
        BY_SESSION,
        {
            "btn": "Password",
            "current_password": PASSWORD,
            "new_password": NEW_PASSWORD,
            "confirm": NEW_PASSWORD,
        },
    ),
    Change("POST", "/account/{me}/resetapikey", BY_SESSION),
    Change("POST", "/account/newsletter", BY_SESSION, {"subscribe": "true"}),
    Change("POST", "/account/confirm-email", BY_SESSION),
    Change("POST", "/account/{me}/export", BY_SESSION),
    Change("POST", "/account/{me}/delete", BY_SESSION),
]
PAGES = [
    Change("POST", "/keys/add", BY_SESSION, {"name": "Eve's", "preset": "full"}),
    Change("POST", "/keys/{key}/revoke", BY_SESSION),
    Change("POST", "/keys/{key}/rotate", BY_SESSION),
    Change("POST", "/keys/default/reset", BY_SESSION),
    Change("POST", "/keys/confirm", BY_SESSION, {"password": PASSWORD}),
    Change("POST", "/sessions", BY_SESSION, {"session": "others"}),
    Change("POST", "/applications", BY_SESSION, {"client_id": "{client}"}),
    Change("POST", "/api/v1.1/o/authorize/?{client asks}", BY_SESSION, {"decision": "allow"}),
]
CHANGES = [*BOOKIE, *DOCKERHUB, *ADDONS, *OPENEDX, *PYBOSSA, *PAGES]


@pytest.fixture
def scene(wsgi: Any, register: Callable[..., Person]) -> Scene:
    return Scene(wsgi, register)


LIKE_A_MOMENT_LATER = set(ENDINGS) - {"deactivated", "deleted"}
"""Who asks later is told more of the account, in some APIs."""


SPARED = 2
"""Endings that leave a credential alone, tried with each kind."""


def cases() -> Iterable[tuple[Change, str, str]]:
    """Each change by each way, with what ends that way alone; the first change by each way with all that ends
    it, and with some of what does not."""
    for change, way in chain.from_iterable(product([change], change.ways) for change in CHANGES):
        ends = [ending for ending, (_, ways) in ENDINGS.items() if way in ways]
        spares = [ending for ending in ENDINGS if ending not in ends]
        is_first = change is next(each for each in CHANGES if way in each.ways)
        yield from ((change, way, ending) for ending in ([*ends, *spares[:SPARED]] if is_first else ends[:1]))


@pytest.mark.parametrize("changes", [BOOKIE, DOCKERHUB, ADDONS, OPENEDX, PYBOSSA, PAGES])
def test_s20_before_it_is_ended_or_not_at_all(scene: Scene, changes: list[Change]) -> None:
    wrong = []
    for change, way, ending in cases():
        if change not in changes:
            continue
        end, ended = ENDINGS[ending]
        holder, states = scene.cast(change, {way} if way in ended else {way, ended[0]}), []

        def happen() -> None:
            with scene.stores.transaction() as store:
                end(store, holder)  # noqa: B023 called within the round
            states.append(dump(TestApp(scene.wsgi)))  # noqa: B023

        with before_change(scene.stores, happen):
            answer = scene.send(change, way, holder)
        assert states, f"nothing was about to be changed: {change} {way} {answer}"
        if way in ended:
            is_right = is_refused(answer) and dump(TestApp(scene.wsgi)) == states[0]
            if ending in LIKE_A_MOMENT_LATER:
                is_right = is_right and seen(answer) == seen(scene.send(change, way, holder))
        else:
            is_right = answer.status_int < 400 and dump(TestApp(scene.wsgi)) != states[0]
        if not is_right:
            wrong.append((change.method, change.path, way, ending, answer.status))
    assert wrong == [], "\n".join(map(str, wrong))


def take_the_place(store: Store, holder: Holder) -> None:
    """Of a session, by that of somebody else who signs in: his account is locked, not that of the session."""
    sessions.end(store.session, holder.cookie)


WAITING = [
    (BOOKIE[0], "default key", reset_key),
    (BOOKIE[0], "named key", revoke_key),
    (BOOKIE[2], "default key", reset_key),
    (BOOKIE[-2], "default key", reset_key),
    (DOCKERHUB[0], "basic", endings.change_password),
    (DOCKERHUB[0], "bearer", endings.end_token),
    (DOCKERHUB[1], "bearer", endings.deactivate),
    (ADDONS[0], "session header", take_the_place),
    (ADDONS[1], "jwt", endings.end_signing_key),
    (ADDONS[1], "session header", endings.change_password),
    (OPENEDX[0], "signed token", endings.end_client),
    (OPENEDX[1], "granted token", endings.end_client),
    (PYBOSSA[2], "session", end_sessions),
]
"""Changes that begin while the end of their credential is not committed yet."""


def test_s20_who_waits_until_it_is_ended_is_refused(scene: Scene, database: Database) -> None:
    """What the request has locked is as it is then, not as it was when it asked for the lock."""
    for change, way, end in WAITING:
        answer, before = answer_after_waiting(scene, database, change, way, end)
        assert is_refused(answer), (change, way, answer)
        assert dump(TestApp(scene.wsgi)) == before


def test_s20_a_change_that_has_begun_is_before_the_end(scene: Scene, database: Database) -> None:
    """Who acts on another account keeps his own from losing its credentials for as long as that takes."""
    proofs = {"session header": SESSION, "bearer": ACCESS_TOKEN}
    for way, end in (
        ("session header", endings.change_password),
        ("session header", take_the_place),
        ("bearer", endings.end_token),
    ):
        holder, ended = scene.cast(ADDONS[1], {way}), Event()
        value = holder.token if way == "bearer" else holder.cookie

        def end_it() -> None:
            with scene.stores.transaction() as store:
                end(store, holder)  # noqa: B023
            ended.set()  # noqa: B023

        ending = Thread(target=end_it)
        with scene.stores.transaction() as store:
            store.actor = Actor(holder.person.id, 0, Proof(proofs[way], digest_of(value)))
            target = store.reader.by_username(scene.other)
            assert target is not None
            profile.change(store, target.id, {"name": "Changed"})
            ending.start()
            wait_for(lambda: somebody_waits(database))
            assert not ended.is_set()
        ending.join(10)
        assert ended.is_set()
