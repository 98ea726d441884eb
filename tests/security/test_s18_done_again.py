"""S18: a request that the database has done again counts as one request, for every limit."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from sqlalchemy.exc import OperationalError
from webtest import TestApp

from accountsapp.domain.emails import addresses
from accountsapp.domain.errors import TooManyAttempts, WrongPassword
from accountsapp.domain.store import Store
from accountsapp.domain.throttle import LIMITS, Throttle
from accountsapp.testing.oauth import basic
from accountsapp.testing.people import PASSWORD, Person
from tests.support.front_end import FrontEnd

CLIENT = {"REMOTE_ADDR": "192.0.2.1"}


@contextmanager
def others_in_the_way() -> Iterator[list[str]]:
    """Of the first request, when it has done all and is about to be committed: it is done again.

    :returns: how each try went
    """
    prepare, tries = Store.prepare, []

    def refuse_first(store: Store) -> None:
        prepare(store)
        tries.append("refused" if not tries else "done")
        if len(tries) == 1:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorname = "SQLITE_BUSY"
            raise OperationalError("COMMIT", None, error)

    with patch.object(Store, "prepare", refuse_first):
        yield tries


def recover(app: TestApp, person: Person, number: int) -> None:
    app.post_json("/api/v1/suspend", {"email": person.email}, extra_environ=CLIENT)


def sign_up(app: TestApp, person: Person, number: int) -> None:
    filled = {"fullname": "Eve Evil", "name": f"eve{number}", "email_addr": f"eve{number}@example.org"}
    page = FrontEnd(app.app)
    page.app.extra_environ.update(CLIENT)
    page.post("/account/register", **filled, password=PASSWORD, confirm=PASSWORD)


def change_address(app: TestApp, person: Person, number: int) -> None:
    body = {"api_key": person.api_key, "email": f"new{number}@example.org"}
    app.post_json("/api/v1/alice/account", body, extra_environ=CLIENT)


def invite(app: TestApp, person: Person, number: int) -> None:
    body = {"api_key": person.api_key, "email": f"invited{number}@example.org"}
    app.post_json("/api/v1/alice/invite", body, extra_environ=CLIENT)


def prove_address(app: TestApp, person: Person, number: int) -> None:
    path, sent = "/api/v1.1/users/alice/emails/", {"headers": basic("alice"), "extra_environ": CLIENT}
    app.patch_json(path, {"email": f"further{number}@example.org", "verified": True}, status=403, **sent)


ACTS: dict[Callable[[TestApp, Person, int], None], set[str]] = {
    recover: {"recovery-address", "recovery-mail", "recovery-burst"},
    sign_up: {"registration"},
    change_address: {"email-change", "mails", "mails-address"},
    invite: {"mails", "mails-address"},
    prove_address: {"mails", "mails-address", "verify-mail", "verify-mails"},
}
"""What people do, and the limits that count it."""


@pytest.mark.parametrize("act", ACTS)
def test_s18_a_request_that_is_done_again_counts_as_one(
    throttled: TestApp, register: Callable[..., Person], act: Callable[[TestApp, Person, int], None]
) -> None:
    """Also as the last one that a limit lets through."""
    registry = throttled.app.registry
    person, counts = register("alice", invite_ct=9), registry.throttle._storage.storage
    for number in (1, 2):
        with registry.process.transaction() as store:
            addresses.add(store, person.id, f"further{number}@example.org")

    def number_of(counter: str) -> int:
        return LIMITS[counter.partition("/")[0]].amount

    def act_again(number: int) -> None:
        with others_in_the_way() as tries:
            act(throttled, person, number)
        assert tries == ["refused", "done"]

    act_again(1)
    assert {counter.partition("/")[0]: count for counter, (count, _) in counts.items()} == dict.fromkeys(
        ACTS[act], 1
    )
    for counter, (_, end) in counts.items():
        counts[counter] = number_of(counter) - 1, end
    act_again(2)
    assert {counter: count for counter, (count, _) in counts.items() if "verify" not in counter} == {
        counter: number_of(counter) for counter in counts if "verify" not in counter
    }


def test_s18_what_a_request_counts_by_when_it_is_done_again() -> None:
    """It is told what the first try was told, and counts what is more."""
    common = Throttle(key_limit="2/minute")
    limits, other = common.of_request(), common.of_request()
    for _ in range(LIMITS["registration"].amount):
        limits.hit("registration", "a")
    with pytest.raises(TooManyAttempts):
        other.check("registration", "a")
    limits.try_again()
    limits.check("registration", "a")
    for _ in range(LIMITS["registration"].amount):
        limits.hit("registration", "a")
    for refuse in (limits.check, limits.hit):
        with pytest.raises(TooManyAttempts):
            refuse("registration", "a")

    assert limits.excess("refused", 1) == limits.excess("refused", 1) == 0
    limits.hit_key("key")
    limits.try_again()
    limits.hit_key("key")
    limits.hit_key("key")
    with pytest.raises(TooManyAttempts):
        limits.hit_key("key")

    with pytest.raises(LookupError), limits.counted("mails", "b"):
        raise LookupError
    for _ in range(2):
        limits.try_again()
        with limits.counted("mails", "b"):
            pass
    limits.try_again()
    with pytest.raises(LookupError), limits.counted("mails", "b"):
        raise LookupError
    assert common._storage.get("mails/b") == 0


def test_s18_a_wrong_password_is_one_when_the_request_is_done_again() -> None:
    common = Throttle()
    limits = common.of_request()
    for _ in range(2):
        with pytest.raises(WrongPassword), limits.guess("alice", "192.0.2.1"):
            raise WrongPassword
        limits.try_again()
    counts = {counter: count for counter, (count, _) in common._storage.storage.items()}
    assert counts == {"password/alice/192.0.2.1": 1, "password-address/192.0.2.1": 1}
    with limits.guess("alice", "192.0.2.1"):
        pass
    assert "password/alice/192.0.2.1" not in common._storage.storage
