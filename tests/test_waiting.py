"""Deadlines, how many may wait, and how often trouble is told."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from accountsapp import trouble as trouble_module
from accountsapp.trouble import Trouble
from accountsapp.waiting import Deadline, TooManyWaiting, Waiters, remaining

log = logging.getLogger("accountsapp.test")


def test_no_deadline() -> None:
    assert remaining() is None


def test_an_inner_deadline_can_only_be_earlier() -> None:
    with Deadline(10):
        with Deadline(100):
            assert 9 < (remaining() or 0) <= 10
        with Deadline(1):
            assert 0 < (remaining() or 0) <= 1
        assert 9 < (remaining() or 0) <= 10
        with Deadline(0):
            assert remaining() == 0
        assert 9 < (remaining() or 0) <= 10
    assert remaining() is None


def test_a_deadline_is_of_its_thread() -> None:
    seen: list[float | None] = []
    with Deadline(10):
        thread = threading.Thread(target=lambda: seen.append(remaining()))
        thread.start()
        thread.join()
    assert seen == [None]


def test_some_wait_until_their_deadline_and_few_more_for_a_moment() -> None:
    waiters = Waiters(most=2, patience=0.2, standstill=0.2)
    allowed: list[float | str | None] = []
    leave = threading.Event()

    def wait() -> None:
        with Deadline(10):
            try:
                allowed.append(waiters.enter())
            except TooManyWaiting:
                allowed.append("refused")
                return
            leave.wait(10)
            waiters.leave()

    def begin() -> threading.Thread:
        known = len(allowed)
        thread = threading.Thread(target=wait)
        thread.start()
        while len(allowed) == known:
            time.sleep(0.001)
        return thread

    threads = [begin() for _ in range(3)]
    assert [round(float(seconds or 0), 1) for seconds in allowed] == [10.0, 10.0, 0.2]
    time.sleep(0.25)
    threads.append(begin())
    assert allowed[3] == "refused"
    assert waiters.enter() is None, "who has no deadline is not of the server's threads"
    leave.set()
    for thread in threads:
        thread.join()
    allowed.clear()
    begin().join()
    assert round(float(allowed[0] or 0)) == 10


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (4, 2), (50, 48)])
def test_all_threads_of_the_server_but_two_may_wait(
    threads: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Waiters, "threads", threads)
    waiters, begun = Waiters(), threading.Barrier(most + 1)

    def wait(_number: int) -> int:
        with Deadline(10):
            allowed = round(waiters.enter() or 0)
            begun.wait(30)
            return allowed

    with ThreadPoolExecutor(most + 1) as pool:
        allowed = list(pool.map(wait, range(most + 1)))
    assert sorted(allowed) == [2] + [10] * most


def test_trouble_is_told_once_a_minute_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(trouble_module, "monotonic", lambda: now[0])
    trouble = Trouble(log, "it does not work", "it works again")

    def told() -> list[str]:
        lines = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return lines

    trouble.over()
    assert told() == []
    for _ in range(5):
        trouble.met("full")
    assert (told(), trouble.cause) == (["it does not work: full"], "full")
    trouble.met("read-only")
    assert told() == ["it does not work: read-only"]
    trouble.over()
    trouble.over()
    assert (told(), trouble.cause) == (["it works again"], None)
    trouble.met("full")
    trouble.over()
    assert told() == [], "coming and going is not told each time"
    now[0] += 61
    trouble.met("full")
    trouble.over()
    assert told() == ["it does not work: full", "it works again"]
