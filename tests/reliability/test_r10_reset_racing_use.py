"""R10: a key is used by many while it is replaced again and again, and by whom its owner gets rid of."""

from functools import partial
from threading import Event
from time import perf_counter
from typing import Any, NamedTuple

from webtest import TestApp

from accountsapp.domain.credentials import api_keys, sessions
from accountsapp.process import Process
from accountsapp.testing.credentials import csrf_token
from accountsapp.testing.people import Person
from tests.conftest import Soak
from tests.support.concurrently import concurrently

USERS = 20
RESETS = 100
PAUSE = 0.005
"""Seconds between two uses by one user, so that dozens meet each reset. Without, as in the whole form, a
thousand do: twenty threads keep the interpreter from the one that resets.
"""


class Use(NamedTuple):
    """One request with the key of generation ``generation``, from ``started`` to ``ended``."""

    generation: int
    status: int
    started: float
    ended: float


def test_r10_key_reset_racing_use(wsgi: Any, alice: Person, soak: Soak) -> None:
    keys = [alice.api_key]
    asked: list[float] = []
    acknowledged: list[float] = []
    done = Event()

    def reset() -> list[Use]:
        app = TestApp(wsgi)
        try:
            for _ in range(RESETS):
                asked.append(perf_counter())
                answer = app.post("/api/v1/alice/api_key", {"api_key": keys[-1]})
                acknowledged.append(perf_counter())
                keys.append(answer.json["api_key"])
        finally:
            done.set()
        return []

    def use() -> list[Use]:
        app, uses = TestApp(wsgi), []
        while not done.wait(soak(PAUSE, 0)):
            generation = len(keys) - 1
            started = perf_counter()
            answer = app.get("/api/v1/alice/account", {"api_key": keys[generation]}, expect_errors=True)
            uses.append(Use(generation, answer.status_int, started, perf_counter()))
        return uses

    uses = [each for seen in concurrently([reset, *[use] * USERS]) for each in seen]
    assert len(set(keys)) == RESETS + 1
    assert {use.status for use in uses} <= {200, 403}
    assert any(use.status == 200 for use in uses)
    for use in uses:
        replaced = use.generation < RESETS
        if replaced and use.started > acknowledged[use.generation]:
            assert use.status == 403, "a key opened after its replacement was acknowledged"
        if not replaced or use.ended < asked[use.generation]:
            assert use.status == 200, "the one good key was refused"
    for generation, key in enumerate(keys):
        answer = TestApp(wsgi).get("/api/v1/alice/account", {"api_key": key}, expect_errors=True)
        assert answer.status_int == (200 if generation == RESETS else 403)


def test_r10_two_resetters(wsgi: Any, alice: Person) -> None:
    """Both begin with the same key; after each pair exactly one of the two new keys opens."""
    key = alice.api_key

    def reset(presented: str) -> tuple[int, str]:
        given = {"api_key": presented}
        answer = TestApp(wsgi).post("/api/v1/alice/reset_api_key", given, expect_errors=True)
        return answer.status_int, answer.json.get("api_key", "")

    for _ in range(20):
        answers = concurrently([partial(reset, key), partial(reset, key)])
        assert sorted(status for status, _ in answers) == [200, 403]
        old, key = key, next(made for status, made in answers if status == 200)
        for presented, status in ((old, 403), (key, 200)):
            answer = TestApp(wsgi).get("/api/v1/alice/account", {"api_key": presented}, expect_errors=True)
            assert answer.status_int == status


STRANGERS = 3


def test_r10_no_key_is_made_after_its_owner_got_rid_of_strangers(
    wsgi: Any, stores: Process, alice: Person, soak: Soak
) -> None:
    """Strangers are signed in as well and reset the key while its owner ends all other sessions."""

    def key() -> str | None:
        with stores.transaction() as store:
            row = store.reader.by_username("alice")
            assert row is not None
            return api_keys.reveal(store, row)

    def begin() -> str:
        with stores.transaction() as store:
            return sessions.begin(store.session, store.lock(alice.id), None, by_password=True)

    def post(path: str, cookie: str, **form: str) -> int:
        headers = {"Cookie": f"sessionid={cookie}", "X-CSRFToken": csrf_token(stores, cookie)}
        return TestApp(wsgi).post(path, form, headers=headers, expect_errors=True).status_int

    def get_rid(cookie: str) -> str | None:
        assert post("/sessions", cookie, session="others") == 303
        return key()

    def reset(cookie: str) -> None:
        assert post("/account/alice/resetapikey", cookie) == 303

    owner = begin()
    for _ in range(soak(40, 200)):
        strangers = [partial(reset, begin()) for _ in range(STRANGERS)]
        kept, *_ = concurrently([partial(get_rid, owner), *strangers])
        assert key() == kept, "a key was made after the end of the session"
