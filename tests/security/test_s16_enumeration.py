"""S16: answers do not tell who has an account."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.rules.api_keys import make_api_key
from accountsapp.process import Process
from accountsapp.testing.oauth import basic
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie

PASSWORDS = {"current_password": PASSWORD, "new_password": "another good battery"}
CALLS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "/account", {}),
    ("POST", "/account", {"name": "New Name"}),
    ("GET", "/api_key", {}),
    ("POST", "/api_key", {}),
    ("POST", "/reset_api_key", {}),
    ("POST", "/password", PASSWORDS),
    ("POST", "/account/password", PASSWORDS),
)


@pytest.fixture
def names(register: Callable[..., Person], stores: Process) -> list[str]:
    """Somebody, nobody, an administrator, a deactivated one, a deleted one, one of another script."""
    register("known")
    register("admin", is_admin=True)
    locked, gone = register("locked"), register("gone")
    with stores.transaction() as store:
        lifecycle.deactivate(store, locked.id)
        lifecycle.delete(store, gone.id)
    return ["known", "unknown", "admin", "locked", "gone", "KNOWN", "%D0%B6", "known@example.com", "a"]


def seen(answer: Any) -> tuple[Any, ...]:
    hidden = ("Date", "X-Request-Id")
    return (
        answer.status_int,
        answer.body,
        sorted((name, value) for name, value in answer.headerlist if name not in hidden),
    )


def test_s16_enumeration_by_name(bookie: Bookie, names: list[str], alice: Person) -> None:
    for method, path, body in CALLS:
        for key in (alice.api_key, make_api_key(), "x", "", None):
            answers = set()
            for name in names:
                query = dict(body) | ({"api_key": key} if key is not None else {})
                answer = bookie(method, f"/{name}{path}", query=query)
                assert answer.status_int == 403
                answers.add(repr(seen(answer)))
            assert len(answers) == 1, key


def test_s16_without_a_key_methods_tell_nothing(bookie: Bookie, names: list[str]) -> None:
    for method in ("OPTIONS", "PUT", "HEAD"):
        answers = {repr(seen(bookie(method, f"/{name}/account"))) for name in names}
        assert len(answers) == 1


def test_s16_enumeration_by_address(bookie: Bookie, alice: Person, names: list[str]) -> None:
    """A taken address is asked for like a free one."""
    answers = []
    for address in ("known@example.com", "free@example.com", "locked@example.com", "gone@example.com"):
        query = {"api_key": alice.api_key, "email": address}
        answer = bookie("POST", "/alice/account", query=query)
        assert answer.json["email"] == address
        status, body, headers = seen(answer)
        headers = [pair for pair in headers if pair[0] != "Content-Length"]
        answers.append((status, body.replace(address.encode(), b"@"), headers))
    assert all(answer == answers[0] for answer in answers)


def test_s16_a_taken_address_is_asked_for_with_the_same_work(
    bookie: Bookie, alice: Person, bob: Person, database: Database
) -> None:
    """What is not done cannot be timed: the same statements, and the same jobs for the worker."""
    done: list[list[str]] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        done[-1].append(statement)

    event.listen(database.write_engine, "before_cursor_execute", note)
    for address in ("warm@up.example", bob.email, "free@example.com"):
        done.append([])
        bookie("POST", "/alice/account", form={"api_key": alice.api_key, "email": address})
    assert done[1] == done[2]
    assert any("INSERT INTO job" in statement for statement in done[1])


SIGN_IN = "/api/v1.1/o/applications"
WAYS = ("{}", " {} ", "{}", "{} ", "{}") * 3
"""More tries than the throttle lets through; people type white space."""


def sign_in_answers(app: TestApp, identifier: str, address: str) -> list[Any]:
    """What the form says to wrong passwords, one after the other, without what it repeats."""
    answers = []
    for way in WAYS:
        browser = TestApp(app.app, extra_environ={"REMOTE_ADDR": address})
        form = browser.get(SIGN_IN).form
        typed = way.format(identifier)
        form["username"], form["password"] = typed, "a wrong one"
        status, body, headers = seen(form.submit(expect_errors=True))
        body = body.replace(form["csrf_token"].value.encode(), b"").replace(typed.encode(), b"")
        hidden = ("Set-Cookie", "Content-Length", "Retry-After")
        answers.append((status, body, [pair for pair in headers if pair[0] not in hidden]))
    return answers


def test_s16_sign_in_page(throttled: TestApp, names: list[str]) -> None:
    people = ("known", "unknown", "admin", "locked", "gone", "known@example.com", "nobody@example.com")
    answers = [
        sign_in_answers(throttled, identifier, f"192.0.2.{number}")
        for number, identifier in enumerate(people)
    ]
    assert [answer[0] for answer in answers[0]] == [400] * 10 + [429] * 5
    for identifier, answer in zip(people, answers, strict=True):
        assert answer == answers[0], identifier


def test_s16_basic(throttled: TestApp, names: list[str]) -> None:
    def refusals(name: str, address: str) -> list[Any]:
        url, headers = "/api/v1.1/users/known/", basic(name, "a wrong one")
        environ = {"REMOTE_ADDR": address}
        found = [
            seen(throttled.get(url, headers=headers, extra_environ=environ, expect_errors=True))
            for _ in range(12)
        ]
        return [(s, body, [pair for pair in h if pair[0] != "Retry-After"]) for s, body, h in found]

    people = ("known", "unknown", "admin", "locked", "gone", "known@example.com")
    answers = [refusals(name, f"192.0.2.{number}") for number, name in enumerate(people)]
    assert [answer[0] for answer in answers[0]] == [401] * 10 + [429] * 2
    for name, answer in zip(people, answers, strict=True):
        assert answer == answers[0], name


def test_s16_forgotten_password(bookie: Bookie, names: list[str]) -> None:
    answers = {
        repr(seen(bookie("POST", "/suspend", form={"email": address})))
        for address in ("known@example.com", "nobody@example.com", "locked@example.com", "gone@example.com")
    }
    assert len(answers) == 1
