"""Who sees what of an account, and what that is."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import update

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder, hold
from accountsapp.testing.people import SITE_URL, Person
from tests.support.activity import add_addon
from tests.support.amo import PUBLIC_KEYS, SELF_KEYS, Amo

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_everybody_sees_a_developer(amo: Amo, developer: Holder, user: Holder) -> None:
    name, number = developer.person.username, developer.person.id
    for path in (
        f"/account/{number}/",
        f"/account/{number}",
        f"/account/{name}/",
        f"/account/{name.upper()}",
    ):
        for who in (None, user):
            answer = amo("GET", f"{path}?lang=de", who)
            assert answer.status_int == 200
            assert answer.headers["Content-Type"] == "application/json"
            assert "no-store" in answer.headers["Cache-Control"]
            assert answer.json.keys() == PUBLIC_KEYS
            assert answer.json["id"] == number


def test_nobody_else_is_told_of_an_account_that_publishes_nothing(
    amo: Amo, user: Holder, developer: Holder, stores: Process
) -> None:
    """The 404 of a hidden account and of one that never was are the same to the byte, whatever is asked."""
    with stores.transaction() as store:
        add_addon(store.session, "unlisted", [user.person.id], listed=False)
        add_addon(store.session, "rejected", [user.person.id], approved=False)
    never = "/account/never-there"
    for path in ("", "/picture", "/notifications/"):
        for method in ("GET", "PATCH", "DELETE", "POST"):
            for who in (None, developer):
                hidden = amo(method, f"/account/user{path}", who)
                unknown = amo(method, never + path, who)
                assert (hidden.status_int, hidden.body) == (unknown.status_int, unknown.body)
                assert hidden.status_int in ((401, 404, 405) if who is None else (404, 405))
    assert amo("GET", "/account/user/").status_int == 404
    assert amo("HEAD", "/account/user/").status_int == 404


def test_other_peoples_visible_account_is_forbidden(amo: Amo, user: Holder, developer: Holder) -> None:
    path = f"/account/{developer.person.id}/"
    for method, below in (
        ("PATCH", ""),
        ("DELETE", ""),
        ("DELETE", "picture"),
        ("GET", "notifications/"),
        ("POST", "notifications/"),
    ):
        answer = amo(method, path + below, user, headers={"Content-Type": "text/plain"})
        assert (answer.status_int, answer.json.keys()) == (403, {"detail"})


def test_the_self_object(amo: Amo, user: Holder, stores: Process) -> None:
    for answer in (amo("GET", "/profile/", user), amo("GET", "/account/user", user, by_token=True)):
        assert answer.status_int == 200
        said = answer.json
        assert said.keys() == SELF_KEYS
        assert TIME.fullmatch(said["created"])
        assert TIME.fullmatch(said["last_login"])
        fixed = {key: said[key] for key in SELF_KEYS - {"created", "last_login", "fxa_edit_email_url"}}
        assert fixed == {
            "average_addon_rating": None,
            "biography": None,
            "deleted": False,
            "display_name": None,
            "email": "user@example.com",
            "has_anonymous_display_name": True,
            "has_anonymous_username": False,
            "homepage": None,
            "id": user.person.id,
            "is_addon_developer": False,
            "is_artist": False,
            "is_verified": True,
            "last_login_ip": "127.0.0.1",
            "location": None,
            "name": f"Firefox user {user.person.id}",
            "num_addons_listed": 0,
            "occupation": None,
            "permissions": [],
            "picture_type": None,
            "picture_url": None,
            "read_dev_agreement": False,
            "site_status": {"read_only": False, "notice": None},
            "username": "user",
        }
        assert said["fxa_edit_email_url"].startswith(f"{SITE_URL}/")


def test_what_add_ons_say(amo: Amo, user: Holder, stores: Process) -> None:
    person = user.person
    with stores.transaction() as store:
        add_addon(store.session, "a", [person.id], average_rating=4.0)
        add_addon(store.session, "b", [person.id], average_rating=4.333, type="theme")
        add_addon(store.session, "c", [person.id], average_rating=None)
        add_addon(store.session, "hidden", [person.id], average_rating=1.0, listed=False)
    said = amo("GET", f"/account/{person.id}/").json
    assert said["average_addon_rating"] == 4.17
    assert (said["is_addon_developer"], said["is_artist"], said["num_addons_listed"]) == (True, True, 3)


def test_what_columns_show(amo: Amo, user: Holder, stores: Process, register: Callable[..., Person]) -> None:
    with stores.transaction() as store:
        account = locking.lock(store.session, user.person.id)
        account.display_name, account.name = "Ünï", "Full Name"
        account.biography, account.homepage, account.location = "<b>x</b>", "", "Here"
        account.permissions = ["b:c", "Addons:Edit", "b:c"]
        account.is_admin, account.read_dev_agreement = True, True
    said = amo("GET", "/profile/", user).json
    assert (said["name"], said["display_name"], said["has_anonymous_display_name"]) == ("Ünï", "Ünï", False)
    assert (said["biography"], said["homepage"], said["location"]) == ("<b>x</b>", None, "Here")
    assert said["permissions"] == ["*:*", "Addons:Edit", "b:c"]
    assert said["read_dev_agreement"] is True
    with stores.transaction() as store:
        account = locking.lock(store.session, user.person.id)
        account.last_login_ip, account.last_login = None, None
        account.username = account.username_key = f"anonymous-{'0a' * 16}"
        account.is_admin = False
    said = amo("GET", f"/account/{user.person.id}/", user).json
    assert (said["last_login"], said["last_login_ip"], said["has_anonymous_username"]) == (None, "", True)


@pytest.mark.parametrize(
    ("permission", "may"),
    [
        ("Users:Edit", True),
        ("Users:*", True),
        ("*:Edit", True),
        ("*:*", True),
        ("users:edit", False),
        ("Addons:Edit", False),
        ("User*:Edit", False),
    ],
)
def test_who_edits(
    permission: str, may: bool, amo: Amo, user: Holder, register: Callable[..., Person], stores: Process
) -> None:
    somebody = hold(stores, register("somebody", permissions=[permission]))
    answers = [
        amo("GET", "/account/user/", somebody),
        amo("PATCH", "/account/user/", somebody, {"location": "There"}, by_token=True),
        amo("GET", "/account/user/notifications/", somebody),
        amo("DELETE", "/account/user/picture", somebody),
    ]
    assert [answer.status_int for answer in answers] == ([200] * 4 if may else [404] * 4)
    assert not may or answers[0].json.keys() == SELF_KEYS


def test_administrators_edit_and_staff_does_not(
    amo: Amo, user: Holder, register: Callable[..., Person], stores: Process
) -> None:
    admin = hold(stores, register("admin", is_admin=True))
    staff = hold(stores, register("staff", is_staff=True))
    assert amo("GET", "/account/user/", admin).json.keys() == SELF_KEYS
    assert amo("GET", "/account/user/", staff).status_int == 404


def test_accounts_that_are_not_active(
    amo: Amo, developer: Holder, editor: Holder, user: Holder, stores: Process
) -> None:
    path = f"/account/{developer.person.id}/"
    with stores.transaction() as store:
        lifecycle.deactivate(store, developer.person.id)
    assert [amo("GET", path, who).status_int for who in (None, user, editor)] == [404, 404, 200]
    assert amo("PATCH", path, editor, {"location": "X"}).json["location"] == "X"
    with stores.transaction() as store:
        store.session.execute(
            update(Account).values(state=AccountState.PENDING).where(Account.id == developer.person.id)
        )
    assert [amo("GET", path, who).status_int for who in (None, user, editor)] == [404, 404, 200]
    with stores.transaction() as store:
        lifecycle.delete(store, developer.person.id)
    assert [amo("GET", path, who).status_int for who in (None, user, editor)] == [404, 404, 404]


def test_s07_forms_of_an_id(
    amo: Amo, developer: Holder, editor: Holder, register: Callable[..., Person], stores: Process
) -> None:
    number, named_by_digits = developer.person.id, register("digits")
    with stores.transaction() as store:
        account = locking.lock(store.session, named_by_digits.id)
        account.username = account.username_key = str(number)
        digits = account.id
    assert amo("GET", f"/account/{number}/", editor).json["id"] == number
    assert amo("GET", f"/account/0{number}", editor).json["id"] == number
    assert amo("GET", f"/account/{digits}", editor).json["id"] == digits
    full_width = "".join(f"%EF%BC%{0x90 + int(digit):X}" for digit in str(number))
    never = amo("GET", "/account/never-there", editor)
    for form in (
        f"+{number}",
        f"{number}.0",
        "%C2%B2",
        full_width,
        str(2**31),
        str(2**63),
        "9" * 400,
        "-1",
        f"{number}%00",
        "..%2F2",
        "dev.el-oper_1%40example.com",
    ):
        answer = amo("GET", f"/account/{form}", editor)
        assert answer.status_int == 404, form
        assert answer.body == never.body


@pytest.mark.one_server
def test_the_status_of_the_site_is_that_of_the_database(amo: Amo, user: Holder, database: Database) -> None:
    def status() -> dict[str, object]:
        said: dict[str, object] = amo("GET", "/profile/", user).json["site_status"]
        return said

    database.writing.met("disk full")
    said = status()
    assert said["read_only"] is True
    assert isinstance(said["notice"], str)
    assert amo.app.get("/readyz").json["status"] == "degraded"
    database.writing.over()
    assert status() == {"read_only": False, "notice": None}


def test_where_the_address_is_changed(amo: Amo, user: Holder) -> None:
    url = amo("GET", "/profile/", user).json["fxa_edit_email_url"]
    assert url.startswith(f"{SITE_URL}/")
    page = amo.app.get(url.removeprefix(SITE_URL), headers={"Cookie": f"sessionid={user.cookie}"})
    assert b"user@example.com" in page.body
