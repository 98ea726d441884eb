"""Named keys that are used, replaced, ended, rotated, added and reported by several at once."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Barrier, BrokenBarrierError, Event, get_ident
from time import perf_counter
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.credentials import api_keys, key_reports, named_keys
from accountsapp.domain.credentials.named_keys import By, KeyState
from accountsapp.domain.errors import (
    ApiKeyTaken,
    DomainError,
    KeyNameTaken,
    NotRotatable,
    TooManyKeys,
    UnknownKey,
)
from accountsapp.domain.rules.api_keys import hash_of, make_api_key
from accountsapp.domain.transfer import batch
from accountsapp.domain.transfer.fields import about
from accountsapp.domain.transfer.known import Known
from accountsapp.domain.transfer.lines import Counts
from accountsapp.process import Process
from accountsapp.testing.named_keys import add_key, keys_of
from accountsapp.testing.people import Person
from tests.support.bookie import Bookie
from tests.support.concurrently import concurrently
from tests.support.imports import import_records

ROUNDS = 8
CLIENTS = 5
ACCOUNT, API_KEY = "/alice/account", "/alice/api_key"


def call(wsgi: Any, method: str, path: str, api_key: str) -> tuple[int, dict[str, Any]]:
    answer = Bookie(TestApp(wsgi))(method, path, headers={"X-Api-Key": api_key})
    return answer.status_int, answer.json


def works(wsgi: Any, api_key: str, username: str = "alice") -> bool:
    return call(wsgi, "GET", f"/{username}/account", api_key)[0] == 200


def tried(operation: Callable[[], Any]) -> type[DomainError] | None:
    """What an operation refused."""
    try:
        operation()
    except DomainError as refused:
        return type(refused)
    return None


def test_replaced_and_ended_by_its_holders(wsgi: Any, stores: Process, alice: Person) -> None:
    for number in range(ROUNDS):
        first = add_key(stores, alice, str(number)).api_key
        replace = partial(call, wsgi, "POST", API_KEY, first)
        answers = concurrently([replace] * CLIENTS)
        assert Counter(status for status, _ in answers) == {200: 1, 403: CLIENTS - 1}
        second: str = next(body["api_key"] for status, body in answers if status == 200)
        assert (works(wsgi, first), works(wsgi, second)) == (False, True)

        end = partial(call, wsgi, "DELETE", API_KEY, second)
        both = concurrently([end, partial(call, wsgi, "POST", API_KEY, second)])
        assert sorted(status for status, _ in both) == [200, 403]
        (_, ended), (_, replaced) = both
        third = replaced.get("api_key")
        assert not works(wsgi, second)
        assert ("message" in ended) == (third is None)
        left = [key for key in keys_of(stores, alice) if key.name == str(number)]
        assert len(left) == (third is not None)
        if third is not None:
            assert works(wsgi, third)
            ends = concurrently([partial(call, wsgi, "DELETE", API_KEY, third)] * CLIENTS)
            assert Counter(status for status, _ in ends) == {200: 1, 403: CLIENTS - 1}
    assert keys_of(stores, alice) == []


def test_use_during_replacements(wsgi: Any, stores: Process, alice: Person) -> None:
    keys = [add_key(stores, alice).api_key]
    acknowledged: list[float] = []
    done = Event()

    def replace() -> list[tuple[int, float, int]]:
        try:
            for _ in range(20):
                _, body = call(wsgi, "POST", API_KEY, keys[-1])
                acknowledged.append(perf_counter())
                keys.append(body["api_key"])
        finally:
            done.set()
        return []

    def use() -> list[tuple[int, float, int]]:
        seen = []
        while not done.is_set():
            generation, started = len(keys) - 1, perf_counter()
            status, _ = call(wsgi, "GET", ACCOUNT, keys[generation])
            seen.append((generation, started, status))
        return seen

    uses = [each for seen in concurrently([replace, *[use] * CLIENTS]) for each in seen]
    assert {status for *_, status in uses} <= {200, 403}
    for generation, started, status in uses:
        if generation < len(acknowledged) and started > acknowledged[generation]:
            assert status == 403, "a key opened after its replacement was acknowledged"
    assert [works(wsgi, key) for key in keys] == [False] * 20 + [True]


@pytest.mark.parametrize("overlap", [timedelta(), timedelta(hours=1)])
def test_rotated_by_several(stores: Process, alice: Person, overlap: timedelta) -> None:
    for number in range(ROUNDS):
        key = add_key(stores, alice, str(number), most=99).key

        def rotate(key_id: str = key.id) -> None:
            with stores.transaction() as store:
                named_keys.rotate(store, alice.id, key_id, overlap, By.PAGE)

        refused = concurrently([partial(tried, rotate)] * CLIENTS)
        assert refused.count(None) == 1
        assert set(refused) == {None, NotRotatable if overlap else UnknownKey}
        namesakes = [row for row in keys_of(stores, alice) if row.name == key.name]
        assert [row.state for row in namesakes].count(KeyState.ACTIVE) == 1
        assert len(namesakes) == (2 if overlap else 1)


def test_added_by_several(stores: Process, alice: Person) -> None:
    for number in range(ROUNDS):
        adding = [
            partial(tried, partial(add_key, stores, alice, f"{number} {client}", most=number + 1))
            for client in range(CLIENTS)
        ]
        refused = concurrently(adding)
        assert Counter(refused) == {None: 1, TooManyKeys: CLIENTS - 1}
    refused = concurrently([partial(tried, partial(add_key, stores, alice, "name", most=99))] * CLIENTS)
    assert Counter(refused) == {None: 1, KeyNameTaken: CLIENTS - 1}
    assert len(keys_of(stores, alice)) == ROUNDS + 1


def test_reported_meanwhile(wsgi: Any, stores: Process, alice: Person) -> None:
    def report(token: str) -> bool:
        with stores.transaction() as store, store.apart() as own:
            return key_reports.report(own, token, "")

    def rotate(key_id: str) -> str | None:
        with stores.transaction() as store:
            return named_keys.rotate(store, alice.id, key_id, timedelta(hours=1), By.PAGE).api_key

    default = alice.api_key
    for number in range(ROUNDS):
        for name, change in (
            ("replaced", lambda key: call(wsgi, "POST", API_KEY, key.api_key)[1].get("api_key")),
            ("ended", lambda key: call(wsgi, "DELETE", API_KEY, key.api_key)[1].get("api_key")),
            ("rotated", lambda key: rotate(key.key.id)),
        ):
            key = add_key(stores, alice, f"{name} {number}", most=99)
            new: list[str | None] = [None]

            def act(change: Any = change, key: Any = key, new: list[str | None] = new) -> bool:
                return tried(lambda: new.__setitem__(0, change(key))) in (None, UnknownKey)

            assert concurrently([partial(report, key.api_key), act]) == [True, True]
            assert not works(wsgi, key.api_key)
            assert new[0] is None or works(wsgi, new[0])
        both = concurrently(
            [partial(report, default), lambda key=default: call(wsgi, "POST", API_KEY, key)[0] in (200, 403)]
        )
        assert both == [True, True]
        assert not works(wsgi, default)
        with stores.transaction() as store:
            row = store.reader.by_username("alice")
            assert row is not None
            default = api_keys.reveal(store, row) or ""
        assert works(wsgi, default)


class Meeting:
    """Two imports that have read what there is before one writes, where the database lets both read."""

    def __init__(self) -> None:
        self._both = Barrier(2, timeout=0.2)
        self._came: set[int] = set()

    def read(self, *arguments: Any, **options: Any) -> Known:
        known = Known(*arguments, **options)
        if get_ident() not in self._came:
            self._came.add(get_ident())
            with suppress(BrokenBarrierError):
                self._both.wait()
        return known


@pytest.mark.parametrize("given", ["api_key", "key_sha256"])
@pytest.mark.parametrize("is_update", [False, True], ids=["new", "update"])
def test_imported_as_default_and_as_named_key(
    wsgi: Any, stores: Process, monkeypatch: pytest.MonkeyPatch, given: str, is_update: bool
) -> None:
    """One string, for two accounts, in two files at once: one line is refused, all others are written."""
    api_key = make_api_key()
    named = {"name": "x", given: api_key if given == "api_key" else hash_of(api_key)}
    contested: tuple[dict[str, Any], ...] = ({"api_key": api_key}, {"api_keys": [named]})

    def load(username: str, fields: dict[str, Any]) -> tuple[Counts, list[tuple[int, str]]]:
        records = [{"username": f"{username}{n}", "email": f"{username}{n}@example.com"} for n in range(3)]
        records[1] |= fields
        (*_, counts), errors = import_records(stores, *records, update_existing=is_update)
        return counts, errors

    names = ("alice", "bob")
    if is_update:
        for name in names:
            load(name, {})
    monkeypatch.setattr(batch, "Known", Meeting().read)
    loads = [partial(load, *each) for each in zip(names, contested, strict=True)]
    results = concurrently(loads)
    refused = [errors for _, errors in results if errors]
    assert refused in [[[(2, about(str(ApiKeyTaken()), f"{name}1"))]] for name in names]
    assert sorted(counts.failed for counts, _ in results) == [0, 1]
    assert sum(counts.created + counts.updated for counts, _ in results) == 5
    assert [works(wsgi, api_key, f"{name}1") for name in names] == [not errors for _, errors in results]
