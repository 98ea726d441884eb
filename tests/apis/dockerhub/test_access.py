"""Who may call the users endpoints, and in which order that is looked at (dockerhub 1, 2, 3)."""

import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import time_machine
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials import password_change
from accountsapp.domain.data.models import AuditEvent
from accountsapp.process import Process
from accountsapp.testing.oauth import ALL, Client, basic, bearer, issue
from accountsapp.testing.people import PASSWORD, Person

USER = "/api/v1.1/users/alice/"
EMAILS = "/api/v1.1/users/alice/emails/"


class Call(NamedTuple):
    """One call on alice's account.

    :ivar scope: what a bearer token needs
    :ivar status: what alice gets
    """

    method: str
    path: str
    body: dict[str, str] | None
    scope: str
    status: int

    def of(self, username: str) -> "Call":
        """The same on another account."""
        return self._replace(path=self.path.replace("alice", username))

    def send(self, app: TestApp, headers: dict[str, str]) -> Any:
        return call(app, self.method, self.path, self.body, headers=headers)


CALLS = [
    Call("GET", USER, None, "profile_read", 200),
    Call("PATCH", USER, {}, "profile_write", 200),
    Call("GET", EMAILS, None, "email_read", 200),
    Call("POST", EMAILS, {"email": "new@example.com"}, "email_write", 201),
    Call("PATCH", EMAILS, {"email": "alice@example.com"}, "email_write", 200),
    Call("DELETE", EMAILS, {"email": "alice@example.com"}, "email_write", 400),  # the primary one stays
]
EVERY_CALL = pytest.mark.parametrize(
    "one", CALLS, ids=[f"{one.method} {one.path.split('/')[-2]}" for one in CALLS]
)
CHALLENGES = ['Basic realm="accounts", charset="UTF-8"', 'Bearer realm="accounts"']


def call(app: TestApp, method: str, path: str, body: Any = None, **options: Any) -> Any:
    options.setdefault("expect_errors", True)
    if method in ("GET", "HEAD"):
        return getattr(app, method.lower())(path, **options)
    return getattr(app, f"{method.lower()}_json")(path, body if body is not None else {}, **options)


def challenges(answer: Any) -> list[str]:
    return answer.headers.getall("WWW-Authenticate")


# 1. Paths and methods


@pytest.mark.parametrize("path", [USER, EMAILS])
def test_the_final_slash_may_be_left_out(app: TestApp, alice: Person, path: str) -> None:
    with_slash = app.get(path, headers=basic("alice"))
    without = app.get(path.removesuffix("/"), headers=basic("alice"))
    assert with_slash.body == without.body


@pytest.mark.parametrize("path", [USER, EMAILS])
def test_head_is_get_without_a_body(app: TestApp, alice: Person, path: str) -> None:
    answer = app.head(path, headers=basic("alice"))
    assert answer.status_int == 200
    assert answer.body == b""
    assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    ("path", "methods"),
    [(USER, "GET, HEAD, OPTIONS, PATCH"), (EMAILS, "DELETE, GET, HEAD, OPTIONS, PATCH, POST")],
)
@pytest.mark.parametrize("method", ["PUT", "TRACE"])
def test_row_1_another_method_is_405_before_anything_else(
    app: TestApp, path: str, methods: str, method: str
) -> None:
    answer = app.request(path, method=method, expect_errors=True)
    assert answer.status_int == 405
    assert answer.headers["Allow"] == methods
    assert set(answer.json) == {"detail"}
    assert app.options(path, status=204).headers["Allow"] == methods


def test_post_and_delete_of_a_user_are_405(app: TestApp, alice: Person) -> None:
    for method in ("POST", "DELETE"):
        answer = app.request(USER, method=method, headers=basic("alice"), expect_errors=True)
        assert answer.status_int == 405


@pytest.mark.parametrize("name", ["ALICE", "Alice", "aLiCe"])
def test_the_username_matches_in_any_case(app: TestApp, alice: Person, name: str) -> None:
    answer = app.get(f"/api/v1.1/users/{name}/", headers=basic("alice"))
    assert answer.json["username"] == "alice"


