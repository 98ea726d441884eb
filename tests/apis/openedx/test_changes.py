"""``PATCH`` of an account: what is taken, in which order it is refused (sections 8 and 4)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from webtest import TestApp

from accountsapp.apis.openedx.fields import READ_ONLY
from accountsapp.domain.data.models import Account
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently
from tests.support.openedx import ACCOUNTS, ADULT, MERGE_PATCH, Caller, account_of
from tests.support.outbox import Outbox

Call = Callable[..., Caller]
YEAR = datetime.now(UTC).year

TAKEN = [
    ("name", " Ada <b>&</b> ", " Ada <b>&</b> "),
    ("name", "é" * 255, "é" * 255),
    ("bio", "line\nline\t😀", "line\nline\t😀"),
    ("bio", "😀" * 300, "😀" * 300),
    ("bio", "", None),
    ("bio", None, None),
    ("goals", "", ""),
    ("goals", "g" * 5000, "g" * 5000),
    ("goals", None, None),
    ("mailing_address", "", ""),
    ("mailing_address", "a\r\nb", "a\r\nb"),
    ("language", "", ""),
    ("language", "l" * 255, "l" * 255),
    ("language", None, None),
    *[("gender", value, value or None) for value in ("f", "m", "o", None, "")],
    *[
        ("level_of_education", value, value or None)
        for value in ("p", "m", "b", "a", "hs", "jhs", "el", "none", "o", "other", "", None)
    ],
    *[("country", value, value or None) for value in ("DE", "XK", "", None)],
    ("year_of_birth", 1980, 1980),
    ("year_of_birth", "1980", 1980),
    ("year_of_birth", YEAR, YEAR),
    ("year_of_birth", YEAR - 120, YEAR - 120),
    ("year_of_birth", "", None),
    ("year_of_birth", None, None),
    ("year_of_birth", ADULT, ADULT),
    (
        "language_proficiencies",
        [{"code": "en", "x": 1}, {"code": "zh_HANS"}],
        [{"code": "en"}, {"code": "zh_HANS"}],
    ),
    ("language_proficiencies", [{"code": "bh"}], [{"code": "bh"}]),
    ("language_proficiencies", None, []),
    ("language_proficiencies", [], []),
    ("account_privacy", "private", "private"),
    ("account_privacy", None, "all_users"),
]
TWICE = [{"code": "en"}] * 2
REFUSED = [
    *[("name", value) for value in (None, "", "  ", "n" * 256, "a\nb", "a\0b", 7, [], True)],
    *[("bio", value) for value in ("b" * 301, 7, "a\0", "\ud800", {}, False)],
    *[("goals", value) for value in (7, "\0", "\udfff", [])],
    *[("mailing_address", value) for value in (7, "x\0", {})],
    *[("language", value) for value in ("l" * 256, 7, "\0")],
    *[("gender", value) for value in ("x", "F", 7, [], True)],
    *[("level_of_education", value) for value in ("PhD", 7, {})],
    *[("country", value) for value in ("de", "XX", "EU", "Germany", 7)],
    *[
        ("year_of_birth", value)
        for value in (YEAR + 1, YEAR - 121, "abc", "19 80", "１９８０", True, False, 1980.0, 1980.5, [], "-1")
    ],
    *[
        ("language_proficiencies", value)
        for value in ("en", {}, ["en"], [{}], [{"code": "EN"}], [{"code": "xx"}], [{"code": 7}], TWICE)
    ],
    *[("account_privacy", value) for value in ("", "custom", "friends", 7, [])],
    *[
        (name, value)
        for name in READ_ONLY
        for value in (None, "alice", True)
    ],
    *[("email", value) for value in ("", None, 7, "x", "a@b@c", "alice@example.com", "ALICE@example.com")],
    ("email", "a" * 250 + "@x.example"),
    *[
        ("social_links", value)
        for value in (
            "x",
            [{}],
            ["x"],
            [{"platform": "x"}],
            [{"platform": "myspace", "social_link": "x"}],
            [{"platform": "x", "social_link": "https://evil.example/x"}],
            [{"platform": "x", "social_link": "https://x.com.evil.example/x"}],
            [{"platform": "x", "social_link": "https://user@x.com/x"}],
            [{"platform": "x", "social_link": "javascript:alert(1)"}],
            [{"platform": "x", "social_link": "a/b"}],
            [{"platform": "x", "social_link": "https://x.com/"}],
            [{"platform": "x", "social_link": "a b"}],
            [{"platform": "x", "social_link": 7}],
            [{"platform": "x", "social_link": "a"}, {"platform": "twitter", "social_link": "b"}],
            [{"platform": ["x"], "social_link": "a"}],
        )
    ],
]  # fmt: skip


def test_every_value_that_is_taken(call: Call, adult: Person) -> None:
    caller = call(adult)
    for name, sent, shown in TAKEN:
        before = caller.get(account_of(adult)).json
        after = caller.change({name: sent}).json
        assert after[name] == shown, (name, sent)
        changed = {key for key in after if after[key] != before[key]}
        assert changed <= {name, "account_privacy", "requires_parental_consent"}, (name, sent)
        assert caller.get(account_of(adult)).json == after


def test_every_value_that_is_refused(call: Call, adult: Person, outbox: Outbox) -> None:
    caller = call(adult)
    before = caller.get(account_of(adult)).json
    for name, sent in REFUSED:
        errors = caller.change({name: sent, "goals" if name != "goals" else "bio": "new"}, 400).json
        assert errors.keys() == {"field_errors"}, (name, sent, errors)
        assert errors["field_errors"].keys() == {name}, (name, sent)
        told = errors["field_errors"][name]
        assert told.keys() == {"developer_message", "user_message"}
        assert all(isinstance(text, str) and text for text in told.values())
        assert "verification" not in told["user_message"].lower()
    assert caller.get(account_of(adult)).json == before
    assert outbox.take() == []


def test_all_bad_members_are_told_at_once(call: Call, adult: Person) -> None:
    errors = call(adult).change({"gender": "x", "country": 1, "goals": "g", "phone": {}, "id": 7}, 400).json
    assert errors["field_errors"].keys() == {"gender", "country"}
    assert call(adult).change({"id": 7, "is_staff": True, "phone": "\0"}).json["goals"] is None


def test_the_order_of_checks(
    call: Call, app: TestApp, adult: Person, register: Callable[..., Person], stores: Process
) -> None:
    bob, staff = register("bob"), register("staff", is_staff=True)
    reader = call(adult, "profile_read")
    writer = call(adult, "profile_write")
    plain = {"Content-Type": "application/json"}
    large = b'{"goals": "' + b"g" * 1024 * 1024 + b'"}'
    alice, nobody = account_of(adult), account_of("nobody")

    def status(path: str, body: bytes, headers: dict[str, str]) -> int:
        return app.patch(path, body, headers=headers, expect_errors=True).status_int

    def patch_of(caller: Caller) -> dict[str, str]:
        return {**caller.headers, "Content-Type": MERGE_PATCH}

    assert status(nobody, large, {}) == 401
    assert status(nobody, large, {**reader.headers, **plain}) == 403
    assert status(nobody, large, {**writer.headers, **plain}) == 415
    assert status(nobody, large, writer.headers) == 415
    assert status(nobody, large, patch_of(writer)) == 413
    for body in (b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"a": NaN}', b"[" * 100_000, b'{"a":1} x'):
        answer = app.patch(nobody, body, headers=patch_of(writer), status=400)
        assert answer.json.keys() == {"developer_message", "user_message"}
    assert status(nobody, b'{"gender": "x"}', patch_of(writer)) == 404
    for caller, path, expected in (
        (call(bob), alice, 404),
        (call(bob), nobody, 404),
        (call(staff), alice, 403),
        (call(staff), nobody, 404),
    ):
        answer = app.patch(path, b'{"gender": "x"}', headers=patch_of(caller), status=expected)
        assert answer.json.keys() == {"detail"}
    assert status(alice, b'{"email": 7, "gender": "x"}', patch_of(writer)) == 403
    assert status(alice, b'{"gender": "x"}', patch_of(writer)) == 400
    assert writer.change({"goals": "g"}).json["goals"] == "g"
    refused = app.patch(alice, b"{}", headers={**writer.headers, **plain}, status=415)
    assert refused.headers["Accept-Patch"] == MERGE_PATCH
    with_charset = {**writer.headers, "Content-Type": f"{MERGE_PATCH}; charset=utf-8"}
    assert status(alice, b"{}", with_charset) == 200
    missing = app.patch(alice, b"{}", headers={**reader.headers, "Content-Type": MERGE_PATCH}, status=403)
    assert 'error="insufficient_scope"' in missing.headers["WWW-Authenticate"]


def test_social_links_are_merged(call: Call, adult: Person) -> None:
    caller = call(adult)

    def links(value: object) -> dict[str, str]:
        shown = caller.change({"social_links": value}).json["social_links"]
        assert [link["platform"] for link in shown] == sorted(link["platform"] for link in shown)
        return {link["platform"]: link["social_link"] for link in shown}

    assert links([{"platform": "xTwitter", "social_link": "http://www.twitter.com/ada/"}]) == {
        "x": "https://x.com/ada"
    }
    assert links([{"platform": "linkedin", "social_link": "ada"}]) == {
        "x": "https://x.com/ada",
        "linkedin": "https://www.linkedin.com/in/ada",
    }
    both = links([{"platform": "facebook", "social_link": "https://facebook.com/ada?x=y"}])
    assert both["facebook"] == "https://www.facebook.com/ada"
    assert links([]) == both
    assert links([{"platform": "twitter", "social_link": ""}]).keys() == {"facebook", "linkedin"}
    assert links([{"platform": "facebook", "social_link": None}]).keys() == {"linkedin"}
    assert links(None) == {}


@pytest.mark.parametrize("name", ["name_change", "deactivate_logout"])
def test_an_account_named_like_a_companion_call(
    name: str, call: Call, register: Callable[..., Person], stores: Process
) -> None:
    person = register("soon-renamed")
    with stores.transaction() as store:
        account = store.session.get_one(Account, person.id)
        account.username = account.username_key = name
    person = replace(person, username=name)
    caller = call(person)
    assert caller.get(f"{ACCOUNTS}/{name}/").json["username"] == name
    assert caller.change({"goals": "g"}).json["goals"] == "g"


def test_r09_changes_at_once(call: Call, app: TestApp, adult: Person) -> None:
    caller = call(adult)
    codes = [["de", "en"], ["fr", "it"], ["es", "pt"], ["ja", "zh"]]
    bodies: list[dict[str, object]] = [
        {"goals": "g"},
        {"bio": "b"},
        {"gender": "f"},
        {"country": "DE"},
        {"social_links": [{"platform": "x", "social_link": "a"}]},
        {"social_links": [{"platform": "facebook", "social_link": "b"}]},
        *({"language_proficiencies": [{"code": code} for code in pair]} for pair in codes),
    ]

    def patch(body: dict[str, object]) -> int:
        headers = {**caller.headers, "Content-Type": MERGE_PATCH}
        sent = TestApp(app.app).patch(
            account_of(adult), json.dumps(body).encode(), headers=headers, expect_errors=True
        )
        return sent.status_int

    assert set(concurrently([lambda body=body: patch(body) for body in bodies])) == {200}
    shown = caller.get(account_of(adult)).json
    assert [shown[name] for name in ("goals", "bio", "gender", "country")] == ["g", "b", "f", "DE"]
    assert {link["platform"] for link in shown["social_links"]} == {"x", "facebook"}
    assert [item["code"] for item in shown["language_proficiencies"]] in codes
