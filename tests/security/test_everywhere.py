"""The tests that walk every URL cannot pass because they were refused."""

from collections.abc import Callable
from typing import Any

import pytest
from pyramid.authorization import Allow, Authenticated
from webtest import TestApp

from accountsapp.apis.amo.credentials import Jwt
from accountsapp.security.credentials import (
    ApiKeyHeader,
    ApiKeyParameter,
    Basic,
    Bearer,
    SessionCookie,
    SessionHeader,
    SignedToken,
)
from accountsapp.security.permissions import Permission
from accountsapp.security.proxied_credentials import ProxiedApiKey, RequestedSession
from accountsapp.testing.credentials import PRESENTATIONS, Shown
from accountsapp.testing.everywhere import Everywhere
from accountsapp.testing.people import Person
from accountsapp.web.resources import ApiRoot, Resource
from tests.support.throwaway import add_view, added, mount

Register = Callable[..., Person]


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


class OfTheSignedIn(Resource):
    """Everybody with a credential may."""

    __acl__ = ((Allow, Authenticated, (Permission.ACCOUNT_READ, Permission.ACCOUNT_WRITE)),)


class AllKinds(ApiRoot):
    """Accepts whatever there is a presentation of."""

    accepts = (
        ApiKeyParameter(),
        ApiKeyHeader("X-Api-Key"),
        ProxiedApiKey(),
        Basic(),
        Bearer(),
        SessionHeader(),
        Jwt(),
        RequestedSession(),
        SessionCookie(),
    )


class SignedTokens(ApiRoot):
    """The scheme of their header is another kind's at other roots."""

    accepts = (SignedToken("/oauth2"),)


def root_of(kind: str) -> type[ApiRoot]:
    """One that accepts credentials of that kind."""
    return SignedTokens if kind == SignedToken.kind else AllKinds


class Unheard(ApiRoot):
    """Accepts a kind that nobody has said how to present."""

    accepts = (ApiKeyHeader("X-Unheard-Of"),)


def add_root(config: Any, path: str, root: type[ApiRoot]) -> None:
    place = type("Place", (OfTheSignedIn,), {})
    root.children = {"place": place}
    mount(config, path, root)
    for method, permission in (("GET", Permission.ACCOUNT_READ), ("POST", Permission.ACCOUNT_WRITE)):
        view = {"context": place, "request_method": method, "permission": permission}
        add_view(config, lambda _context, _request: {"done": True}, **view)


@pytest.fixture
def make_everywhere(
    make_app: Callable[..., Any], register: Register, alice: Person, admin: Person, monkeypatch: Any
) -> Callable[[type[ApiRoot]], Everywhere]:
    def make(root: type[ApiRoot]) -> Everywhere:
        with added(monkeypatch, lambda config: add_root(config, "/throwaway", root)):
            return Everywhere(TestApp(make_app()), register, alice, admin)

    return make


@pytest.mark.parametrize("root", [AllKinds, SignedTokens])
def test_every_presentation_is_good(
    root: type[ApiRoot], make_everywhere: Callable[[type[ApiRoot]], Everywhere]
) -> None:
    everywhere = make_everywhere(root)
    doors = [door for door in everywhere.doors if door.path == "/throwaway/place"]
    assert {(door.method, door.kind) for door in doors} == {
        (method, kind) for method in ("GET", "POST") for kind in PRESENTATIONS if root_of(kind) is root
    }
    assert [door for door in doors if everywhere(door).json != {"done": True}] == []


def test_a_kind_without_a_presentation_is_named(
    make_everywhere: Callable[[type[ApiRoot]], Everywhere],
) -> None:
    everywhere = make_everywhere(Unheard)
    door = everywhere.door("GET", "/throwaway/place")
    with pytest.raises(AssertionError, match=r"say in PRESENTATIONS of .* how .* 'x-unheard-of' is"):
        everywhere(door)


@pytest.mark.parametrize("kind", list(PRESENTATIONS))
def test_a_credential_that_is_no_good_is_named(
    make_everywhere: Callable[[type[ApiRoot]], Everywhere], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    everywhere = make_everywhere(root_of(kind))
    monkeypatch.setitem(PRESENTATIONS, kind, lambda holder: Shown())
    for door in everywhere.doors:
        if door.path == "/throwaway/place":
            everywhere(door)
    with pytest.raises(AssertionError, match=f"'POST', '/throwaway/place', '{kind}'"):
        everywhere.check()
