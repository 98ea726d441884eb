"""``accounts import --from pybossa``: every column."""

from typing import Any

from webtest import TestApp

from tests.cli.conftest import Run
from tests.support.front_end import FrontEnd
from tests.support.old_hashes import HASHES, PASSWORD
from tests.support.old_systems import PYBOSSA_USER, OldDatabase

HASH = HASHES["werkzeug pbkdf2 sha1"]


def user(number: int = 1, username: str = "bob", /, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "created": "2013-06-26T13:25:22.411497",
        "email_addr": f"{username}@example.com",
        "valid_email": True,
        "confirmation_email_sent": False,
        "name": username,
        "fullname": f"{username} B.",
        "locale": "es",
        "api_key": f"aa3ee485-896d-488a-83f7-88a29bf4517{number}",
        "passwd_hash": HASH,
        "ldap": None,
        "admin": True,
        "pro": False,
        "privacy_mode": False,
        "restrict": False,
        "category": None,
        "flags": None,
        "twitter_user_id": None,
        "facebook_user_id": None,
        "google_user_id": None,
        "ckan_api": "portal key",
        "newsletter_prompted": False,
        "subscribed": True,
        "consent": False,
        "info": {"avatar": "a.png", "container": "user_1", "google_token": {"oauth_token": "secret"}},
        **values,
    }


def test_every_column_is_taken(run: Run, old: OldDatabase, wsgi: Any) -> None:
    old.add(
        PYBOSSA_USER,
        user(),
        user(
            2,
            "ann",
            created=None,
            valid_email=False,
            passwd_hash=None,
            admin=None,
            pro=True,
            restrict=True,
            category=3,
            flags=7,
            ldap="uid=ann",
            twitter_user_id=2**60,
            facebook_user_id=77,
            google_user_id="88",
            ckan_api=None,
            newsletter_prompted=True,
            subscribed=False,
            consent=True,
            info=None,
        ),
    )
    arguments = ("accounts", "import", "--from", "pybossa", "--database", old.url)
    assert run(*arguments).json["created"] == 2
    bob, ann = run("accounts", "export", "--with-secrets").jsons
    assert {key: value for key, value in bob.items() if value} == {
        "username": "bob",
        "emails": [{"email": "bob@example.com", "verified": True, "primary": True}],
        "signup": "2013-06-26T13:25:22.411497Z",
        "name": "bob B.",
        "locale": "es",
        "api_key": "aa3ee485-896d-488a-83f7-88a29bf45171",
        "password_hash": HASH,
        "is_admin": True,
        "activated": True,
        "subscribed": True,
        "ckan_api": "portal key",
        "info": {"avatar": "a.png", "container": "user_1"},
    }
    assert ann["emails"] == [{"email": "ann@example.com", "verified": False, "primary": True}]
    assert (ann["signup"], ann["privacy_mode"], ann["subscribed"]) == (None, True, False)
    assert not {"password_hash", "ckan_api"} & ann.keys()
    assert not ann["is_admin"]
    assert ann["info"] == {
        "twitter_user_id": str(2**60),
        "facebook_user_id": 77,
        "google_user_id": "88",
        "pybossa": {
            "category": 3,
            "consent": True,
            "flags": 7,
            "ldap": "uid=ann",
            "newsletter_prompted": True,
            "pro": True,
            "restrict": True,
        },
    }
    front_end = FrontEnd(wsgi)
    front_end.get("/account/signin")
    sent = front_end.send("/account/signin", email="bob@example.com", password=PASSWORD)
    assert sent["status"] == "success"
    assert front_end.get("/account/profile")["user"]["api_key"] == bob["api_key"]
    TestApp(wsgi).get("/api/v1/bob/account", {"api_key": bob["api_key"]})
    # The hash was replaced by bcrypt, which is no change of the password: it still follows the old system.
    old.change(PYBOSSA_USER, 1, passwd_hash=HASHES["werkzeug scrypt"], info={"avatar": "b.png"})
    assert run(*arguments).json == {"created": 0, "updated": 1, "unchanged": 1, "kept": 0, "failed": 0}
    after = run("accounts", "export", "bob", "--with-secrets").json
    assert (after["password_hash"], after["info"]) == (HASHES["werkzeug scrypt"], {"avatar": "b.png"})


def test_what_cannot_be_taken(run: Run, old: OldDatabase) -> None:
    old.add(
        PYBOSSA_USER,
        user(1, passwd_hash="pbkdf2:sha1:999999999$a$" + "0" * 40),
        user(2, "ann", passwd_hash="plain$$secret", ckan_api=None),
        user(3, "carl", created="some day", ckan_api=None),
        user(4, "dora", info=[1], ckan_api=None),
    )
    ran = run("accounts", "import", "--from", "pybossa", "--database", old.url, exit_code=1)
    starts = ("password_hash: has more", "password_hash: must be", "signup: ", "info: ")
    for number, (line, start) in enumerate(zip(ran.err.splitlines(), starts, strict=True), 1):
        assert line.startswith(f"user {number}: {start}")
    assert "secret" not in ran.err
