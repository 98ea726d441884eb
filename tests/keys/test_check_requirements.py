"""What a proxy may require of a caller (keys 10): scopes, permissions, pages of its own; in which order."""

from collections.abc import Callable

from accountsapp.process import Process
from accountsapp.testing.oauth import basic, bearer, issue
from accountsapp.testing.people import SITE_URL, Person
from tests.support.check import FRONT, Proxy, key, told_by

Register = Callable[..., Person]

REQUIREMENTS = {
    "": "alice admin carrier wild all reader",
    "scope=account:read": "alice admin carrier wild all reader",
    "scope=account:read&scope=account:read": "alice admin carrier wild all reader",
    "scope=key:read": "alice admin carrier wild all",
    "scope=account:read+key:read": "alice admin carrier wild all",
    "scope=account:read%20email:write&scope=password:write": "alice admin carrier wild all",
    "scope=administer": "admin",
    "admin=1": "admin",
    "admin=1&admin=1": "admin",
    "permission=Notes:Edit": "admin carrier wild all",
    "permission=Notes:Read": "admin wild all",
    "permission=Notes:Edit&permission=Notes:Read": "admin wild all",
    "permission=Users:Edit": "admin all",
    "permission=Notes:*": "admin wild all",
    "permission=*:*": "admin all",
    "permission=notes:edit": "admin all",
    "permission=Notes:Edit&scope=administer": "admin",
    "permission=Notes:Edit&admin=1": "admin",
}
"""Who fulfils them."""
LACKS_SCOPE = {"scope=key:read": "key:read", "scope=account:read+key:read": "key:read"}


def test_requirements(
    proxy: Proxy, alice: Person, admin: Person, register: Register, stores: Process
) -> None:
    carriers = {"carrier": ["Notes:Edit"], "wild": ["Notes:*"], "all": ["*:*"]}
    who = {"alice": key(alice.api_key), "admin": key(admin.api_key)}
    who |= {name: key(register(name, permissions=held).api_key) for name, held in carriers.items()}
    who["reader"] = bearer(issue(stores, alice, "profile_read"))
    for query, may in REQUIREMENTS.items():
        answers = {name: proxy.ask(query, headers) for name, headers in who.items()}
        statuses = {name: answer.status_int for name, answer in answers.items()}
        assert statuses == {name: 200 if name in may.split() else 403 for name in who}, query
        for name, answer in answers.items():
            if name not in may.split():
                assert told_by(answer) == {}
                assert answer.json == {"error": "Not authorized for request."}
    for query, scope in LACKS_SCOPE.items():
        assert proxy.ask(query, who["reader"]).headers["X-Accepted-Scope"] == scope
    # An administrator's token cannot administer; whoever is none is told of no scope that would help.
    of_admin = proxy.ask("admin=1", bearer(issue(stores, admin)))
    assert (of_admin.status_int, of_admin.headers["X-Accepted-Scope"]) == (403, "administer")
    for query in ("admin=1", "permission=Users:Edit"):
        assert "X-Accepted-Scope" not in proxy.ask(query, who["alice"]).headers


MISTAKES = (
    "x=1",
    "api_key=KEY",
    "Scope=account:read",
    "scope",
    "scope=",
    "scope=account:read&scope=",
    "scope=account",
    "scope=full",
    "scope=read-only",
    "scope=profile_read",
    "scope=account:find",
    "scope=account:read,key:read",
    "scope=account:read++key:read",
    "scope=account:read%09key:read",
    "scope=%ff",
    "scope=%ed%a0%80",
    "scope=account:read%00",
    "permission",
    "permission=",
    "permission=Notes",
    "permission=Notes:Edit:x",
    "permission=Notes:+Edit",
    "permission=:",
    f"permission=a:{'x' * 300}",
    "session=0",
    "session",
    "session=1&session=2",
    "session=1+",
    "session=%EF%BC%91",
    "admin=true",
    "admin=",
    "admin=1&admin=0",
    "=1",
    "scope=account:read&%ff=1",
    "&".join(["scope=account:read"] * 70_001),
)


def test_a_mistake_in_the_query_lets_nobody_in(proxy: Proxy, alice: Person, admin: Person) -> None:
    for query in MISTAKES:
        query = query.replace("KEY", admin.api_key)
        answers = [proxy.ask(query, headers) for headers in ({}, key(admin.api_key), key("wrong"))]
        assert {answer.status_int for answer in answers} == {400}, query[:80]
        for answer in answers:
            assert list(answer.json) == ["error"]
            assert told_by(answer) == {}
            assert "WWW-Authenticate" not in answer.headers
            assert admin.api_key not in answer.text
    assert proxy.ask("&", key(alice.api_key)).status_int == 200


SAFE, UNSAFE = ("GET", "HEAD", "OPTIONS"), ("POST", "DELETE", "get", "", "GET, POST", "X")
OURS = (SITE_URL, FRONT)
FOREIGN = ("https://evil.example", "null", "", "http://accounts.example.org.evil", f"{SITE_URL}, {SITE_URL}")


def test_pages_of_others_cannot_use_the_cookie(
    proxy: Proxy, alice: Person, cookie: dict[str, str], stores: Process
) -> None:
    def status(headers: dict[str, str]) -> int:
        return proxy.ask("session=1", headers).status_int

    others = (key(alice.api_key), basic("alice"), bearer(issue(stores, alice)))
    for origin in FOREIGN:
        sent = {**cookie, "Origin": origin}
        assert status(sent) == 403
        for name in ("X-Original-Method", "X-Forwarded-Method"):
            assert [status({**sent, name: method}) for method in SAFE] == [200] * len(SAFE)
            assert [status({**sent, name: method}) for method in UNSAFE] == [403] * len(UNSAFE)
        assert status({**sent, "X-Original-Method": "GET", "X-Forwarded-Method": "POST"}) == 403
        # Only where the cookie decides.
        assert [status({**sent, **headers}) for headers in others] == [200] * len(others)
    for origin in OURS:
        assert status({**cookie, "Origin": origin, "X-Original-Method": "POST"}) == 200
    assert status({**cookie, "X-Original-Method": "POST"}) == 200
    answer = proxy.ask("session=1", {**cookie, "Origin": "https://evil.example"})
    assert (list(answer.json), told_by(answer)) == (["error"], {})


def test_the_order(proxy: Proxy, alice: Person, cookie: dict[str, str]) -> None:
    """Each but the last of these with everything after it wrong too."""
    foreign = {**cookie, "Origin": "https://evil.example"}
    lacking = "session=1&scope=administer"
    assert proxy.ask(f"{lacking}&x=1", {}, method="POST", address="192.0.2.1").status_int == 404
    assert proxy.ask(f"{lacking}&x=1", {}, method="POST").status_int == 405
    assert proxy.ask(f"{lacking}&x=1", {}).status_int == 400
    assert proxy.ask(lacking, {**foreign, **key("wrong")}).status_int == 401
    by_origin = proxy.ask(lacking, foreign)
    assert (by_origin.status_int, by_origin.headers.get("X-Accepted-Scope")) == (403, None)
    by_scope = proxy.ask(lacking, cookie)
    assert (by_scope.status_int, by_scope.headers.get("X-Accepted-Scope")) == (403, "administer")
