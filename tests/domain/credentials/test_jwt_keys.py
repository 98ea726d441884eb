"""Signing keys: sealed at rest, sealed anew, used once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from webtest import TestApp

from accountsapp.domain.clock import now
from accountsapp.domain.credentials import jwt_keys
from accountsapp.domain.data.jwt_models import JwtKey
from accountsapp.domain.keyring import SealError
from accountsapp.domain.rotation import Rotated, rotate
from accountsapp.process import Process
from accountsapp.testing.credentials import by_jwt
from accountsapp.testing.people import SECRET, Person
from tests.support.amo import Amo

NEW = "n" * 40


def test_the_secret_is_sealed(stores: Process, alice: Person, database_dump: Callable[[], bytes]) -> None:
    with stores.transaction() as store:
        issued = jwt_keys.issue(store, alice.id)
    assert issued.secret.encode() not in database_dump()
    assert bytes.fromhex(issued.secret) not in database_dump()


def test_rotation(make_app: Callable[..., Any], stores: Process, alice: Person, bob: Person) -> None:
    with stores.transaction() as store:
        issued = jwt_keys.issue(store, alice.id)
        other = jwt_keys.issue(store, bob.id)
    both = make_app(**{"accountsapp.secret": f"{NEW} {SECRET}"})
    amo = Amo(TestApp(both))
    assert amo("GET", "/profile/", headers=by_jwt(issued)).status_int == 200
    process: Process = both.registry.process
    with process.transaction() as store:
        store.session.execute(
            JwtKey.__table__.update().where(JwtKey.account_id == bob.id).values(sealed="broken")
        )
    with process.transaction() as store:
        assert rotate(store, process.database.write) == Rotated(api_keys=2, jwt_keys=1, unreadable=1)
    with process.transaction() as store:
        assert rotate(store, process.database.write) == Rotated(unreadable=1)
    amo = Amo(TestApp(make_app(**{"accountsapp.secret": NEW})))
    assert amo("GET", "/profile/", headers=by_jwt(issued)).status_int == 200
    assert amo("GET", "/profile/", headers=by_jwt(other)).status_int == 401


def test_a_seal_opens_for_its_own_account_and_key_alone(stores: Process, alice: Person, bob: Person) -> None:
    with stores.transaction() as store:
        jwt_keys.issue(store, alice.id)
        key = jwt_keys.issue(store, bob.id).key
        sealed = store.session.scalar(select(JwtKey.sealed).where(JwtKey.account_id == alice.id))
        store.session.execute(
            JwtKey.__table__.update().where(JwtKey.account_id == bob.id).values(sealed=sealed)
        )
    with stores.transaction() as store, pytest.raises(SealError):
        jwt_keys.find(store, key)


def test_a_request_that_is_tried_again_has_used_its_own_token(stores: Process) -> None:
    until = now() + timedelta(minutes=5)
    with stores.transaction() as store:
        assert jwt_keys.use_once(store, "key", "id", until=until, by="one")
        assert jwt_keys.use_once(store, "key", "id", until=until, by="one")
        assert not jwt_keys.use_once(store, "key", "id", until=until, by="two")
        assert jwt_keys.use_once(store, "other", "id", until=until, by="two")