@pytest.mark.parametrize(
    "path", ["/api/v1.1/users/", "/api/v1.1/", "/api/v1.1/users/alice/emails/x", "/api/v1.1/users/alice/x"]
)
def test_other_paths_are_404(app: TestApp, alice: Person, path: str) -> None:
    app.get(path, headers=basic("alice"), status=404)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "nonsense", None])
@pytest.mark.parametrize("headers", [basic("alice"), {}])
def test_every_answer_is_json_and_not_kept(
    app: TestApp, alice: Person, accept: str | None, headers: dict[str, str]
) -> None:
    headers = headers | ({"Accept": accept} if accept else {})
    for path in (USER, EMAILS, "/api/v1.1/users/nobody/"):
        answer = app.get(path, headers=headers, expect_errors=True)
        assert answer.content_type == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"


def test_without_the_api_its_paths_are_404(make_app: Callable[..., Any], alice: Person) -> None:
    app = TestApp(make_app(**{"accountsapp.apis": "bookie"}))
    for path in (USER, EMAILS, "/api/v1.1/o/token/", "/api/v1.1/o/authorize/"):
        app.get(path, headers=basic("alice"), status=404)


# 2. Authentication


def test_basic_is_the_account_with_that_name_and_password(app: TestApp, alice: Person) -> None:
    for name in ("alice", "ALICE"):
        assert app.get(USER, headers=basic(name)).json["id"] == alice.id


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_basic_in_any_case(app: TestApp, alice: Person, scheme: str) -> None:
    value = basic("alice")["Authorization"].replace("Basic", scheme)
    app.get(USER, headers={"Authorization": value}, status=200)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_bearer_in_any_case(app: TestApp, stores: Process, alice: Person, scheme: str) -> None:
    app.get(USER, headers={"Authorization": f"{scheme} {issue(stores, alice)}"}, status=200)


def test_only_the_first_colon_separates(app: TestApp, register: Callable[..., Person]) -> None:
    register("colon", password="a:b:c:d:e")
    app.get("/api/v1.1/users/colon/", headers=basic("colon", "a:b:c:d:e"), status=200)


def test_basic_is_utf_8(app: TestApp, register: Callable[..., Person]) -> None:
    register("jürgen", password="pässwörter-☃")
    app.get("/api/v1.1/users/j%C3%BCrgen/", headers=basic("jürgen", "pässwörter-☃"), status=200)
    latin = b64encode("jürgen:pässwörter-".encode("latin-1")).decode()
    app.get("/api/v1.1/users/j%C3%BCrgen/", headers={"Authorization": f"Basic {latin}"}, status=401)


def _encoded(value: bytes) -> str:
    return "Basic " + b64encode(value).decode()


