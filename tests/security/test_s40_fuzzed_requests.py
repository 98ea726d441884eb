"""S40: requests that nobody means, by everybody: none is answered by 5xx, none is dropped, the log
has no traceback, memory does not grow, and what is stored makes sense.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import psutil
import pytest
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.process import Process
from accountsapp.testing.actors import DEAD, FORMER, cast_owner, cast_stranger
from accountsapp.testing.credentials import Holder
from accountsapp.testing.people import Person
from accountsapp.tree import rows
from tests.conftest import Soak
from tests.support.fuzzed_bytes import GOOD, MESSAGES, spoil
from tests.support.fuzzing import Fuzzer
from tests.support.invariants import breaches
from tests.support.servers import Server
from tests.support.wire import Dropped, Wire, exchange, statuses_of

SEED = int(os.environ.get("FUZZ_SEED", "40"))
"""Another one makes other requests."""
ROUND = 100
"""Requests after which everybody is somebody new, with credentials that are good again."""
MOST_GROWTH = 50 * 2**20
"""Bytes of resident memory."""
UNKNOWN_CODING = 501
"""What a server says to a transfer coding that it does not know (RFC 9112 6.1)."""
AT_ONCE, LONGEST_TALK = 200, 1.0


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, {**ini, "accountsapp.jobs": "embedded"}).wait()
    yield server
    server.stop()


@pytest.fixture
def people(register: Callable[..., Person], stores: Process) -> Callable[[int], dict[str, Holder]]:
    """Makes a new account for each actor."""

    def make(number: int) -> dict[str, Holder]:
        def named(username: str, **fields: object) -> Person:
            return register(f"{username.replace(' ', '-')[:20]}-{number}", **fields)

        strangers = {actor: cast_stranger(actor, named, stores) for actor in ("other", "staff", FORMER)}
        administrator = {"administrator": cast_stranger("administrator", named, stores)}
        owners = {
            actor: cast_owner(actor, lambda _, actor=actor, **fields: named(actor, **fields), stores)
            for actor in ("self", *DEAD)
        }
        return {**strangers, **administrator, **owners}

    return make


def memory_of(server: Server) -> int:
    """Resident bytes."""
    return psutil.Process(server.pid).memory_info().rss


def check_afterwards(server: Server, database: Database) -> None:
    assert "Traceback" not in server.log.read_text(errors="replace")
    assert list(breaches(database)) == []


def test_s40_requests_made_from_the_tree(
    app: TestApp,
    server: Server,
    database: Database,
    people: Callable[[int], dict[str, Holder]],
    soak: Soak,
) -> None:
    fuzzer = Fuzzer(Random(SEED), rows(app.app.registry), people(0))
    statuses: set[object] = set()
    before, warm = 0, soak(ROUND, 1_000)  # what is loaded at its first use is there then
    with Wire(server.port) as wire:
        for number in range(soak(400, 10_000)):
            if number % ROUND == 0:
                wire.close()  # who says nothing for long is let go of
                fuzzer.holders = people(number + 1)
            request = fuzzer.request()
            try:
                outcome: int | Dropped = wire.ask(request.raw, request.method).status
            except Dropped as error:
                outcome = error
            is_answered = isinstance(outcome, int) and outcome < 500
            assert is_answered, f"seed {SEED}, request {number}: {outcome}\n{request.raw!r}"
            statuses.add(outcome)
            before = before or (memory_of(server) if number > warm else 0)
    assert memory_of(server) - before < MOST_GROWTH
    assert {200, 400, 401, 403, 404, 405} <= statuses
    check_afterwards(server, database)


def test_s40_bytes_that_are_no_request(server: Server, database: Database, soak: Soak) -> None:
    random = Random(SEED)
    messages = [*MESSAGES, *(spoil(random.choice(MESSAGES), random) for _ in range(soak(100, 5_000)))]
    exchange(server.port, [GOOD], seconds=LONGEST_TALK)
    before = memory_of(server)
    for first in range(0, len(messages), AT_ONCE):
        some = messages[first : first + AT_ONCE]
        for message, said in zip(some, exchange(server.port, some, seconds=LONGEST_TALK), strict=True):
            wrong = {status for status in statuses_of(said) if status >= 500} - {UNKNOWN_CODING}
            assert not wrong, f"seed {SEED}: {wrong}\n{message!r}"
        (said,) = exchange(server.port, [GOOD], seconds=LONGEST_TALK)
        assert statuses_of(said) == [200]
    assert memory_of(server) - before < MOST_GROWTH
    check_afterwards(server, database)
