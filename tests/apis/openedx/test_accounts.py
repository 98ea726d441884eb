"""Accounts: who is shown what, one by one and in lists (sections 4 to 6)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, update
from webtest import TestApp

from accountsapp.apis.openedx.fields import FIELDS
from accountsapp.db.database import Database
from accountsapp.domain.accounts import profile
from accountsapp.domain.data.models import Account
from accountsapp.process import Process
from accountsapp.testing.people import SITE_URL, Person
from tests.support.openedx import ACCOUNTS, ADULT, Caller, account_of, grow_up

PUBLIC = {"username", "profile_image", "account_privacy"}
SHAREABLE = {
    "bio",
    "country",
    "date_joined",
    "language_proficiencies",
    "level_of_education",
    "social_links",
    "accomplishments_shared",
}
Call = Callable[..., Caller]


def test_all_of_an_account(call: Call, adult: Person, stores: Process, app: TestApp) -> None:
    with stores.transaction() as store:
        account = store.session.get_one(Account, adult.id)
        account.signup = datetime(2014, 8, 26, 17, 52, 11, 999999, UTC)
    shown = call(adult).get(account_of(adult)).json
    image = shown.pop("profile_image")
    assert shown == {
        "username": "alice",
        "name": "Alice Liddell",
        "email": adult.email,
        "bio": None,
        "goals": None,
        "mailing_address": None,
        "language": None,
        "gender": None,
        "level_of_education": None,
        "country": None,
        "year_of_birth": ADULT,
        "language_proficiencies": [],
        "account_privacy": "all_users",
        "date_joined": "2014-08-26T17:52:11Z",
        "is_active": True,
        "requires_parental_consent": False,
        "accomplishments_shared": False,
        "social_links": [],
    }
    assert image.pop("has_image") is False
    assert image.keys() == {f"image_url_{size}" for size in ("full", "large", "medium", "small")}
    assert all(url.startswith(f"{SITE_URL}/uploads/") for url in image.values())
    assert {*shown, "profile_image"} == set(FIELDS)
    assert call(adult).get(account_of("ALICE")).json["username"] == "alice"


def test_views(call: Call, adult: Person, register: Callable[..., Person], stores: Process) -> None:
    boss, staff, bob = register("boss", is_admin=True), register("staff", is_staff=True), register("bob")
    path = account_of(adult)
    nobody = call(None)
    for caller in (call(adult), call(boss), call(staff)):
        assert caller.get(path).json.keys() == set(FIELDS)
        assert caller.get(path + "?view=full").json.keys() == set(FIELDS)
        assert caller.get(path + "?view=shared").json.keys() == PUBLIC | SHAREABLE
        caller.get(account_of("nobody"), 404)
    for caller in (call(bob), nobody):
        assert caller.get(path).json.keys() == PUBLIC | SHAREABLE
        caller.get(account_of("nobody"), 404)
    grow_up(stores, adult, account_privacy="private")
    assert call(bob).get(path).json.keys() == PUBLIC
    assert call(bob).get(path).json["account_privacy"] == "private"
    nobody.patch(path, {"bio": "x"}, 404)
    assert call(bob).get(f"{path}?view=shared&view=x").json.keys() == PUBLIC


def test_lists(call: Call, adult: Person, register: Callable[..., Person], stores: Process) -> None:
    bob, carol = register("bob"), register("Carol")
    grow_up(stores, bob)
    alice = call(adult)

    def names(query: str) -> list[tuple[str, bool]]:
        shown = alice.get(f"{ACCOUNTS}?{query}").json
        return [(account["username"], "email" in account) for account in shown]

    assert names("usernames=bob,alice") == [("bob", False), ("alice", True)]
    assert names("usernames=,BOB,,nobody,bob,carol,") == [("bob", False), ("Carol", False)]
    assert names("username=bob") == [("bob", False)]
    assert names("usernames=alice&view=shared") == [("alice", False)]
    for empty in ("", "usernames=", "usernames=,,", "usernames=&view=x"):
        assert names(empty) == [("alice", True)]
    alice.get(f"{ACCOUNTS}?usernames=nobody,nobody2,%00,%F0%9F%98%80", 404)
    alice.get(f"{ACCOUNTS}?usernames={','.join(f'n{n}' for n in range(100))}", 404)
    assert names(f"usernames=bob{',BOB' * 200}") == [("bob", False)]
    refused = alice.get(f"{ACCOUNTS}?usernames={','.join(f'n{n}' for n in range(101))}", 400)
    assert refused.json.keys() == {"developer_message", "user_message"}
    nobody = call(None)
    nobody.get(ACCOUNTS, 404)
    assert len(nobody.get(f"{ACCOUNTS}?usernames=alice,bob,{carol.username}").json) == 3


def test_a_list_says_of_each_account_what_it_says_alone(
    call: Call, adult: Person, register: Callable[..., Person], stores: Process
) -> None:
    """The same bytes: a list is read by other statements, and changes are seen in it at once."""
    private, child, custom = register("private"), register("child"), register("custom")
    grow_up(stores, adult, biography="Ü % \U0001f600", language_proficiencies=[{"code": "de"}], country="DE")
    grow_up(stores, private, account_privacy="private", biography="hidden")
    grow_up(stores, custom, account_privacy="custom", biography="shown", name="Custom")
    with stores.transaction() as store:
        links = {"x": "https://x.com/a", "facebook": "https://facebook.com/b"}
        profile.change(store, adult.id, social_links=links)
        profile.change(store, child.id, {"biography": "hidden"}, social_links=links)
        shared = {"visibility.bio": "all_users", "visibility.name": "all_users"}
        profile.change(store, custom.id, preferences=shared, social_links=links)
    people = (custom, private, adult, child)
    listed = f"{ACCOUNTS}?usernames={','.join(person.username for person in people)}"
    for caller in (call(adult), call(custom), call(register("staff", is_staff=True)), call(None)):
        for view in ("", "shared"):
            alone = [caller.get(f"{account_of(person)}?view={view}").body for person in people]
            assert caller.get(f"{listed}&view={view}").body == b"[" + b", ".join(alone) + b"]"
    nobody = call(None)
    assert nobody.get(listed).json[0].keys() == PUBLIC | {"bio", "name"}
    call(custom).change({"account_privacy": "private"})
    assert nobody.get(listed).json[0].keys() == PUBLIC
    call(custom).change({"account_privacy": "all_users"})
    assert nobody.get(listed).json[0]["social_links"][0]["platform"] == "facebook"


def test_by_address(call: Call, adult: Person, register: Callable[..., Person]) -> None:
    staff = call(register("staff", is_staff=True))
    plus = register("plus", "a+b@example.com")
    for query, username in (
        ("email=ALICE%40example.com", "alice"),
        ("email=a%2Bb%40example.com", "plus"),
        ("email=a+b@example.com", "plus"),
    ):
        (found,) = staff.get(f"{ACCOUNTS}?{query}").json
        assert (found["username"], found.keys()) == (username, set(FIELDS))
    (found,) = staff.get(f"{ACCOUNTS}?usernames=alice&email=a%2Bb@example.com").json
    assert found["username"] == "alice"
    for unknown in ("nobody%40example.com", "", "%00", "alice"):
        staff.get(f"{ACCOUNTS}?email={unknown}", 404)
    for caller in (call(adult), call(None)):
        for address in (adult.email, plus.email, "nobody@example.com"):
            assert caller.get(f"{ACCOUNTS}?email={address}", 403).json.keys() == {"detail"}
    call(adult).get(f"{ACCOUNTS}?usernames=alice&email=x@example.com", 403)


def test_a_list_costs_two_statements(
    call: Call, adult: Person, register: Callable[..., Person], database: Database, app: TestApp
) -> None:
    names = [register(f"person{number}").username for number in range(30)]
    alice, statements = call(adult), []
    alice.get(ACCOUNTS)
    engine = database.read_engine

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        assert len(alice.get(f"{ACCOUNTS}?usernames={','.join(names)}").json) == 30
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert len([statement for statement in statements if "access_token" not in statement]) <= 2, statements


def test_what_is_stored_outside_of_its_set_is_null(call: Call, adult: Person, stores: Process) -> None:
    with stores.transaction() as store:
        store.session.execute(
            update(Account)
            .where(Account.id == adult.id)
            .values(
                gender="x",
                level_of_education="PhD",
                country="Wonderland",
                year_of_birth=1850,
                language_proficiencies=[{"code": "tlh"}, {"code": "de"}],
                account_privacy="friends",
                biography="b" * 400,
            )
        )
    shown = call(adult).get(account_of(adult)).json
    names = ("gender", "level_of_education", "country", "year_of_birth")
    assert [shown[name] for name in names] == [None] * 4
    assert not shown["requires_parental_consent"], "what is stored counts"
    assert shown["language_proficiencies"] == [{"code": "de"}]
    assert shown["account_privacy"] == "all_users"
    assert shown["bio"] == "b" * 400
    assert call(adult).change({}).json == shown


def test_a_preference_that_is_a_column_counts_as_the_column(
    call: Call, adult: Person, stores: Process
) -> None:
    """An import may have left another value among the other preferences."""
    with stores.transaction() as store:
        imported = {"account_privacy": "all_users", "pref-lang": "tlh"}
        profile.change(store, adult.id, {"account_privacy": "private"}, preferences=imported)
    shown = call(adult).get(f"/api/user/v1/preferences/{adult.username}").json
    assert shown == {"account_privacy": "private"}


@pytest.mark.parametrize(
    ("limit", "year", "is_required"),
    [
        ("13", 2013, True),
        ("13", 2012, False),
        ("13", None, True),
        ("", None, False),
        ("", 2026, False),
        ("0", 2026, True),
        ("0", 2025, False),
    ],
)
def test_consent(
    limit: str, year: int | None, is_required: bool, make_app: Callable[..., Any], alice: Person
) -> None:
    app = TestApp(make_app(**{"accountsapp.openedx.parental_consent_age_limit": limit}))
    stores = app.app.registry.process
    this_year = datetime.now(UTC).year
    shifted = year + this_year - 2026 if year is not None else None
    with stores.transaction() as store:
        profile.change(store, alice.id, {"year_of_birth": shifted, "account_privacy": "all_users"})
    alice_calls = Caller(app, stores, alice)
    shown = alice_calls.get(account_of(alice)).json
    assert shown["requires_parental_consent"] is is_required
    assert shown["account_privacy"] == ("private" if is_required else "all_users")
    shared = alice_calls.get(account_of(alice) + "?view=shared").json
    assert shared.keys() == (PUBLIC if is_required else PUBLIC | SHAREABLE)


def test_a_choice_counts_once_consent_is_not_required(call: Call, alice: Person) -> None:
    caller = call(alice)
    assert caller.change({"account_privacy": "all_users"}).json["account_privacy"] == "private"
    assert caller.change({"year_of_birth": ADULT}).json["account_privacy"] == "all_users"


def test_settings_choose_what_is_shared(make_app: Callable[..., Any], alice: Person) -> None:
    names = {
        "default_visibility": "private",
        "public_fields": "username email",
        "shareable_fields": "goals",
        "badges": "true",
        "profile_image_sizes": "huge:600 tiny:10",
    }
    app = TestApp(make_app(**{f"accountsapp.openedx.{name}": value for name, value in names.items()}))
    caller = Caller(app, app.app.registry.process, alice)
    caller.change({"year_of_birth": ADULT})
    path = account_of(alice) + "?view=shared"
    assert caller.get(path).json.keys() == {"username", "email"}
    caller.change({"account_privacy": "all_users"})
    assert caller.get(path).json.keys() == {"username", "email", "goals"}
    (listed,) = Caller(app, app.app.registry.process, None).get(f"{ACCOUNTS}?usernames=alice").json
    assert listed == {"username": "alice", "email": alice.email, "goals": None}
    shown = caller.get(account_of(alice)).json
    assert shown["accomplishments_shared"] is True
    urls = shown["profile_image"]
    assert urls.keys() == {"has_image", "image_url_huge", "image_url_tiny"}
    assert app.get(urls["image_url_huge"].removeprefix(SITE_URL)).content_type == "image/png"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("default_visibility", "custom"),
        ("public_fields", "username phone"),
        ("shareable_fields", "Bio"),
        ("custom_shareable_fields", "?"),
        ("parental_consent_age_limit", "thirteen"),
        ("profile_image_sizes", "full"),
        ("profile_image_sizes", "full:0"),
        ("profile_image_sizes", "a:1 a:2"),
        ("profile_image_min_bytes", "2000000"),
        ("profile_image_max_bytes", "-1"),
        ("bio_max_length", "x"),
        ("max_usernames", "0"),
        ("badges", "perhaps"),
        ("jwt_expires_in", "0"),
        ("cookie_domain", "a b"),
    ],
)
def test_a_bad_setting_stops_the_start(name: str, value: str, make_app: Callable[..., Any]) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_app(**{f"accountsapp.openedx.{name}": value})
    line = str(stopped.value)
    assert f"accountsapp.openedx.{name}: " in line
    assert re.fullmatch(r"[^\n]+", line)