HOSTILE = [
    "Basic",
    "Basic ",
    "Basic %%%",
    "Basic YWxpY2U",
    "Basic  YWxpY2U6 x",
    _encoded(b"alice"),
    _encoded(b":"),
    _encoded(b"alice:"),
    _encoded(b":correct horse battery"),
    _encoded(b"alice\0:correct horse battery"),
    _encoded(b"alice:correct horse battery\0"),
    _encoded(b"alice:" + b"x" * 73),
    _encoded(b"alice:" + b"x" * 5000),
    _encoded(b"\xff\xfe:\xff"),
    _encoded("alice:\ud800".encode("utf-8", "surrogatepass")),
    _encoded(b"alice@example.com:correct horse battery"),
    "Bearer",
    "Bearer ",
    "Bearer \x01",
    "Bearer " + "x" * 5000,
    "Bearer a b c",
    "Bearer \xe9",
    "Digest username=alice",
    "Session abc",
    "JWT abc",
    "Token abc",
    "KEY abc",
    "ApiKey abc",
    "",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_row_2_bad_credentials_are_401(app: TestApp, alice: Person, value: str) -> None:
    answer = app.get(USER, headers={"Authorization": value}, expect_errors=True)
    assert answer.status_int == 401
    expected = list(CHALLENGES)
    if value.lower().startswith("bearer"):
        expected[1] += ', error="invalid_token"'
    assert challenges(answer) == expected
    assert set(answer.json) == {"detail"}


def test_no_credentials_are_401_and_other_credentials_are_none(app: TestApp, alice: Person) -> None:
    token = alice.api_key
    for path in (USER, f"{USER}?api_key={token}", f"{USER}?access_token={token}"):
        answer = app.get(path, expect_errors=True)
        assert answer.status_int == 401
        assert challenges(answer) == CHALLENGES


def test_row_2_own_words_for_none_an_unreadable_and_a_refused_credential(
    app: TestApp, stores: Process, alice: Person
) -> None:
    def words(*headers: dict[str, str]) -> set[str]:
        answers = [app.get(path, headers=h, status=401) for h in headers for path in (USER, EMAILS)]
        return {answer.json["detail"] for answer in answers}

    none = words({})
    unreadable = words(
        *(
            {"Authorization": value}
            for value in ("Basic", "Basic !!!", "Basic YWxpY2U=", "Digest x", "Token abc", "x")
        )
    )
    ended = issue(stores, alice, seconds=0)
    refused = words(
        basic("alice", "wrong"), basic("nobody"), basic("alice", ""), bearer("unknown"), bearer(ended)
    )
    assert [len(each) for each in (none, unreadable, refused)] == [1, 1, 1]
    assert len(none | unreadable | refused) == 3


def test_a_token_counts_in_the_header_alone(app: TestApp, stores: Process, alice: Person) -> None:
    token = issue(stores, alice)
    app.get(f"{USER}?access_token={token}", status=401)
    app.patch(USER, {"access_token": token, "full_name": "x"}, status=401)


def test_a_session_cookie_is_never_looked_at(app: TestApp, stores: Process, alice: Person) -> None:
    client = Client(stores)
    client.code(app)  # signs in
    assert "sessionid" in app.cookies
    app.get(USER, status=401)
    app.patch_json(USER, {"full_name": "x"}, status=401)


def test_an_account_without_a_password_cannot(app: TestApp, register: Callable[..., Person]) -> None:
    register("keyonly", password=None)
    for password in ("", "x" * 8, PASSWORD):
        app.get("/api/v1.1/users/keyonly/", headers=basic("keyonly", password), status=401)


def test_deactivated_and_deleted_accounts_are_401(
    app: TestApp, stores: Process, alice: Person, bob: Person
) -> None:
    heads = [basic("alice"), bearer(issue(stores, alice)), basic("bob"), bearer(issue(stores, bob))]
    for headers in heads[:2]:
        app.get(USER, headers=headers, status=200)
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
        lifecycle.delete(store, bob.id)
    answers = [app.get(USER, headers=headers, status=401) for headers in heads[:2]]
    answers += [app.get("/api/v1.1/users/bob/", headers=headers, status=401) for headers in heads[2:]]
    assert len({answer.body for answer in answers}) == 1


def test_expired_and_revoked_tokens_are_401(app: TestApp, stores: Process, alice: Person) -> None:
    with time_machine.travel(0, tick=False) as clock:
        clock.move_to(time.time() + 10_000_000)
        token = issue(stores, alice, seconds=100)
        clock.shift(99)
        app.get(USER, headers=bearer(token), status=200)
        clock.shift(1)
        answer = app.get(USER, headers=bearer(token), status=401)
    assert challenges(answer)[1] == CHALLENGES[1] + ', error="invalid_token"'


def test_all_basic_401s_look_alike(
    app: TestApp, stores: Process, alice: Person, bob: Person, register: Callable[..., Person]
) -> None:
    register("keyonly", password=None)
    with stores.transaction() as store:
        lifecycle.deactivate(store, bob.id)
    seen = set()
    for name, password in [("alice", "wrong"), ("nobody", "wrong"), ("keyonly", "x"), ("bob", PASSWORD)]:
        answer = app.get(USER, headers=basic(name, password), status=401)
        kept = {k: v for k, v in answer.headers.items() if k not in ("X-Request-Id", "Date")}
        seen.add((answer.body, tuple(sorted(kept.items())), tuple(challenges(answer))))
    assert len(seen) == 1


@pytest.mark.one_server
def test_s16_an_unknown_username_takes_as_long(
    make_app: Callable[..., Any], alice: Person, backend: str
) -> None:
    app = TestApp(make_app(**{"accountsapp.bcrypt_rounds": "10"}))
    app.get(USER, headers=basic("alice"))  # raises the stored cost

    def work(name: str, password: str) -> float:
        """In seconds of the processor, of which others on the machine take nothing."""
        started = time.process_time()
        app.get(USER, headers=basic(name, password), status=401)
        return time.process_time() - started

    tries = [(work("alice", f"wrong{attempt}"), work("nobody", f"wrong{attempt}")) for attempt in range(4)]
    known, unknown = map(min, zip(*tries, strict=True))
    assert 0.4 < known / unknown < 2.5


def test_s18_wrong_passwords_are_counted_and_a_token_goes_on(
    throttled: TestApp, stores: Process, alice: Person
) -> None:
    throttled.get(USER, headers=basic("alice"), status=200)
    for _ in range(10):
        throttled.get(USER, headers=basic("alice", "wrong"), status=401)
    for password in ("wrong", PASSWORD):  # also the one that is remembered
        answer = throttled.get(USER, headers=basic("alice", password), status=429)
        assert int(answer.headers["Retry-After"]) > 0
        assert set(answer.json) == {"detail"}
    throttled.get(USER, headers=bearer(issue(stores, alice)), status=200)


def test_s18_basic_and_the_other_ways_in_share_one_count(throttled: TestApp, alice: Person) -> None:
    for _ in range(10):
        throttled.get(USER, headers=basic("alice", "wrong"), status=401)
    key = {"api_key": alice.api_key, "current_password": "wrong", "new_password": "another good one"}
    throttled.post("/api/v1/alice/password", key, status=429)


# 3. Order of checks


@EVERY_CALL
def test_row_2_the_same_for_known_and_unknown_names(app: TestApp, alice: Person, one: Call) -> None:
    for headers in ({}, basic("alice", "wrong"), bearer("x")):
        first = one.send(app, headers)
        second = one.of("nobody").send(app, headers)
        assert first.status_int == second.status_int == 401
        assert first.body == second.body
        assert challenges(first) == challenges(second)


@EVERY_CALL
def test_row_3_a_token_without_the_scope(
    app: TestApp,
    stores: Process,
    alice: Person,
    one: Call,
) -> None:
    others = [other for other in ALL if other != one.scope]
    token = issue(stores, alice, *others)
    for name in ("alice", "nobody", "bob"):
        answer = one.of(name).send(app, bearer(token))
        assert answer.status_int == 403
        assert challenges(answer) == [
            f'Bearer realm="accounts", error="insufficient_scope", scope="{one.scope}"'
        ]
    answer = one.send(app, bearer(issue(stores, alice, one.scope)))
    assert answer.status_int == one.status


@EVERY_CALL
def test_rows_4_and_5_unknown_is_404_and_another_account_403(
    app: TestApp,
    stores: Process,
    alice: Person,
    register: Callable[..., Person],
    one: Call,
) -> None:
    chief = register("chief", is_admin=True, is_staff=True)
    for headers in (basic("chief"), bearer(issue(stores, chief))):
        answer = one.of("nobody").send(app, headers)
        assert answer.status_int == 404
        assert set(answer.json) == {"detail"}
        answer = one.send(app, headers)
        assert answer.status_int == 403
        assert set(answer.json) == {"detail"}
        assert challenges(answer) == []


@EVERY_CALL
def test_rows_4_and_5_for_a_client_without_an_account(
    app: TestApp,
    stores: Process,
    alice: Person,
    one: Call,
) -> None:
    client = Client(stores, confidential=True)
    headers = bearer(issue(stores, None, client_id=client.id))
    assert one.of("nobody").send(app, headers).status_int == 404
    assert one.send(app, headers).status_int == 403


@pytest.mark.parametrize("path", [USER, EMAILS])
def test_rows_2_to_5_come_before_the_body(app: TestApp, alice: Person, bob: Person, path: str) -> None:
    bad = {"params": b"{", "content_type": "application/json", "expect_errors": True}
    assert app.patch(path, headers=basic("bob"), **bad).status_int == 403
    assert app.patch(path.replace("alice", "nobody"), headers=basic("bob"), **bad).status_int == 404
    assert app.patch(path, headers=basic("bob", "wrong"), **bad).status_int == 401


def test_row_6_comes_before_row_7_and_row_7_before_row_8(app: TestApp, alice: Person) -> None:
    head = basic("alice")
    app.patch(EMAILS, '{"email": 1', headers=head, content_type="application/json", status=400)
    answer = app.patch_json(EMAILS, {"email": "un@known.org", "primary": 1}, headers=head, status=400)
    assert set(answer.json) == {"primary"}


def test_row_8_comes_before_row_9(app: TestApp, alice: Person) -> None:
    app.patch_json(EMAILS, {"email": "un@known.org", "verified": True}, headers=basic("alice"), status=404)


def test_s43_a_refusal_of_somebody_proved_is_audited(
    app: TestApp, stores: Process, alice: Person, bob: Person
) -> None:
    app.get(USER, headers=basic("bob"), status=403)
    app.get(USER, headers=bearer(issue(stores, alice, "email_read")), status=403)
    with stores.transaction() as store:
        rows = store.session.query(AuditEvent).filter(AuditEvent.event == "refused").all()
        assert [(row.account_id, row.actor_id) for row in rows] == [(alice.id, bob.id), (alice.id, alice.id)]


# Basic costs one check of the password a minute (design 4, S20)


@pytest.mark.one_server
def test_a_password_is_remembered_for_a_minute(
    app: TestApp, wsgi: Any, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []
    verify = wsgi.registry.process.passwords.verify
    monkeypatch.setattr(
        wsgi.registry.process.passwords, "verify", lambda *given: checked.append(1) or verify(*given)
    )
    for _ in range(5):
        app.get(USER, headers=basic("alice"), status=200)
    assert len(checked) == 1
    app.get(USER, headers=basic("alice", "wrong"), status=401)
    assert len(checked) == 2
    remembered = wsgi.registry.process.remembered
    for digest in list(remembered._until):
        remembered._until[digest] -= 60
    app.get(USER, headers=basic("alice"), status=200)
    assert len(checked) == 3


@pytest.mark.parametrize("event", ["change", "set", "deactivate", "delete"])
def test_s20_what_ends_a_password_ends_it_on_the_next_request_on_every_server(
    make_app: Callable[..., Any], stores: Process, alice: Person, event: str
) -> None:
    servers = [TestApp(make_app()), TestApp(make_app())]
    for server in servers:
        server.get(USER, headers=basic("alice"), status=200)
    with stores.transaction() as store:
        if event == "change":
            password_change.change(store, alice.id, current=PASSWORD, new="another good one")
        elif event == "set":
            password_change.set_by_operator(store, alice.id, "another good one")
        else:
            getattr(lifecycle, event)(store, alice.id)
    for server in servers:
        server.get(USER, headers=basic("alice"), status=401)


def test_nothing_that_is_remembered_could_be_read(app: TestApp, wsgi: Any, alice: Person) -> None:
    app.get(USER, headers=basic("alice"))
    kept = repr(vars(wsgi.registry.process.remembered))
    assert PASSWORD not in kept
    assert wsgi.registry.process.remembered.knows.__self__._most == 10_000


def test_a_deactivated_account_that_is_activated_again_can(
    app: TestApp, stores: Process, alice: Person
) -> None:
    token = issue(stores, alice)
    app.get(USER, headers=basic("alice"), status=200)
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    app.get(USER, headers=basic("alice"), status=401)
    with stores.transaction() as store:
        lifecycle.activate(store, alice.id)
    app.get(USER, headers=basic("alice"), status=200)
    app.get(USER, headers=bearer(token), status=401)
