"""S16: answers do not tell who has an account."""

from collections.abc import Callable
from typing import Any

import pytest

from accountsapp.domain import accounts
from accountsapp.domain.keys import make_api_key
from accountsapp.stores import Stores
from tests.apis.conftest import Bookie
from tests.conftest import PASSWORD, Person

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
def names(register: Callable[..., Person], stores: Stores) -> list[str]:
    """Somebody, nobody, an administrator, a deactivated one, a deleted one, one of another script."""
    register("known")
    register("admin", is_admin=True)
    locked, gone = register("locked"), register("gone")
    with stores.transaction() as store:
        accounts.deactivate(store, locked.id)
        accounts.delete(store, gone.id)
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


def test_s16_forgotten_password(bookie: Bookie, names: list[str]) -> None:
    answers = {
        repr(seen(bookie("POST", "/suspend", form={"email": address})))
        for address in ("known@example.com", "nobody@example.com", "locked@example.com", "gone@example.com")
    }
    assert len(answers) == 1
