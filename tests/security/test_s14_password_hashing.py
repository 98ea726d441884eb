"""S14: no password is cut, none brings bcrypt to fail, an old hash is made anew once."""

import logging
from collections.abc import Callable

import bcrypt
import pytest
from sqlalchemy import select, update

from accountsapp.db.database import Database
from accountsapp.domain.credentials import signin
from accountsapp.domain.data.models import Account
from accountsapp.domain.errors import WrongPassword
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie


def change(bookie: Bookie, person: Person, current: object, new: object) -> int:
    answer = bookie(
        "POST",
        "/alice/password",
        query={"api_key": person.api_key},
        json={"current_password": current, "new_password": new},
    )
    return answer.status_int


def stored(database: Database, person: Person) -> str:
    with database.read_engine.connect() as connection:
        return str(connection.execute(select(Account.password_hash).where(Account.id == person.id)).scalar())


def put_hash(database: Database, person: Person, password_hash: str) -> None:
    with database.begin() as session:
        session.execute(update(Account).where(Account.id == person.id).values(password_hash=password_hash))


def signs_in(stores: Process, name: str, password: str) -> bool:
    with stores.transaction() as store:
        try:
            signin.authenticate(store, name, password)
        except WrongPassword:
            return False
        return True


REFUSED = (
    "p" * 73,
    "p" * 1024,
    "p" * 1025,
    "😀" * 20,
    "good\0password",
    "",
    None,
    12345678901,
    ["long enough"],
)
CORRUPT = ("x", "$2b$04$short", "$2b$99$" + "a" * 53, "$1$md5$crypt", "$2b$04$" + "é" * 53, "!", "")


def test_s14_new_passwords(bookie: Bookie, alice: Person) -> None:
    for refused in REFUSED:
        assert change(bookie, alice, PASSWORD, refused) == 406
    assert change(bookie, alice, PASSWORD, "p" * 71 + "q") == 200
    assert change(bookie, alice, "p" * 71 + "q", "😀" * 18) == 200


def test_s14_current_passwords_are_simply_wrong(bookie: Bookie, alice: Person) -> None:
    for current in (*REFUSED, "p" * 72, [], {}):
        assert change(bookie, alice, current, "another good battery") == 403


def test_s14_two_passwords_alike_in_72_bytes(bookie: Bookie, database: Database, alice: Person) -> None:
    longest = "p" * 60 + "0123456789ab"
    assert change(bookie, alice, PASSWORD, longest) == 200
    for wrong in (longest + "x", longest[:-1] + "x", longest[:-1]):
        assert change(bookie, alice, wrong, "another good battery") == 403
    assert change(bookie, alice, longest, "another good battery") == 200


def test_s14_a_corrupt_hash_is_a_plain_failure(
    bookie: Bookie, database: Database, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    for broken in CORRUPT:
        put_hash(database, alice, broken)
        with caplog.at_level(logging.WARNING):
            assert change(bookie, alice, PASSWORD, "another good battery") == 403
        if broken:
            assert "malformed" in caplog.text
            assert len(broken) < 3 or broken not in caplog.text
        caplog.clear()


def test_s14_imported_hashes(bookie: Bookie, database: Database, alice: Person) -> None:
    for prefix in (b"2a", b"2b", b"2y"):
        made = (
            bcrypt.hashpw(b"imported battery", bcrypt.gensalt(4)).decode().replace("2b", prefix.decode(), 1)
        )
        put_hash(database, alice, made)
        assert change(bookie, alice, "imported batterz", "another good battery") == 403
        assert change(bookie, alice, "imported battery", "another good battery") == 200


def test_s14_a_lower_cost_is_upgraded_once(
    make_app: Callable[..., object], database: Database, alice: Person
) -> None:
    stores: Process = make_app(**{"accountsapp.bcrypt_rounds": "5"}).registry.process  # type: ignore[attr-defined]
    before = stored(database, alice)
    assert before.startswith("$2b$04$")
    assert not signs_in(stores, "alice", "wrong battery")
    assert stored(database, alice) == before
    assert signs_in(stores, "alice", PASSWORD)
    upgraded = stored(database, alice)
    assert upgraded.startswith("$2b$05$")
    assert signs_in(stores, "alice", PASSWORD)
    assert stored(database, alice) == upgraded
