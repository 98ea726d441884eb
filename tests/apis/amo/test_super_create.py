"""Accounts that a program makes, with a session of each."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from accountsapp.domain.data.models import Account, AuditEvent
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder, hold
from accountsapp.testing.people import Person
from tests.support.amo import Amo
from tests.support.outbox import Outbox

KEYS = {"user_id", "username", "display_name", "email", "fxa_id", "groups", "session_cookie"}


@pytest.fixture
def creator(register: Callable[..., Person], stores: Process) -> Holder:
    return hold(stores, register("creator", permissions=["Accounts:SuperCreate"]))


def test_everything_is_made_up(amo: Amo, creator: Holder) -> None:
    for more in (
        {},
        {"body": {}},
        {"form": {}},
        {"body": dict.fromkeys(("email", "username", "fxa_id", "group"))},
    ):
        answer = amo("POST", "/super-create/", creator, more.pop("body", None), by_token=True, **more)
        assert (answer.status_int, answer.json.keys()) == (201, KEYS)
        assert "Set-Cookie" not in answer.headers
        said = answer.json
        digits = re.fullmatch(r"super-created-([0-9a-f]{8})", said["username"])
        assert digits
        assert said["display_name"] == f"Super Created {digits[1]}"
        assert said["email"] == f"{said['username']}@super-created.invalid"
        assert (said["fxa_id"], said["groups"]) == (None, [])
        value = said["session_cookie"]["value"]
        assert said["session_cookie"] == {
            "name": "sessionid",
            "value": value,
            "encoded": f"sessionid={value}",
        }
        profile = amo("GET", "/profile/", headers={"Authorization": f"Session {value}"}).json
        assert (profile["id"], profile["is_verified"]) == (said["user_id"], False)
        assert profile["last_login"] is not None
        page = amo.app.get("/sessions", headers={"Cookie": f"sessionid={value}"})
        assert b'name="password"' not in page.body


@pytest.mark.parametrize(
    ("group", "listed", "permissions"),
    [
        ("reviewer", [[1, "reviewer", "Addons:Review"]], ["Addons:Review"]),
        ("admin", [[2, "admin", "*:*"]], ["*:*"]),
    ],
)
def test_everything_is_given(
    group: str,
    listed: list[Any],
    permissions: list[str],
    amo: Amo,
    creator: Holder,
    stores: Process,
    outbox: Outbox,
) -> None:
    given = {"email": "New@Example.com", "username": "New.Name", "fxa_id": "f" * 128, "group": group}
    said = amo("POST", "/super-create/", creator, given).json
    assert {key: said[key] for key in ("email", "username", "fxa_id")} == {
        key: given[key] for key in ("email", "username", "fxa_id")
    }
    assert said["groups"] == listed
    value = said["session_cookie"]["value"]
    assert (
        amo("GET", "/profile/", headers={"Authorization": f"Session {value}"}).json["permissions"]
        == permissions
    )
    with stores.transaction() as store:
        account = store.session.get(Account, said["user_id"])
        assert account is not None
        assert (account.password_hash, account.state, account.is_admin) == (None, "active", False)
        events = store.session.scalars(select(AuditEvent).where(AuditEvent.account_id == account.id)).all()
        (event,) = [event for event in events if event.event == "super-created"]
        assert event.actor_id == creator.person.id
        assert value not in str(event.detail)
    assert outbox.take() == []


def test_wrong_values_all_at_once(amo: Amo, creator: Holder, stores: Process) -> None:
    amo(
        "POST",
        "/super-create/",
        creator,
        {"fxa_id": "taken", "username": "taken", "email": "taken@example.com"},
    )
    with stores.transaction() as store:
        before = store.session.scalars(select(Account.id)).all()
    wrong: dict[str, list[Any]] = {
        "email": [
            "x",
            "",
            "a@b",
            7,
            "TAKEN@example.com",
            f"{'a' * 250}@example.com",
            "a@b.example\0",
            [],
            "\ud800@x.y",
        ],
        "username": ["ab", "", "Taken", "account", "1234", "a" * 36, "é", 7, True, "a\0b", {}],
        "fxa_id": ["", "taken", "f" * 129, 7, "a\0", "\ud800"],
        "group": ["Admin", "", 1, "nobody", ["admin"], {}],
    }
    for key, values in wrong.items():
        for value in values:
            answer = amo("POST", "/super-create/", creator, {key: value})
            assert (answer.status_int, answer.json.keys()) == (422, {"errors"}), (key, value)
            assert answer.json["errors"].keys() == {key}
    for position in (0, 1):
        body = {key: values[position] for key, values in wrong.items()}
        assert amo("POST", "/super-create/", creator, body).json["errors"].keys() == wrong.keys()
    for body in (b"[]", b"{", b"7"):
        answer = amo("POST", "/super-create/", creator, body)
        assert (answer.status_int, answer.json.keys()) == (422, {"errors"})
    with stores.transaction() as store:
        assert store.session.scalars(select(Account.id)).all() == before


def test_s06_who_may(
    amo: Amo, user: Holder, editor: Holder, register: Callable[..., Person], stores: Process
) -> None:
    for who in (user, editor):
        answer = amo(
            "POST", "/super-create/", who, {"group": "admin"}, headers={"Content-Type": "text/plain"}
        )
        assert (answer.status_int, answer.json.keys()) == (403, {"detail"})
        with stores.transaction() as store:
            refused = select(AuditEvent).where(
                AuditEvent.actor_id == who.person.id, AuditEvent.event == "refused"
            )
            assert len(store.session.scalars(refused).all()) == 1
    for number, permissions in enumerate((["Accounts:*"], ["*:SuperCreate"], ["*:*"])):
        who = hold(stores, register(f"creator{number}", permissions=permissions))
        assert amo("POST", "/super-create/", who).status_int == 201
    assert amo("POST", "/super-create/", hold(stores, register("root", is_admin=True))).status_int == 201
