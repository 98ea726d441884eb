"""The counts of the throttle, whoever they are of."""

import pytest

from accountsapp.domain.errors import TooManyAttempts
from accountsapp.domain.throttle import LIMITS, Throttle


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
