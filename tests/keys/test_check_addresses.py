"""Who may ask ``/auth/check``, and for whom wrong credentials are counted (keys 10)."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.throttle import LIMITS
from accountsapp.testing.oauth import basic
from accountsapp.testing.people import Person
from tests.support.check import Proxy, key, seen

ADMITTED = {
    "127.0.0.1 ::1": (
        ("127.0.0.1", "::1", "::ffff:127.0.0.1"),
        ("127.0.0.2", "192.0.2.1", "", "unknown", "::2"),
    ),
    "10.0.0.0/8 2001:db8::/32": (("10.255.0.1", "2001:db8:1::5"), ("127.0.0.1", "11.0.0.1", "2001:db9::1")),
    "": ((), ("127.0.0.1", "::1", "")),
}
"""By the setting: who may ask, and who may not."""
KEYS, PASSWORDS = LIMITS["api-key"].amount, LIMITS["password"].amount


@pytest.mark.parametrize("setting", ADMITTED)
def test_who_may_ask(setting: str, make_app: Callable[..., Any], alice: Person) -> None:
    """For others there is nothing, whatever they send: the same bytes as for any other path."""
    proxy = Proxy(make_app(**{"accountsapp.check_from": setting}))
    may, may_not = ADMITTED[setting]
    said = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    for address in may:
        assert proxy.ask("", key(alice.api_key), address=address).status_int == 200
    for address in may_not:
        for method in ("GET", "HEAD", "POST", "OPTIONS", "DELETE"):
            for query in ("", "x=1", "session=1"):
                asked = {"headers": {**key(alice.api_key), **said}, "method": method, "address": address}
                nothing = seen(proxy.ask(query, **asked, path="/auth/nothing"))
                assert seen(proxy.ask(query, **asked)) == nothing
                assert seen(proxy.ask(query, **asked, path="/nothing")) == nothing
                assert nothing[0] == 404
    # One final slash is as none everywhere; nothing else is.
    address = may[0] if may else "127.0.0.1"
    for path in ("/auth", "/auth/", "/auth/check/x", "/auth//check", "/auth/CHECK", "/auth/./check"):
        assert proxy.ask("", key(alice.api_key), address=address, path=path).status_int == 404


@pytest.fixture
def throttled_proxy(throttled: TestApp) -> Proxy:
    return Proxy(throttled.app)


def test_wrong_keys_are_counted_for_the_proxy_s_client(
    throttled_proxy: Proxy, throttled: TestApp, alice: Person
) -> None:
    def status(**addresses: str) -> int:
        sent = {name.replace("_", "-"): address for name, address in addresses.items()}
        return throttled_proxy.ask("", {**key(alice.api_key), **sent}).status_int

    guesser = {"X-Forwarded-For": "192.0.2.7, 203.0.113.9"}
    for number in range(KEYS):
        how = (key, lambda word: {"Authorization": f"Bearer {word}"})[number % 2]
        assert throttled_proxy.ask("", {**how(f"wrong {number}"), **guesser}).status_int == 401
    refused = throttled_proxy.ask("", {**key("wrong"), **guesser})
    assert (refused.status_int, int(refused.headers["Retry-After"]) > 0) == (429, True)
    assert list(refused.json) == ["error"]
    # The last one counts, in any way of writing it, else X-Real-IP; what is none is the proxy itself.
    assert status(X_Forwarded_For="203.0.113.9") == status(X_Forwarded_For="[::ffff:203.0.113.9]:80") == 429
    assert status(X_Real_IP="203.0.113.9") == 429
    assert status(X_Forwarded_For="", X_Real_IP="203.0.113.9") == 429
    for others in (
        {"X_Forwarded_For": "203.0.113.9, 192.0.2.7"},
        {"X_Forwarded_For": "192.0.2.7", "X_Real_IP": "203.0.113.9"},
        {"X_Forwarded_For": "203.0.113.9, unknown", "X_Real_IP": "203.0.113.9"},
        {"X_Forwarded_For": "203.0.113.9, "},
        {"X_Real_IP": "unknown"},
        {},
    ):
        assert status(**others) == 200, others
    # One count for all places.
    bookie = throttled.get(
        f"/api/v1/alice/account?api_key={alice.api_key}",
        extra_environ={"REMOTE_ADDR": "203.0.113.9"},
        expect_errors=True,
    )
    assert bookie.status_int == 429


def test_a_customer_s_ipv6_network_is_counted_as_one(throttled_proxy: Proxy, alice: Person) -> None:
    for number in range(KEYS):
        throttled_proxy.ask("", {**key("wrong"), "X-Real-IP": f"2001:db8:7:8::{number:x}"})
    customer, neighbour = {"X-Real-IP": "2001:db8:7:8:9::1"}, {"X-Real-IP": "2001:db8:7:9::1"}
    assert throttled_proxy.ask("", {**key(alice.api_key), **customer}).status_int == 429
    assert throttled_proxy.ask("", {**key(alice.api_key), **neighbour}).status_int == 200


def test_a_wrong_password_is_a_failed_sign_in(
    throttled_proxy: Proxy, throttled: TestApp, alice: Person
) -> None:
    guesser = {"X-Forwarded-For": "203.0.113.9"}
    for number in range(PASSWORDS):
        wrong = {**basic("alice", f"wrong {number}"), **guesser}
        assert throttled_proxy.ask("", wrong).status_int == 401
    refused = throttled_proxy.ask("", {**basic("alice"), **guesser})
    assert (refused.status_int, int(refused.headers["Retry-After"]) > 0) == (429, True)
    assert throttled_proxy.ask("", basic("alice")).status_int == 200
    user = "/api/v1.1/users/alice/"
    for address, status in (("203.0.113.9", 429), ("192.0.2.7", 200)):
        throttled.get(user, headers=basic("alice"), extra_environ={"REMOTE_ADDR": address}, status=status)
