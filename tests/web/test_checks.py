"""The order of checks is what an API says: the orders of five APIs, each with two checks broken at once."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
from pyramid.authorization import Allow, Everyone
from pyramid.csrf import get_csrf_token
from webtest import TestApp, TestResponse

from accountsapp.domain.credentials import signin
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from accountsapp.security.credentials import (
    ApiKeyHeader,
    ApiKeyParameter,
    Bearer,
    OtherScheme,
    SessionCookie,
)
from accountsapp.security.permissions import Permission
from accountsapp.testing.oauth import issue
from accountsapp.testing.people import PASSWORD, Person
from accountsapp.web.answers import jsonp_answer
from accountsapp.web.bodies import Body
from accountsapp.web.resources import AccountById, AccountResource, ApiRoot, Resource
from tests.support.throwaway import add_view, added, mount

JSON_ALONE = Body(types=("application/json",))


class Bookie(ApiRoot):
    accepts = (ApiKeyParameter(), ApiKeyHeader("Private-Token"))
    checks = ("callback", "credential", "scope", "acl")
    answer = staticmethod(jsonp_answer)


class Amo(ApiRoot):
    accepts = (Bearer(),)
    checks = ("credential", "scope", "acl", "body")
    body = JSON_ALONE


class DockerHub(ApiRoot):
    accepts = (Bearer(), OtherScheme())
    checks = ("credential", "scope", "acl", "body")
    body = JSON_ALONE


class OpenEdx(ApiRoot):
    accepts = (Bearer(), OtherScheme(), SessionCookie())
    checks = ("credential", "csrf", "scope", "body", "acl")
    body = JSON_ALONE


class Pybossa(ApiRoot):
    accepts = (SessionCookie(),)
    checks = ("body", "csrf", "acl")
    body = JSON_ALONE


ROOTS = (Bookie, Amo, DockerHub, OpenEdx, Pybossa)
WAYS = {
    "key": ("callback", "credential", "acl"),
    "bearer": ("credential", "scope", "body", "acl"),
    "cookie": ("csrf", "body", "acl"),
}
"""What can be broken by each way to say who one is. A cookie that is nobody's is a visitor's."""
CASES = [
    *((Bookie, "key"), (Amo, "bearer"), (DockerHub, "bearer")),
    *((OpenEdx, "bearer"), (OpenEdx, "cookie"), (Pybossa, "cookie")),
]
REFUSALS = {
    "callback": (400, None),
    "credential": (403, "unknown credential"),
    "csrf": (400, None),
    "scope": (403, "scope missing"),
    "body": (415, None),
    "acl": (403, "not allowed"),
}


class Public(Resource):
    """Everybody may read."""

    __acl__ = ((Allow, Everyone, (Permission.ACCOUNT_READ,)),)


class NumberedAccount(AccountById):
    """By its id."""

    def __acl__(self) -> list[Any]:
        return [*super().__acl__(), (Allow, Everyone, (Permission.ACCOUNT_READ,))]


def setup(config: Any) -> None:
    for root in ROOTS:
        account = type("Account", (AccountResource,), {})
        public = type("Everybodys", (Public,), {})
        numbered = type("Numbered", (NumberedAccount,), {})
        ids = type("Ids", (Resource,), {"children": {"{id}": numbered}})
        root.children = {"public": public, "ids": ids, "{username}": account}
        mount(config, f"/orders/{root.__name__}", root)
        add_view(
            config,
            lambda _context, _request: {"done": True},
            context=account,
            request_method="POST",
            permission=Permission.ACCOUNT_WRITE,
        )
        add_view(config, lambda _context, request: {"token": get_csrf_token(request)}, context=root)
        add_view(
            config,
            lambda _context, request: {"caller": request.identity and request.actor.username},
            context=public,
            permission=Permission.ACCOUNT_READ,
        )
        add_view(
            config,
            lambda context, _request: {"username": context.target.username},
            context=numbered,
            permission=Permission.ACCOUNT_READ,
        )


@pytest.fixture
def orders(monkeypatch: Any, make_app: Callable[..., Any]) -> Iterator[TestApp]:
    with added(monkeypatch, setup):
        yield TestApp(make_app())


@pytest.fixture
def wsgi(orders: TestApp) -> Any:
    return orders.app


class Caller:
    """Alice's calls, in which what is asked for is broken."""

    def __init__(self, app: TestApp, stores: Process, alice: Person) -> None:
        self.app = app
        self.api_key = alice.api_key
        self.token = issue(stores, alice)
        self.narrow_token = issue(stores, alice, Scope.EMAIL_READ)
        with stores.transaction() as store:
            self.cookie = signin.sign_in(store, signin.authenticate(store, "alice", PASSWORD))

    def __call__(self, root: type[ApiRoot], way: str, broken: tuple[str, ...]) -> tuple[int, str | None]:
        """Status and reason."""
        bad, query = "credential" in broken, ""
        headers = {"Content-Type": "text/plain" if "body" in broken else "application/json"}
        if way == "key":
            query = f"api_key={'wrong' if bad else self.api_key}"
        elif way == "bearer":
            token = self.narrow_token if "scope" in broken else self.token
            headers["Authorization"] = f"Bearer {'wrong' if bad else token}"
        else:
            headers["Cookie"] = f"sessionid={self.cookie}"
            if "csrf" not in broken:
                headers["X-CSRFToken"] = self.send("GET", root, headers=headers).json["token"]
        if "callback" in broken:
            query += "&callback=no("
        answer = self.send("POST", root, "bob" if "acl" in broken else "alice", query, headers)
        return answer.status_int, answer.json.get("reason")

    def send(
        self,
        method: str,
        root: type[ApiRoot],
        path: str = "",
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        self.app.reset()
        url = f"/orders/{root.__name__}/{path}?{query}"
        body = b"{}" if method == "POST" else b""
        return self.app.request(url, method=method, body=body, headers=headers or {}, expect_errors=True)


@pytest.fixture
def caller(orders: TestApp, stores: Process, alice: Person, bob: Person) -> Caller:
    return Caller(orders, stores, alice)


@pytest.mark.parametrize(("root", "way"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_of_two_broken_checks_the_first_answers(root: type[ApiRoot], way: str, caller: Caller) -> None:
    assert caller(root, way, ()) == (200, None)
    for one in WAYS[way]:
        if one in root.checks:
            assert caller(root, way, (one,)) == REFUSALS[one], one
    for pair in combinations([one for one in root.checks if one in WAYS[way]], 2):
        if pair != ("credential", "scope"):  # a token that is nobody's has none
            assert caller(root, way, pair) == REFUSALS[pair[0]], pair


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.__name__)
def test_everybody_may_what_the_acl_gives_everybody(root: type[ApiRoot], caller: Caller) -> None:
    assert caller.send("GET", root, "public").json == {"caller": None}


@pytest.mark.parametrize(
    ("root", "query", "headers", "reason"),
    [
        (Bookie, "api_key=wrong", {}, "unknown credential"),
        (Bookie, "", {"Private-Token": "wrong"}, "unknown credential"),
        (Bookie, "", {"Private-Token": "\xff"}, "unknown credential"),
        (Amo, "", {"Authorization": "Bearer wrong"}, "unknown credential"),
        (OpenEdx, "", {"Authorization": "Basic YTpi"}, "credential of another scheme"),
        (OpenEdx, "", {"Authorization": "Bearer wrong"}, "unknown credential"),
        (OpenEdx, "", {"Authorization": "Bearer"}, "malformed credential"),
    ],
)
def test_a_bad_credential_is_nobodys_not_everybodys(
    root: type[ApiRoot], query: str, headers: dict[str, str], reason: str, caller: Caller
) -> None:
    answer = caller.send("GET", root, "public", query, headers)
    assert (answer.status_int, answer.json["reason"]) == (403, reason)


def test_a_bad_credential_never_falls_through_to_the_cookie(caller: Caller) -> None:
    cookie = {"Cookie": f"sessionid={caller.cookie}"}
    assert caller.send("GET", OpenEdx, "public", "", cookie).json == {"caller": "alice"}
    answer = caller.send("GET", OpenEdx, "public", "", {**cookie, "Authorization": "Basic YTpi"})
    assert answer.json["reason"] == "credential of another scheme"


def test_a_key_in_a_header_of_its_own(caller: Caller) -> None:
    answer = caller.send("GET", Bookie, "public", "", {"Private-Token": caller.api_key})
    assert answer.json == {"caller": "alice"}


def test_who_proved_himself_otherwise_needs_no_csrf_token(caller: Caller) -> None:
    headers = {
        "Cookie": f"sessionid={caller.cookie}",
        "Authorization": f"Bearer {caller.token}",
        "Origin": "https://evil.example",
        "Content-Type": "application/json",
    }
    assert caller.send("POST", OpenEdx, "alice", "", headers).json == {"done": True}


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://accounts.example.org.evil.example"]
)
def test_s26_a_cookie_needs_a_token_and_our_origin(origin: str, caller: Caller) -> None:
    for root in (OpenEdx, Pybossa):
        headers = {"Cookie": f"sessionid={caller.cookie}", "Content-Type": "application/json"}
        assert caller.send("POST", root, "alice", "", headers).status_int == 400
        headers["X-CSRFToken"] = caller.send("GET", root, headers=headers).json["token"]
        assert caller.send("POST", root, "alice", "", headers).status_int == 200
        assert caller.send("POST", root, "alice", "", {**headers, "Origin": origin}).status_int == 400


NO_IDS = ("0", "01x", "-1", "+1", "1.0", "%C2%B2", "%EF%BC%91", "2147483647", "2147483648", "4294967297")
NO_IDS += ("9223372036854775807", "9223372036854775808", "9" * 500, "alice", "1%00", "")


def test_s07_an_id_that_nobody_can_have_is_nobody(caller: Caller, alice: Person) -> None:
    assert caller.send("GET", Amo, f"ids/{alice.id}").json == {"username": "alice"}
    assert caller.send("GET", Amo, f"ids/0{alice.id}").json == {"username": "alice"}
    answers = {digits: caller.send("GET", Amo, f"ids/{digits}").status_int for digits in NO_IDS}
    assert answers == dict.fromkeys(NO_IDS, 404)


@pytest.mark.parametrize(
    ("declared", "complaint"),
    [
        ({"checks": ("credential", "scope")}, "acl is missing"),
        ({"checks": ("credential", "acl", "spelling")}, "spelling"),
        ({"checks": ("acl", "acl")}, "twice"),
        ({"checks": ("credential", "acl"), "accepts": (SessionCookie(),)}, "csrf is missing"),
    ],
)
def test_an_order_that_leaves_a_door_open_stops_the_start(declared: dict[str, Any], complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        type("Careless", (ApiRoot,), declared)
