"""S14, accounts that came from other systems: each door takes their passwords, bcrypt takes their place."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.credentials import signin
from accountsapp.domain.data.models import Account
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.front_end import Browser, FrontEnd
from tests.support.old_hashes import HASHES, LONG_HASHES, LONG_PASSWORD

Door = Callable[[Any, Person, str], bool]


def by_bookie(wsgi: Any, person: Person, password: str) -> bool:
    fields = {"api_key": person.api_key, "current_password": password, "new_password": "one more battery"}
    answer = TestApp(wsgi).post(f"/api/v1/{person.username}/password", fields, expect_errors=True)
    return answer.status_int == 200


def by_basic(wsgi: Any, person: Person, password: str) -> bool:
    credentials = base64.b64encode(f"{person.username}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    answers = [
        TestApp(wsgi).get(f"/api/v1.1/users/{person.username}/", headers=headers, expect_errors=True)
        for _ in range(2)  # the second one finds it remembered
    ]
    assert answers[0].status_int == answers[1].status_int
    return answers[0].status_int == 200


def by_front_end(wsgi: Any, person: Person, password: str) -> bool:
    front_end = FrontEnd(wsgi)
    front_end.get("/account/signin")
    answer = front_end.send("/account/signin", email=person.username, password=password)
    return answer["status"] == "success"


def by_open_edx(wsgi: Any, person: Person, password: str) -> bool:
    app = TestApp(wsgi)
    token = app.get("/csrf/api/v1/token").json["csrfToken"]
    answer = app.post(
        "/api/user/v1/account/login_session",
        {"email": person.email, "password": password},
        headers={"X-CSRFToken": token},
        expect_errors=True,
    )
    return answer.status_int == 200


def by_page(wsgi: Any, person: Person, password: str) -> bool:
    browser = Browser(wsgi)
    form = next(iter(browser.get("/sessions").forms.values()))
    form["username"], form["password"] = person.username, password
    return form.submit(expect_errors=True).status_int == 303


DOORS: tuple[Door, ...] = (by_basic, by_front_end, by_open_edx, by_page, by_bookie)


def stored(database: Database, person: Person) -> str:
    with database.read_engine.connect() as connection:
        return str(connection.scalar(select(Account.password_hash).where(Account.id == person.id)))


def put_hash(database: Database, person: Person, password_hash: str) -> None:
    with database.begin() as session:
        session.execute(update(Account).where(Account.id == person.id).values(password_hash=password_hash))


def test_s14_every_door_takes_it_and_bcrypt_takes_its_place(
    wsgi: Any, database: Database, alice: Person
) -> None:
    for door, kind in zip(
        DOORS, ("django argon2", "werkzeug scrypt", "phpass", "django sha1", "werkzeug sha1"), strict=True
    ):
        put_hash(database, alice, HASHES[kind])
        assert not door(wsgi, alice, PASSWORD + "x"), door
        assert stored(database, alice) == HASHES[kind]
        assert door(wsgi, alice, PASSWORD), door
        assert stored(database, alice).startswith("$2b$04$"), door
    assert by_front_end(wsgi, alice, "one more battery")


def test_s14_every_form_is_replaced_once(stores: Process, database: Database, alice: Person) -> None:
    for form in HASHES.values():
        put_hash(database, alice, form)
        with stores.transaction() as store:
            epoch = signin.authenticate(store, "alice", PASSWORD).credential_epoch
        replaced = stored(database, alice)
        assert replaced.startswith("$2b$04$")
        with stores.transaction() as store:
            assert signin.authenticate(store, "alice", PASSWORD).credential_epoch == epoch
        assert stored(database, alice) == replaced


def test_s14_one_that_is_too_long_for_bcrypt_goes_on(wsgi: Any, database: Database, alice: Person) -> None:
    for form in LONG_HASHES.values():
        put_hash(database, alice, form)
        for door in (by_basic, by_front_end, by_open_edx, by_page):
            assert not door(wsgi, alice, LONG_PASSWORD[:-1])
            assert door(wsgi, alice, LONG_PASSWORD)
            assert stored(database, alice) == form
    assert by_bookie(wsgi, alice, LONG_PASSWORD)
    assert stored(database, alice).startswith("$2b$")


@pytest.mark.parametrize("kind", ["werkzeug pbkdf2 sha1", "django argon2"])
def test_s14_a_dear_one_that_is_stored_is_a_plain_failure(
    wsgi: Any, database: Database, alice: Person, kind: str
) -> None:
    dear = HASHES[kind].replace("1000$", "999999999$").replace("m=1024", "m=99999999")
    assert dear != HASHES[kind]
    put_hash(database, alice, dear)
    for door in DOORS:
        assert not door(wsgi, alice, PASSWORD)
    assert stored(database, alice) == dear
