"""``accounts import --from django`` and ``--from openedx``: every column."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table
from webtest import TestApp

from tests.cli.conftest import Run
from tests.support.old_hashes import HASHES, PASSWORD
from tests.support.old_systems import (
    ACCOUNT_EMAILADDRESS,
    AUTH_USER,
    AUTH_USERPROFILE,
    AUTHTOKEN_TOKEN,
    STUDENT_LANGUAGEPROFICIENCY,
    STUDENT_SOCIALLINK,
    USER_API_USERPREFERENCE,
    OldDatabase,
)

MOMENT = datetime(2015, 3, 18, 13, 42, 40, tzinfo=UTC)
HASH = HASHES["django pbkdf2 sha256"]
COUNTS = {"created": 0, "updated": 0, "unchanged": 0, "kept": 0, "failed": 0}


def user(number: int = 1, username: str = "bob", /, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "password": HASH,
        "last_login": MOMENT,
        "is_superuser": False,
        "username": username,
        "first_name": "",
        "last_name": "",
        "email": f"{username}@example.com",
        "is_staff": False,
        "is_active": True,
        "date_joined": MOMENT,
        **values,
    }


def move(run: Run, system: str, old: OldDatabase, exit_code: int = 0, **counts: int) -> str:
    ran = run("accounts", "import", "--from", system, "--database", old.url, exit_code=exit_code)
    assert ran.json == {**COUNTS, **counts}
    return ran.err


def exported(run: Run) -> list[dict[str, Any]]:
    """What is set of each account."""
    records = run("accounts", "export", "--with-secrets").jsons
    return [{key: value for key, value in record.items() if value} for record in records]


def add(old: OldDatabase, table: Table, *rows: dict[str, Any]) -> None:
    old.add(table, *({"id": number, **row} for number, row in enumerate(rows, 1)))


def test_every_column_of_django(run: Run, old: OldDatabase, app: TestApp) -> None:
    old.add(
        AUTH_USER,
        user(1, is_superuser=True, is_staff=True, first_name="Bob", last_name="B."),
        user(2, "ann", last_login=None, is_active=False, last_name="A.", password="!unusable"),
        user(3, "carl", email=""),
    )
    err = move(run, "django", old, exit_code=1, created=2, failed=1)
    assert err == "auth_user 3: email: is required (carl)\n"
    bob, ann = exported(run)
    assert bob.pop("api_key").startswith("acct_")
    assert bob == {
        "username": "bob",
        "emails": [{"email": "bob@example.com", "verified": False, "primary": True}],
        "password_hash": HASH,
        "name": "Bob B.",
        "activated": True,
        "is_staff": True,
        "is_admin": True,
        "privacy_mode": True,
        "last_login": "2015-03-18T13:42:40Z",
        "signup": "2015-03-18T13:42:40Z",
    }
    assert (ann["name"], "activated" in ann, "password_hash" in ann) == ("A.", False, False)
    app.authorization = ("Basic", ("bob", PASSWORD))
    app.get("/api/v1.1/users/bob/")


def test_what_stands_beside_the_users_of_django(run: Run, old: OldDatabase, app: TestApp) -> None:
    token = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
    old.add(AUTH_USER, user(1), user(2, "ann"), user(3, "carl", email=""))
    old.add(AUTHTOKEN_TOKEN, {"key": token, "created": MOMENT, "user_id": 1})
    add(
        old,
        ACCOUNT_EMAILADDRESS,
        {"email": "BOB@example.com", "verified": True, "primary": False, "user_id": 1},
        {"email": "bob@example.org", "verified": False, "primary": True, "user_id": 1},
        {"email": "other@example.com", "verified": True, "primary": False, "user_id": 3},
        {"email": "carl@example.com", "verified": True, "primary": True, "user_id": 3},
    )
    move(run, "django", old, created=3)
    bob, ann, carl = exported(run)
    assert bob["api_key"] == token
    app.get("/api/v1/bob/account", {"api_key": token})
    assert bob["emails"] == [
        {"email": "bob@example.com", "verified": True, "primary": True},
        {"email": "bob@example.org", "verified": False, "primary": False},
    ]
    assert ann["emails"] == [{"email": "ann@example.com", "verified": False, "primary": True}]
    assert [address["email"] for address in carl["emails"]] == ["carl@example.com", "other@example.com"]
    move(run, "django", old, unchanged=3)


PROFILE = {
    "user_id": 1,
    "name": "Bob B.",
    "meta": "{}",
    "courseware": "course.xml",
    "language": "English",
    "location": "Town",
    "year_of_birth": 1987,
    "gender": "m",
    "level_of_education": "hs",
    "mailing_address": "123 Main Street",
    "city": "Anytown",
    "country": "US",
    "state": "MA",
    "goals": "Development",
    "bio": "two\nlines",
    "profile_image_uploaded_at": None,
    "phone_number": "555",
}
EMPTY = {
    **dict.fromkeys(PROFILE),
    **dict.fromkeys(("name", "meta", "courseware", "language", "location"), ""),
    "user_id": 2,
}


def test_every_column_of_open_edx(run: Run, old: OldDatabase, app: TestApp) -> None:
    old.add(
        AUTH_USER,
        user(1, is_staff=True, first_name="not", last_name="used"),
        user(2, "ann", is_active=False, last_login=None, last_name="A."),
        user(3, "carl"),
    )
    add(old, AUTH_USERPROFILE, PROFILE, EMPTY)
    add(
        old,
        USER_API_USERPREFERENCE,
        {"user_id": 1, "key": "account_privacy", "value": "all_users"},
        {"user_id": 1, "key": "pref-lang", "value": "en-gb"},
        {"user_id": 1, "key": "time_zone", "value": "Europe/Paris"},
        {"user_id": 1, "key": "visibility.bio", "value": "private"},
        {"user_id": 1, "key": "notified", "value": "yes"},
        {"user_id": 2, "key": "account_privacy", "value": "custom"},
    )
    add(
        old,
        STUDENT_LANGUAGEPROFICIENCY,
        {"user_profile_id": 1, "code": "zh_HANS"},
        {"user_profile_id": 1, "code": "en"},
    )
    add(
        old,
        STUDENT_SOCIALLINK,
        {"user_profile_id": 1, "platform": "twitter", "social_link": "https://www.twitter.com/bob"},
        {"user_profile_id": 1, "platform": "linkedin", "social_link": ""},
        {"user_profile_id": 1, "platform": "facebook", "social_link": "https://elsewhere.example/bob"},
    )
    move(run, "openedx", old, created=3)
    bob, ann, carl = exported(run)
    assert bob.pop("api_key").startswith("acct_")
    assert bob == {
        "username": "bob",
        "emails": [{"email": "bob@example.com", "verified": True, "primary": True}],
        "password_hash": HASH,
        "name": "Bob B.",
        "language": "en-gb",
        "location": "Town",
        "year_of_birth": 1987,
        "gender": "m",
        "level_of_education": "hs",
        "mailing_address": "123 Main Street",
        "country": "US",
        "goals": "Development",
        "biography": "two\nlines",
        "language_proficiencies": [{"code": "zh_HANS"}, {"code": "en"}],
        "account_privacy": "all_users",
        "preferences": {"time_zone": "Europe/Paris", "visibility.bio": "private"},
        "social_links": {"x": "https://x.com/bob"},
        "info": {
            "openedx": {
                "city": "Anytown",
                "phone_number": "555",
                "social_links": {"facebook": "https://elsewhere.example/bob"},
                "state": "MA",
            }
        },
        "activated": True,
        "is_staff": True,
        "privacy_mode": True,
        "last_login": "2015-03-18T13:42:40Z",
        "signup": "2015-03-18T13:42:40Z",
    }
    assert ann["emails"] == [{"email": "ann@example.com", "verified": False, "primary": True}]
    assert (ann["name"], ann["account_privacy"], "activated" in ann) == ("A.", "private", False)
    assert (carl["username"], "name" in carl) == ("carl", False)
    token = app.get("/csrf/api/v1/token").json["csrfToken"]
    fields = {"email": "bob@example.com", "password": PASSWORD}
    app.post("/api/user/v1/account/login_session", fields, headers={"X-CSRFToken": token})
    shown = app.get("/api/user/v1/accounts/bob").json
    assert shown["social_links"] == [{"platform": "x", "social_link": "https://x.com/bob"}]
    assert app.get("/api/user/v1/preferences/bob").json["time_zone"] == "Europe/Paris"

    move(run, "openedx", old, unchanged=3)
    old.change(STUDENT_SOCIALLINK, 1, social_link="https://www.twitter.com/robert")
    old.change(USER_API_USERPREFERENCE, 3, value="Europe/Rome")
    old.change(AUTH_USERPROFILE, 1, phone_number="")
    move(run, "openedx", old, updated=1, unchanged=2)
    changed = exported(run)[0]
    assert changed["social_links"] == {"x": "https://x.com/robert"}
    assert changed["preferences"] == {"time_zone": "Europe/Rome", "visibility.bio": "private"}
    assert "phone_number" not in changed["info"]["openedx"]


def test_an_open_edx_database_without_a_profile(run: Run, old: OldDatabase) -> None:
    old.add(AUTH_USER, user())
    ran = run("accounts", "import", "--from", "openedx", "--database", old.url, exit_code=1)
    assert ran.err == "accountsapp: the database has no table auth_userprofile\n"
