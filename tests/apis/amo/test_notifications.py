"""Notifications: listed, chosen, switched off from a mail."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder
from accountsapp.testing.everywhere import dump
from accountsapp.testing.people import SECRET, Person
from tests.support.amo import Amo

OPTIONAL = ["reply", "new_features", "upgrade_success", "sdk_upgrade_success", "new_review", "announcements"]
MANDATORY = ["upgrade_fail", "sdk_upgrade_fail", "reviewer_reviewed", "individual_contact"]


def listed(off: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [
        {"name": name, "enabled": name not in off, "mandatory": name in MANDATORY}
        for name in [*OPTIONAL, *MANDATORY]
    ]


def test_all_ten_in_order(amo: Amo, user: Holder, editor: Holder) -> None:
    for path in ("/account/user/notifications/", f"/account/{user.person.id}/notifications"):
        for who in (user, editor):
            answer = amo("GET", path, who)
            assert (answer.status_int, answer.json) == (200, listed())


def test_choosing(amo: Amo, user: Holder, editor: Holder) -> None:
    path = "/account/user/notifications/"
    assert amo("POST", path, user, {}).json == listed()
    assert amo("POST", path, user).json == listed()
    assert amo("POST", path, user, {"reply": False, "announcements": True}).json == listed(("reply",))
    assert amo("POST", path, editor, form={"reply": "TRUE", "new_review": "False"}).json == listed(
        ("new_review",)
    )
    assert amo("GET", path, user).json == listed(("new_review",))


def test_problems_all_at_once_and_nothing_changed(amo: Amo, user: Holder) -> None:
    path = "/account/user/notifications/"
    for name in MANDATORY:
        for value in (True, False, None, "x"):
            assert amo("POST", path, user, {name: value, "reply": False}).json.keys() == {name}
    for value in (None, "false", 0, 1, [], {}, "\0", "\ud800"):
        assert amo("POST", path, user, {"reply": value, "announcements": False}).json.keys() == {"reply"}
    answer = amo("POST", path, user, {"x": True, "upgrade_fail": True, "reply": 1, "new_review": False})
    assert (answer.status_int, answer.json.keys()) == (400, {"x", "upgrade_fail", "reply"})
    assert amo("POST", path, user, form={"reply": "yes"}).json.keys() == {"reply"}
    assert amo("POST", path, user, files=[("reply", "a.txt", b"true")]).json.keys() == {"reply"}
    for body in (b"[]", b"7"):
        assert amo("POST", path, user, body).status_int == 400
    assert amo("GET", path, user).json == listed()


def test_two_at_once_lose_nothing(amo: Amo, user: Holder, app: TestApp) -> None:
    def choose(name: str) -> int:
        return Amo(TestApp(app.app))("POST", "/account/user/notifications", user, {name: False}).status_int

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(choose, OPTIONAL)) == {200}
    assert amo("GET", "/account/user/notifications", user).json == listed(tuple(OPTIONAL))


def proof(address: str, secret: str = SECRET) -> dict[str, str]:
    """As the contract tells others to make it."""
    key = hmac.digest(secret.encode(), b"accountsapp/amo/unsubscribe/1", "sha256")
    token = urlsafe_b64encode(address.lower().encode()).decode()
    return {"token": token, "hash": hmac.new(key, token.encode(), sha256).hexdigest()}


OFF = {"name": "new_review", "enabled": False, "mandatory": False}


def test_unsubscribing(amo: Amo, user: Holder, stores: Process) -> None:
    good = {**proof("USER@example.com"), "notification": "new_review"}
    unpadded = {**good, "token": good["token"].rstrip("=")}
    for more in ({"body": good}, {"body": good}, {"form": good}, {"body": unpadded}):
        assert amo("POST", "/unsubscribe/", None, more.pop("body", None), **more).json == OFF
    assert amo("POST", "/unsubscribe", user, good, headers={"Authorization": "JWT bad"}).json == OFF
    bad_header = amo("POST", "/unsubscribe", None, good, headers={"Authorization": "Session bad"})
    assert (bad_header.status_int, bad_header.json) == (200, OFF)
    assert amo("GET", "/account/user/notifications/", user).json == listed(("new_review",))


def test_s47_what_does_not_unsubscribe(
    amo: Amo, user: Holder, developer: Holder, stores: Process, app: TestApp
) -> None:
    good = {**proof("user@example.com"), "notification": "reply"}
    other = proof("dev.el-oper_1@example.com")
    before = dump(app)
    for missing in good:
        for value in ({}, {missing: None}, {missing: 7}, {missing: ["x"]}, {missing: "\0"}):
            body = {key: text for key, text in good.items() if key != missing} | value
            answer = amo("POST", "/unsubscribe/", None, body)
            assert (answer.status_int, answer.json.keys()) == (400, {missing})
    flipped = f"{good['hash'][:-1]}{'0' if good['hash'][-1] != '0' else '1'}"
    refused = [
        {"hash": flipped},
        {"hash": good["hash"].upper()},
        {"hash": other["hash"]},
        {"token": other["token"]},
        {"hash": ""},
        {"token": "é"},
        proof("user@example.com", "x" * 40),
        proof("nobody@example.com"),
        {"token": "!!!", "hash": proof("x")["hash"]},
    ]
    bodies = {amo("POST", "/unsubscribe/", None, {**good, **wrong}).body for wrong in refused}
    assert len(bodies) == 1
    statuses = {amo("POST", "/unsubscribe/", None, {**good, **wrong}).status_int for wrong in refused}
    assert statuses == {403}
    for name in (*MANDATORY, "nothing", ""):
        answer = amo("POST", "/unsubscribe/", None, {**good, "notification": name})
        assert (answer.status_int, answer.json.keys()) == (400, {"notification"})
    for body in (b"[]", b"{"):
        assert amo("POST", "/unsubscribe/", None, body).status_int == 400
    assert amo("GET", "/unsubscribe/").status_int == 405
    assert dump(app) == before
    with stores.transaction() as store:
        lifecycle.deactivate(store, user.person.id)
    assert amo("POST", "/unsubscribe/", None, good).status_int == 403


def test_an_older_secret_still_verifies(make_app: Callable[..., Any], alice: Person) -> None:
    amo = Amo(TestApp(make_app(**{"accountsapp.secret": f"{'n' * 40} {SECRET}"})))
    for secret in (SECRET, "n" * 40):
        body = {**proof("alice@example.com", secret), "notification": "new_review"}
        assert amo("POST", "/unsubscribe/", None, body).status_int == 200


def link(name: str = "new_review", address: str = "user@example.com") -> str:
    made = proof(address)
    return f"/users/unsubscribe/{made['token']}/{made['hash']}/{name}/"


def test_the_page_behind_a_link(amo: Amo, user: Holder, app: TestApp) -> None:
    before = dump(app)
    for path in (link(), link()[:-1]):
        shown = app.get(path)
        assert shown.content_type == "text/html"
        assert shown.text.count("<form") == 1
        assert '<form method="post"' in shown.text
        assert app.head(path).status_int == 200
    assert dump(app) == before
    for body, kind in (
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b"", ""),
        (b"\xff" * 100_000, "nonsense"),
        (b"--x", "multipart/form-data"),
        (b"{", "application/json"),
    ):
        app.reset()
        done = app.request(link(), method="POST", body=body, headers={"Content-Type": kind})
        assert (done.status_int, done.content_type) == (200, "text/html")
        assert amo("GET", "/account/user/notifications/", user).json == listed(("new_review",))
        assert amo("POST", "/account/user/notifications/", user, {"new_review": True}).status_int == 200


def test_links_that_are_bad(user: Holder, app: TestApp) -> None:
    before = dump(app)
    token, digest = link().split("/")[3:5]
    for path in (
        link("upgrade_fail"),
        link("nothing"),
        link(address="nobody@example.com"),
        f"/users/unsubscribe/{token}/{digest[:-1]}x/new_review/",
        f"/users/unsubscribe/x/{digest}/new_review/",
        "/users/unsubscribe/%C3%A9/%00/new_review/",
    ):
        for method in ("GET", "POST"):
            answer = app.request(path, method=method, expect_errors=True)
            assert (answer.status_int, answer.content_type) == (403, "text/html")
    assert app.get(f"/users/unsubscribe/{token}/{digest}/", expect_errors=True).status_int == 404
    assert dump(app) == before
