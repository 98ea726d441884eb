"""Bookie 2.4: what administrators do with all accounts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from accountsapp.domain.accounts import administration, lifecycle, registration
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import recovery
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Account, AccountState, EmailAddress, Link
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie, in_path
from tests.support.outbox import Outbox

NEW = "a new and better one"
FULL = [
    "username",
    "name",
    "email",
    "activated",
    "is_admin",
    "signup",
    "last_login",
    "invite_ct",
    "invited_by",
]
REFUSED = (403, {"error": "Not authorized for request."})

CALLS = {
    ("GET", "/a/users/list"): "GET, HEAD, OPTIONS",
    ("POST", "/a/users/add"): "OPTIONS, POST",
    ("DELETE", "/a/users/delete/bob"): "DELETE, OPTIONS",
    ("GET", "/a/accounts/inactive"): "GET, HEAD, OPTIONS",
    ("GET", "/a/accounts/invites"): "GET, HEAD, OPTIONS",
    ("POST", "/a/accounts/invites/bob/3"): "OPTIONS, POST",
    ("GET", "/a/nonactivated"): "DELETE, GET, HEAD, OPTIONS",
    ("DELETE", "/a/nonactivated"): "DELETE, GET, HEAD, OPTIONS",
    ("GET", "/a/applog/list"): "GET, HEAD, OPTIONS",
}


@pytest.fixture
def call(bookie: Bookie, admin: Person) -> Callable[..., tuple[int, Any]]:
    """As the administrator."""

    def make(method: str, path: str, **query: Any) -> tuple[int, Any]:
        answer = bookie(method, path, query={"api_key": admin.api_key, **query})
        return answer.status_int, answer.json

    return make


def pending(stores: Process, username: str, signup: datetime | None) -> int:
    with stores.transaction() as store:
        account = registration.register(
            store, username, f"{username}@example.com", state=AccountState.PENDING
        )
        account.signup = signup
        return account.id


def test_who_may_not(
    bookie: Bookie,
    admin: Person,
    bob: Person,
    register: Callable[..., Person],
    stores: Process,
    snapshot: Callable[[], Any],
) -> None:
    staff, off = register("staff", is_staff=True), register("off", is_admin=True)
    named = [register(name) for name in ("a", "ping", "suspend")]
    with stores.transaction() as store:
        lifecycle.deactivate(store, off.id)
    before = snapshot()
    for method, path in CALLS:
        for key in ("", "wrong", bob.api_key, staff.api_key, off.api_key, *(p.api_key for p in named)):
            for slash in ("", "/"):
                answer = bookie(method, path + slash, query={"api_key": key})
                assert (answer.status_int, answer.json) == REFUSED, (method, path)
        answer = bookie(method, path)
        assert (answer.status_int, answer.json) == REFUSED
        answer = bookie(method, path, query=f"api_key={admin.api_key}&api_key={bob.api_key}")
        assert answer.status_int == 403
    assert snapshot() == before
    for person in named:
        own = bookie("GET", f"/{person.username}/account", query={"api_key": person.api_key})
        assert (own.status_int, own.json["username"]) == (200, person.username)


def test_methods_slashes_and_jsonp(bookie: Bookie, admin: Person, bob: Person) -> None:
    for (method, path), allowed in CALLS.items():
        for slash in ("", "/"):
            options = bookie("OPTIONS", path + slash)
            assert (options.status_int, options.headers["Allow"]) == (204, allowed)
            assert options.headers["Access-Control-Allow-Methods"] == allowed
            for other in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(allowed.split(", ")):
                answer = bookie(other, path + slash, query={"api_key": admin.api_key})
                assert (answer.status_int, answer.headers["Allow"]) == (405, allowed), (other, path)
        bad = bookie(method, path, query={"api_key": admin.api_key, "callback": "f("})
        assert (bad.status_int, bad.json) == (400, {"error": "Invalid callback."})
    wrapped = bookie("GET", "/a/accounts/invites", query={"api_key": admin.api_key, "callback": "f"})
    assert wrapped.text == '/**/f({"users": [["admin", 0], ["bob", 0]]});'
    head = bookie("HEAD", "/a/users/list/", query={"api_key": admin.api_key})
    assert (head.status_int, head.body) == (200, b"")


def test_paths_that_are_none(bookie: Bookie, admin: Person, bob: Person) -> None:
    for path in (
        "/a",
        "/a/users",
        "/a/users/list/x",
        "/a/users/delete",
        "/a/users/delete/bob/x",
        "/a/users/Delete/bob",
        "/a/accounts",
        "/a/accounts/invites/bob",
        "/a/accounts/invites/bob/1/x",
        "/a/accounts/invites//1",
        "/a/nonactivated/x",
        "/a/applog",
        "/a/stats",
        "/a/imports/list",
        "/A/users/list",
        "/admin/users/list",
        "/stats/users",
        "/admin/extension/sync",
        "/admin/bmarks",
    ):
        for method in ("GET", "POST", "DELETE"):
            answer = bookie(method, path, query={"api_key": admin.api_key})
            assert (answer.status_int, answer.json) == (404, {"error": "Not found."}), (method, path)


@pytest.mark.parametrize("how", ["query", "form", "json"])
def test_the_key_in_any_place_and_a_username_beside_it(
    bookie: Bookie, admin: Person, bob: Person, how: str
) -> None:
    given = {"api_key": admin.api_key, "username": "admin"}
    answer = bookie("POST", "/a/accounts/invites/bob/3", **{how: given})
    assert (answer.status_int, answer.json["invite_ct"]) == (200, 3)


def test_users_list(
    call: Callable[..., tuple[int, Any]],
    admin: Person,
    stores: Process,
    register: Callable[..., Person],
) -> None:
    moment = datetime(2011, 4, 7, 17, 50, 18, 5, tzinfo=UTC)
    register("zoe", "1@example.com", name="Mia", signup=moment, last_login=moment, invite_ct=4)
    register("Bea", "3@example.com", name="Ann", invited_by="zoe")
    register("a-c", "2@example.com")
    register("ab", "4@example.com")
    status, body = call("GET", "/a/users/list")
    assert (status, list(body)) == (200, ["count", "total", "users"])
    assert (body["count"], body["total"]) == (5, 5)
    assert all(list(user) == FULL for user in body["users"])
    assert [user["username"] for user in body["users"]] == ["a-c", "ab", "admin", "Bea", "zoe"]
    zoe = body["users"][-1]
    assert zoe == {
        "username": "zoe",
        "name": "Mia",
        "email": "1@example.com",
        "activated": True,
        "is_admin": False,
        "signup": "2011-04-07 17:50:18",
        "last_login": "2011-04-07 17:50:18",
        "invite_ct": 4,
        "invited_by": None,
    }

    def order(by: str) -> list[str]:
        return [user["username"] for user in call("GET", "/a/users/list", order=by)[1]["users"]]

    assert order("email") == ["zoe", "a-c", "Bea", "ab", "admin"]
    assert order("signup")[0] == "zoe"
    assert order("last_login")[0] == "zoe"
    assert order("name") == ["Bea", "zoe", "admin", "a-c", "ab"]
    part = call("GET", "/a/users/list", limit=2, offset=3)[1]
    assert (part["count"], part["total"]) == (2, 5)
    assert [user["username"] for user in part["users"]] == ["Bea", "zoe"]
    assert call("GET", "/a/users/list/", offset=99)[1] == {"count": 0, "total": 5, "users": []}


def test_bad_numbers_and_orders(call: Callable[..., tuple[int, Any]]) -> None:
    for order in ("id", "password_hash", "api_key", "", "Username", "username desc", "name;", "__class__"):
        status, body = call("GET", "/a/users/list", order=order)
        assert (status, list(body)) == (406, ["error"]), order
    numbers = ("", "x", "-1", "+1", "1.0", " 1", "1e2", "²", "１", "0x1", "None", "1_0", "9" * 30)
    for path in ("/a/users/list", "/a/accounts/inactive", "/a/accounts/invites"):
        for number in (*numbers, "0", "1001"):
            assert call("GET", path, limit=number)[0] == 406, (path, number)
        for number in numbers:
            assert call("GET", path, offset=number)[0] == 406, (path, number)
        for limit, offset in ((1, 0), (1000, 2**31 - 1)):
            assert call("GET", path, limit=limit, offset=offset)[0] == 200


def test_nothing_secret_is_listed(
    call: Callable[..., tuple[int, Any]], bookie: Bookie, alice: Person, stores: Process
) -> None:
    bookie("POST", "/alice/account", form={"api_key": alice.api_key, "email": "pending@example.com"})
    for path in ("/a/users/list", "/a/applog/list"):
        text = str(call("GET", path)[1])
        for secret in (alice.api_key, "$2b$", "pending@example.com", PASSWORD):
            assert secret not in text
    assert call("GET", "/a/users/list")[1]["users"][1]["email"] == "alice@example.com"


@pytest.mark.parametrize("how", ["query", "form", "json"])
def test_add(bookie: Bookie, admin: Person, stores: Process, outbox: Outbox, how: str) -> None:
    given = {"api_key": admin.api_key, "username": "NewUser", "email": "New@Example.com", "is_admin": "1"}
    answer = bookie("POST", "/a/users/add", **{how: given})
    assert answer.status_int == 200
    assert list(answer.json) == [*FULL, "random_pass"]
    assert (answer.json["username"], answer.json["email"]) == ("newuser", "new@example.com")
    assert (answer.json["activated"], answer.json["is_admin"]) == (True, False)
    password = answer.json["random_pass"]
    assert len(password) >= 16
    with stores.transaction() as store:
        row = store.reader.by_username("newuser")
        assert row is not None
        assert row.email_verified
        assert stores.passwords.verify(password, store.reader.password_hash(row.id))
    assert outbox.take() == []
    assert password not in str(bookie("GET", "/a/users/list", query={"api_key": admin.api_key}).json)


def test_what_cannot_be_added(
    bookie: Bookie, admin: Person, bob: Person, snapshot: Callable[[], Any]
) -> None:
    before = snapshot()
    good = {"username": "newuser", "email": "new@example.com"}
    names = [
        "a",
        "A",
        "Ping",
        "suspend",
        "STATS",
        "bmarks",
        "tags",
        "account",
        "Register",
        "signin",
        "static",
    ]
    changes: list[dict[str, object]] = [{"username": name} for name in names]
    changes += [{"username": x} for x in (None, "", "bob", "BOB", "a/b", "x" * 36, "nul\0", "é" * 5, 5, [])]
    changes += [{"email": x} for x in (None, "", "x", "a@b@c", "bob@example.com", "BOB@EXAMPLE.COM", 5, {})]
    for change in changes:
        given = {k: v for k, v in {**good, **change}.items() if v is not None}
        answer = bookie("POST", "/a/users/add", json={**given, "api_key": admin.api_key})
        assert (answer.status_int, list(answer.json)) == (406, ["error"]), change
    assert snapshot() == before


def test_added_by_several_at_once(bookie: Bookie, admin: Person) -> None:
    def add(number: int) -> int:
        given = {"username": "Wanted", "email": f"n{number}@example.com"}
        return bookie("POST", "/a/users/add", json={**given, "api_key": admin.api_key}).status_int

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(add, range(10))) == [200] + [406] * 9


def test_delete(
    call: Callable[..., tuple[int, Any]], bookie: Bookie, bob: Person, register: Callable[..., Person]
) -> None:
    expected = (200, {"success": True, "message": "Removed user: bob"})
    assert call("DELETE", "/a/users/delete/BOB") == expected
    assert bookie("GET", "/bob/ping", query={"api_key": bob.api_key}).status_int == 403
    for name in ("bob", "nobody", "%00", "x" * 5000, "delete"):
        assert call("DELETE", f"/a/users/delete/{name}") == (404, {"error": "User not found."})
    status, body = call("DELETE", "/a/users/delete/Admin/")
    assert (status, list(body)) == (406, ["error"])
    for name in ("jürgen", "x@y.example", "@@v", "delete", "list", "a"):
        register(name, f"mail{len(name)}{ord(name[0])}@example.com")
        answer = call("DELETE", f"/a/users/delete/{in_path(name)}")
        assert answer == (200, {"success": True, "message": f"Removed user: {name}"})
    assert register("bob").username == "bob"


def test_inactive(call: Callable[..., tuple[int, Any]], bob: Person, alice: Person, stores: Process) -> None:
    pending(stores, "waits", now())
    with stores.transaction() as store:
        lifecycle.deactivate(store, bob.id)
    status, body = call("GET", "/a/accounts/inactive/")
    assert (status, body["count"], body["total"]) == (200, 2, 2)
    assert [(u["username"], u["activated"]) for u in body["users"]] == [("bob", False), ("waits", False)]
    assert all(list(user) == FULL for user in body["users"])
    part = call("GET", "/a/accounts/inactive", limit=1, offset=1)[1]
    assert (part["count"], part["total"], part["users"][0]["username"]) == (1, 2, "waits")


def test_invites(call: Callable[..., tuple[int, Any]], register: Callable[..., Person]) -> None:
    register("user2")
    register("Beate", invite_ct=11)
    expected = [["admin", 0], ["Beate", 11], ["user2", 0]]
    assert call("GET", "/a/accounts/invites") == (200, {"users": expected})
    assert call("GET", "/a/accounts/invites/", limit=1, offset=1)[1] == {"users": expected[1:2]}
    status, body = call("POST", "/a/accounts/invites/USER2/1000000/")
    assert (status, list(body)) == (200, FULL)
    assert (body["username"], body["invite_ct"]) == ("user2", 1000000)
    assert call("POST", "/a/accounts/invites/user2/0")[1]["invite_ct"] == 0
    assert call("POST", "/a/accounts/invites/nobody/1") == (404, {"error": "Invalid user account."})
    for count in ("-1", "+1", "1000001", "x", "1.0", "%C2%B2", "%EF%BC%91", "%201", "1e3", "0x1", "9" * 40):
        status, body = call("POST", f"/a/accounts/invites/user2/{count}")
        assert (status, list(body)) == (406, ["error"]), count
    assert call("GET", "/a/accounts/invites")[1]["users"][2] == ["user2", 0]


def test_nonactivated(
    call: Callable[..., tuple[int, Any]], alice: Person, bob: Person, stores: Process
) -> None:
    long_ago = now() - timedelta(days=34)
    pending(stores, "stale", long_ago)
    pending(stores, "Old", long_ago)
    pending(stores, "fresh", now() - timedelta(days=32))
    pending(stores, "unknown", None)
    lately = pending(stores, "lately", long_ago)
    once = pending(stores, "once", long_ago)
    for account_id, days in ((lately, 2), (once, 40)):
        with time_machine.travel(now() - timedelta(days=days)), stores.transaction() as store:
            account = store.session.get(Account, account_id)
            assert account is not None
            links.make(store.session, account, Purpose.RESET, "x@example.com", 60)
    with stores.transaction() as store:
        lifecycle.deactivate(store, bob.id)
        store.session.execute(
            update(Account).where(Account.username.in_(("alice", "bob"))).values(signup=long_ago)
        )
    names = ["Old", "once", "stale"]
    assert call("GET", "/a/nonactivated") == (200, {"count": 3, "status": True, "data": names})
    removed = {"status": True, "message": "Removed non activated accounts"}
    assert call("DELETE", "/a/nonactivated/") == (200, removed)
    assert call("GET", "/a/nonactivated/") == (200, {"count": 0, "status": True, "data": []})
    left = {user["username"] for user in call("GET", "/a/users/list")[1]["users"]}
    assert left == {"admin", "alice", "bob", "fresh", "unknown", "lately"}
    assert call("DELETE", "/a/nonactivated") == (200, removed)


@pytest.fixture
def use_code(stores: Process, bookie: Bookie) -> Callable[..., Callable[[], int]]:
    """Makes an account that nobody activated for long, whose code still works; uses that when called."""

    def make(username: str) -> Callable[[], int]:
        with time_machine.travel(now() - timedelta(days=34)), stores.transaction() as store:
            account = registration.register(
                store, username, f"{username}@example.com", state=AccountState.PENDING, signup=now()
            )
            code = links.make(
                store.session, account, Purpose.RESET, f"{username}@example.com", 60 * 24 * 3600
            )
        given = {"username": username, "code": code, "password": NEW}
        return lambda: bookie("DELETE", "/suspend", json=given).status_int

    return make


def is_whole(stores: Process, username: str, activated: bool) -> bool:
    """Active, with address, password and key, or wholly gone; no code is left either way."""
    with stores.transaction() as store:
        rows = [len(store.session.scalars(select(table)).all()) for table in (EmailAddress, ApiKey, Link)]
        row = store.reader.by_username(username)
        if row is None:
            return not activated and rows == [1, 1, 0]
        active = row.state == AccountState.ACTIVE and row.email_verified
        known = stores.passwords.verify(NEW, store.reader.password_hash(row.id))
        return activated and active and known and rows == [2, 2, 0]


@pytest.mark.parametrize("first", ["activation", "removal"])
def test_nonactivated_waits_for_an_activation_and_the_other_way_round(
    call: Callable[..., tuple[int, Any]],
    use_code: Callable[..., Callable[[], int]],
    admin: Person,
    stores: Process,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
) -> None:
    """The first one has done its work and is not committed when the other begins."""

    def remove() -> int:
        return call("DELETE", "/a/nonactivated")[0]

    use, others = use_code("late"), []
    begin, follow = (use, remove) if first == "activation" else (remove, use)
    operation: Any = (recovery, "reset") if first == "activation" else (administration, "delete_stale_part")
    real = getattr(*operation)

    def and_the_other_begins(*args: Any, **options: Any) -> Any:
        result = real(*args, **options)
        others.append(pool.submit(follow))
        assert not wait(others, 0.5).done, "it waits for the lock"
        return result

    monkeypatch.setattr(*operation, and_the_other_begins)
    with ThreadPoolExecutor(1) as pool:
        statuses = [begin(), others[0].result()]
    assert statuses == ([200, 200] if first == "activation" else [200, 403])
    assert is_whole(stores, "late", activated=first == "activation")


@pytest.mark.one_server
def test_nonactivated_at_the_moment_of_an_activation(
    call: Callable[..., tuple[int, Any]],
    use_code: Callable[..., Callable[[], int]],
    bookie: Bookie,
    admin: Person,
    stores: Process,
) -> None:
    with ThreadPoolExecutor(2) as pool:
        for number in range(10):
            use = use_code(f"late{number}")
            removal, activation = pool.submit(call, "DELETE", "/a/nonactivated"), pool.submit(use)
            assert removal.result()[0] == 200
            assert activation.result() in (200, 403)
            assert is_whole(stores, f"late{number}", activated=activation.result() == 200)
            call("DELETE", f"/a/users/delete/late{number}")


def test_applog(call: Callable[..., tuple[int, Any]], bookie: Bookie, bob: Person) -> None:
    bookie(
        "POST",
        "/bob/password",
        form={"api_key": bob.api_key, "current_password": "typo of mine", "new_password": "quite another"},
    )
    status, body = call("GET", "/a/applog/list")
    assert (status, list(body)) == (200, ["count", "logs"])
    assert body["count"] == len(body["logs"])
    keys = ["user", "component", "status", "message", "payload", "tstamp"]
    assert all(list(log) == keys for log in body["logs"])
    newest = body["logs"][0]
    assert (newest["user"], newest["message"]) == ("bob", "wrong current password")
    assert "typo of mine" not in str(body)
    times = [log["tstamp"] for log in body["logs"]]
    assert times == sorted(times, reverse=True)
    wrong = call("GET", "/a/applog/list", message="wrong", status=newest["status"], days=400)[1]
    assert (wrong["count"], wrong["logs"]) == (1, [newest])
    assert call("GET", "/a/applog/list", message="nowhere")[1] == {"count": 0, "logs": []}
    assert call("GET", "/a/applog/list", status="no such")[1]["count"] == 0
    for days in ("0", "-1", "x", "401"):
        assert call("GET", "/a/applog/list", days=days)[0] == 406
    with time_machine.travel(now() + timedelta(days=2)):
        assert call("GET", "/a/applog/list")[1]["count"] == 0
        assert call("GET", "/a/applog/list", days=3)[1]["count"] > 0
