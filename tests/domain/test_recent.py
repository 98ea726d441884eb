"""Values that may lag: how old they get, who computes them, who waits."""

import threading
from collections.abc import Callable

import pytest

from accountsapp.domain import recent
from accountsapp.domain.recent import FRESH, PATIENCE, STALE, Recent


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(recent, "monotonic", clock)
    return clock


def counting() -> Callable[[], int]:
    numbers = iter(range(1, 1000))
    return lambda: next(numbers)


def test_a_value_is_used_while_it_is_fresh(clock: Clock) -> None:
    values, compute = Recent(), counting()
    assert [values.get("a", compute), values.get("a", compute), values.get("b", compute)] == [1, 1, 2]
    clock.seconds += FRESH - 0.1
    assert values.get("a", compute) == 1
    clock.seconds += 0.1
    assert [values.get("a", compute), values.get("a", compute)] == [3, 3]
    assert STALE <= 5


def test_what_fails_is_tried_anew(clock: Clock) -> None:
    values = Recent()

    def fail() -> int:
        raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):
            values.get("a", fail)
    assert values.get("a", counting()) == 1


def test_of_many_one_computes_and_the_others_go_on_with_the_old_value(clock: Clock) -> None:
    values, compute = Recent(), counting()
    assert values.get("a", compute) == 1
    clock.seconds += FRESH
    computing, finish = threading.Event(), threading.Event()

    def slow() -> int:
        computing.set()
        assert finish.wait(10)
        return compute()

    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(values.get("a", slow)))
    thread.start()
    assert computing.wait(10)
    assert [values.get("a", compute) for _ in range(5)] == [1] * 5
    clock.seconds += STALE - FRESH - 0.1
    assert values.get("a", compute) == 1
    finish.set()
    thread.join()
    assert results == [2]


def test_where_the_old_value_is_too_old_the_others_wait_for_the_one(clock: Clock) -> None:
    values, compute = Recent(), counting()
    computing, finish = threading.Event(), threading.Event()

    def slow() -> int:
        computing.set()
        assert finish.wait(10)
        return compute()

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(values.get("a", slow))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert computing.wait(10)
    assert results == []
    finish.set()
    for thread in threads:
        thread.join()
    assert results == [1] * 8


def test_who_waited_in_vain_computes_himself(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PATIENCE <= 5
    monkeypatch.setattr(recent, "PATIENCE", 0.05)
    values, compute = Recent(), counting()
    computing, finish = threading.Event(), threading.Event()

    def hanging() -> int:
        computing.set()
        finish.wait(10)
        return 0

    thread = threading.Thread(target=lambda: values.get("a", hanging))
    thread.start()
    assert computing.wait(10)
    assert values.get("a", compute) == 1
    finish.set()
    thread.join()


def test_what_is_made_of_a_value_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST_PRODUCTS", 3)
    values, compute = Recent(), counting()
    first, second = ["x"], ["x"]
    assert [values.made_of("a", first, lambda _: compute()) for _ in range(3)] == [1, 1, 1]
    assert values.made_of("a", second, lambda _: compute()) == 2
    assert values.made_of("a", first, lambda _: compute()) == 3
    for key in ("b", "c", "d"):
        values.made_of(key, first, lambda _: compute())
    assert values.made_of("d", first, lambda _: compute()) == 6
    assert values.made_of("a", first, lambda _: compute()) == 7  # it was the oldest of four


def test_what_is_made_of_several_values_is_made_anew_when_one_is_another() -> None:
    values, compute = Recent(), counting()
    first, second = ["x"], ["x"]
    assert [values.made_of_all("a", (first, second), compute) for _ in range(3)] == [1, 1, 1]
    assert values.made_of_all("a", (first, first), compute) == 2
    assert values.made_of_all("a", (first,), compute) == 3
    assert values.made_of_all("a", (first, second), compute) == 4
