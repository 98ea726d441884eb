"""S05: an answer shows what an account was at one moment, not some of what it was at two.

What decides who may see something, and what is seen, may stand in two rows. A change of both is one change;
whoever read one row before it and the other one after it would show what neither state shares.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import update
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import profile
from accountsapp.domain.credentials import api_keys, own_sessions, sessions
from accountsapp.domain.data.activity_models import Addon, Project
from accountsapp.domain.data.models import Account, EmailAddress
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.conftest import Soak
from tests.support.activity import add_addon, add_project
from tests.support.concurrently import concurrently
from tests.support.moments import at_every_moment, before_statement
from tests.support.openedx import ACCOUNTS, ADULT, Caller, account_of, grow_up

PREFERENCES = "/api/user/v1/preferences/alice"
SECRET = "Shared with nobody"
FIELD_BY_FIELD = {"account_privacy": "custom", "visibility.bio": "private", "visibility.name": "all_users"}
"""Preferences of somebody who shares the name."""
NOTHING = {"account_privacy": "private", "visibility.bio": "all_users", "visibility.name": "private"}
"""Those of somebody who shares nothing, whatever would count otherwise."""
CHILD = 2020


@pytest.fixture
def alice(alice: Person, stores: Process) -> Person:
    """She needs no consent, and has something to hide."""
    grow_up(stores, alice, biography=SECRET)
    return alice


@pytest.fixture
def prefer(stores: Process, alice: Person) -> Callable[..., Callable[[], None]]:
    """``prefer(preferences)`` is a change of hers, all of it at once."""

    def change(preferences: dict[str, str], **columns: Any) -> None:
        kept = {name: value for name, value in preferences.items() if "." in name}
        with stores.transaction() as store:
            privacy = {"account_privacy": preferences["account_privacy"]}
            profile.change(store, alice.id, privacy | columns, preferences=kept)

    return lambda preferences, **columns: partial(change, preferences, **columns)


def states(first: Callable[[], None], then: Callable[[], None]) -> Iterator[tuple[Any, Any]]:
    """From the one to the other, and back."""
    yield first, then
    yield then, first


def test_s05_what_others_are_shown(
    app: TestApp,
    stores: Process,
    database: Database,
    alice: Person,
    bob: Person,
    register: Callable[..., Person],
    prefer: Any,
) -> None:
    staff = Caller(app, stores, register("staff", is_staff=True))
    own = Caller(app, stores, alice)
    one, several = account_of("alice"), f"{ACCOUNTS}?usernames=bob,alice"
    views = [
        *((caller, path) for caller in (Caller(app, stores, bob), Caller(app, stores, None))
          for path in (one, several)),
        *((caller, path) for caller in (staff, own)
          for path in (f"{one}?view=shared", f"{several}&view=shared")),
    ]  # fmt: skip
    for caller, path in views:
        for first, then in states(prefer(FIELD_BY_FIELD), prefer(NOTHING)):
            seen = set()
            for answer in at_every_moment(database.read_engine, partial(caller.get, path), first, then):
                assert SECRET not in answer.text, path
                seen.add("Alice Liddell" in answer.text)
            assert seen == {True, False}, "both states were seen"


def test_s05_what_staff_and_owner_are_shown(
    app: TestApp,
    stores: Process,
    database: Database,
    alice: Person,
    register: Callable[..., Person],
    prefer: Any,
) -> None:
    """All that is shown is of one moment: the preferences, consent and picture, address and text."""
    staff, own = Caller(app, stores, register("staff", is_staff=True)), Caller(app, stores, alice)
    first, then = prefer(FIELD_BY_FIELD), prefer(NOTHING)
    for caller in (staff, own):
        for answer in at_every_moment(database.read_engine, partial(caller.get, PREFERENCES), first, then):
            assert answer.json in (FIELD_BY_FIELD, NOTHING)

    def be(text: str, **columns: Any) -> None:
        with database.begin() as session:
            session.execute(update(Account).where(Account.id == alice.id).values(biography=text, **columns))
            session.execute(
                update(EmailAddress).where(EmailAddress.account_id == alice.id).values(address=text)
            )

    adult = partial(be, "adult@example.com", year_of_birth=ADULT, picture="a" * 22)
    child = partial(be, "child@example.com", year_of_birth=CHILD, picture=None)
    for first, then in states(adult, child):
        for caller in (staff, own):
            for path in (account_of("alice"), f"{ACCOUNTS}?usernames=alice"):
                for answer in at_every_moment(database.read_engine, partial(caller.get, path), first, then):
                    shown = answer.json[0] if isinstance(answer.json, list) else answer.json
                    is_adult = not shown["requires_parental_consent"]
                    assert shown["profile_image"]["has_image"] is is_adult
                    assert shown["email"] == shown["bio"]
                    assert shown["email"].startswith("adult" if is_adult else "child")


def test_s05_who_publishes_nothing_any_more_is_not_public(
    app: TestApp, stores: Process, database: Database, alice: Person
) -> None:
    """A profile of addons-server and a page of PYBOSSA: what is not public says something else."""
    with stores.transaction() as store:
        addon_id = add_addon(store.session, "addon", [alice.id])
        project_id = add_project(store.session, "project", alice.id)

    def publish(listed: bool, text: str) -> None:
        with stores.transaction() as store:
            store.session.execute(update(Addon).where(Addon.id == addon_id).values(listed=listed))
            values = {"published": listed, "description": text}
            store.session.execute(update(Project).where(Project.id == project_id).values(values))
            profile.change(store, alice.id, {"biography": text})

    public, hidden = partial(publish, True, "public"), partial(publish, False, SECRET)
    for path, statuses in (
        (f"/api/v5/accounts/account/{alice.id}/", {200, 404}),
        ("/api/v5/accounts/account/alice/", {200, 404}),
        ("/account/alice/?response_format=json", {200}),
    ):
        for first, then in states(public, hidden):
            seen = set()
            for answer in at_every_moment(
                database.read_engine, partial(app.get, path, expect_errors=True), first, then
            ):
                assert SECRET not in answer.text, path
                seen.add(answer.status_int)
            assert seen == statuses


def end_every_credential(store: Store, account_id: int) -> None:
    store.lock(account_id).credential_epoch += 1


def end_the_other_sessions(store: Store, account_id: int) -> None:
    own_sessions.end_others(store, account_id, "that of its owner")


@pytest.mark.parametrize("end", [end_every_credential, end_the_other_sessions])
def test_s05_a_new_key_is_not_shown_to_whom_its_owner_got_rid_of(
    app: TestApp, stores: Process, database: Database, alice: Person, end: Callable[[Store, int], None]
) -> None:
    """A stranger has a session, and asks while it is ended and the key is reset."""
    cookies, new_keys = [""], [""]

    def lose() -> None:
        with stores.transaction() as store:
            cookies[0], new_keys[0] = sessions.begin(store.session, store.lock(alice.id), None), "none"

    def get_rid() -> None:
        with stores.transaction() as store:
            end(store, alice.id)
            new_keys[0] = api_keys.reset(store, alice.id)

    def ask() -> Any:
        headers = {"Cookie": f"sessionid={cookies[0]}"}
        return app.get("/account/profile?response_format=json", headers=headers, expect_errors=True)

    shown = [
        (answer.json.get("user", {}).get("api_key"), new_keys[0] in answer.text)
        for answer in at_every_moment(database.read_engine, ask, lose, get_rid)
    ]
    assert len(shown) > 5
    assert shown[-1][0], "nothing happened"
    assert not any(is_new for _, is_new in shown), shown


def test_s05_a_change_of_both_is_one(
    app: TestApp, stores: Process, database: Database, alice: Person, bob: Person, prefer: Any
) -> None:
    """Others see nothing of it before all of it is there."""
    own, other = Caller(app, stores, alice), Caller(app, stores, bob)
    path, seen = account_of("alice"), []
    prefer(FIELD_BY_FIELD)()
    before = other.get(path).json
    for number in range(100):
        with before_statement(
            database.write_engine, number, lambda: seen.append(other.get(path).json)
        ) as statements:
            own.patch(PREFERENCES, NOTHING, 204)
        if len(statements) <= number:
            break
        prefer(FIELD_BY_FIELD)()
    assert len(seen) > 3
    assert all(shown == before for shown in seen)
    assert other.get(path).json.keys() == before.keys() - {"name"}


def test_s05_an_owner_who_alternates(
    wsgi: Any, stores: Process, alice: Person, bob: Person, soak: Soak[int]
) -> None:
    """As it happens: she changes her mind as fast as she can, others look."""
    looks, is_over = soak(30, 2000), []
    own = Caller(TestApp(wsgi), stores, alice)
    own.patch(PREFERENCES, NOTHING, 204)

    def alternate() -> Sequence[str]:
        for preferences in cycle((FIELD_BY_FIELD, NOTHING)):
            own.patch(PREFERENCES, preferences, 204)
            if len(is_over) == 3:
                return ()
        raise AssertionError

    def look(path: str) -> Sequence[str]:
        other = Caller(TestApp(wsgi), stores, bob)
        try:
            return [other.get(path).text for _ in range(looks)]
        finally:
            is_over.append(path)

    one, several = account_of("alice"), f"{ACCOUNTS}?usernames=bob,alice"
    seen = concurrently([alternate, *(partial(look, path) for path in (one, several, one))])
    texts = [text for texts in seen for text in texts]
    assert len(texts) == 3 * looks
    assert not [text for text in texts if SECRET in text]
