"""S01: the calls of the Open edX API, by every actor and every way to say who one is."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import pytest
from webtest import TestApp

from accountsapp.apis.openedx.fields import FIELDS
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from accountsapp.testing.access import Cell, Outcome, outcome_of
from accountsapp.testing.actors import (
    ACTORS,
    ANONYMOUS,
    DEAD,
    FORMER,
    LIVING,
    OWNER,
    WAYS,
    Way,
    beside,
    cast,
    show,
)
from accountsapp.testing.credentials import Shown, present, sign_token
from accountsapp.testing.oauth import ALL, issue
from accountsapp.testing.people import Person
from tests.support.openedx import MERGE_PATCH, grow_up
from tests.support.pictures import encoded, quarters

FULL = tuple(sorted(FIELDS))
SHARED = tuple(sorted((*Settings().public_fields, *Settings().shareable_fields)))
DETAIL = ("detail",)
STAFF = ("staff", "administrator")
PNG = encoded(quarters())
IMAGE = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="me.png"'}
PATCH = {"Content-Type": MERGE_PATCH}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Call(NamedTuple):
    """One call on the account of the owner.

    :ivar own: what the owner gets, and ``staff``; None: they are as others
    :ivar scope: what a token needs; None: no token is enough
    """

    method: str
    path: str
    own: Outcome
    staff: Outcome
    others: Outcome
    scope: Scope | None
    headers: Mapping[str, str] = {}
    body: bytes = b""


NOT_FOUND, FORBIDDEN = Outcome(404, DETAIL), Outcome(403, DETAIL)
ACCOUNT, IMAGE_OF = "/api/user/v1/accounts/{username}", "/api/user/v1/accounts/{username}/image"
PREFERENCES = "/api/user/v1/preferences/{username}"
NOTHING = Outcome(204, ())
ME, NO_PASSWORD = Outcome(200, ("username",)), Outcome(400, ("developer_message", "user_message"))
READ, WRITE = Scope.PROFILE_READ, Scope.PROFILE_WRITE
CALLS = (
    Call("GET", ACCOUNT, Outcome(200, FULL), Outcome(200, FULL), Outcome(200, SHARED), READ),
    Call("PATCH", ACCOUNT, Outcome(200, FULL), FORBIDDEN, NOT_FOUND, WRITE, PATCH, b'{"goals": "g"}'),
    Call(
        "GET",
        "/api/user/v1/accounts?usernames={username}",
        Outcome(200, FULL),
        Outcome(200, FULL),
        Outcome(200, SHARED),
        READ,
    ),
    Call(
        "GET",
        "/api/user/v1/accounts?email={username}%40example.com",
        FORBIDDEN,
        Outcome(200, FULL),
        FORBIDDEN,
        READ,
    ),
    Call("POST", IMAGE_OF, NOTHING, FORBIDDEN, NOT_FOUND, WRITE, IMAGE, PNG),
    Call("DELETE", IMAGE_OF, NOTHING, NOTHING, NOT_FOUND, WRITE),
    Call("GET", PREFERENCES, Outcome(200, ()), Outcome(200, ()), NOT_FOUND, READ),
    Call("PATCH", PREFERENCES, NOTHING, FORBIDDEN, NOT_FOUND, WRITE, PATCH, b'{"visibility.bio": "private"}'),
    Call("GET", "/api/user/v1/me", ME, ME, ME, READ),
    Call(
        "GET",
        "/api/third_party_auth/v0/providers/user_status",
        Outcome(200, ()),
        Outcome(200, ()),
        Outcome(200, ()),
        READ,
    ),
    Call("POST", "/api/user/v1/accounts/name_change", NOT_FOUND, NOT_FOUND, NOT_FOUND, READ, FORM),
    Call("POST", "/i18n/setlang", NOTHING, NOTHING, NOTHING, WRITE, FORM, b"language=de"),
    Call(
        "POST",
        "/api/user/v1/accounts/deactivate_logout",
        NO_PASSWORD,
        NO_PASSWORD,
        NO_PASSWORD,
        WRITE,
        FORM,
        b"x=y",
    ),
)
REFRESH = "/login_refresh"
OPERATIONS = {(call.method, call.path.partition("?")[0]) for call in CALLS} | {("POST", REFRESH)}

WITHOUT_TOKEN = "cookie without its token"
OPENEDX_WAYS: Mapping[str, Way] = {
    **WAYS,
    "bearer and the owner's cookie": lambda actor, owner: beside(
        present("bearer", actor), present("session", owner)
    ),
    "query key and cookie": lambda actor, owner: beside(present("api_key", actor), present("session", actor)),
    WITHOUT_TOKEN: lambda actor, owner: Shown(headers={"Cookie": f"sessionid={actor.cookie}"}),
}
COOKIES = ("cookie", WITHOUT_TOKEN)
TOKENS = ("bearer", "signed token", "bearer and the owner's cookie")


def wanted_of(call: Call, actor: str, way: str) -> int | Outcome:
    """One cell: a status alone where everything is refused alike."""
    if actor == ANONYMOUS or actor in (*DEAD, FORMER) or way not in (*COOKIES, *TOKENS):
        return 401
    if way == WITHOUT_TOKEN and call.method != "GET":
        return FORBIDDEN
    if way in TOKENS and (call.scope is None or actor == "wrong scope"):
        return FORBIDDEN
    if actor in STAFF:
        return call.staff
    return call.own if actor in LIVING else call.others


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_cell_is_as_declared(
    actor: str, wsgi: Any, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    if actor != "deleted":
        grow_up(stores, owner.person, account_privacy="all_users")
    wrong = []
    for call, way in product(CALLS, OPENEDX_WAYS):
        if actor == "wrong scope" and call.scope is not None:
            scopes = sorted(set(ALL) - {call.scope})
            who = owner._replace(
                token=issue(stores, owner.person, *scopes),
                signed_token=sign_token(stores, owner.person, scopes),
            )
        answer = send(TestApp(wsgi), call, show(OPENEDX_WAYS[way], who, owner))
        wanted = wanted_of(call, actor, way)
        got = outcome_of(answer)
        if wanted == 401:
            is_as_wanted = got.status == 401 and "detail" in got.shows and not answer.json.keys() - CODED
            is_as_wanted = is_as_wanted and answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
        else:
            is_as_wanted = got == wanted or (call.path == PREFERENCES and got.status == wanted.status == 200)
        if not is_as_wanted:
            wrong.append((call.method, call.path, way, got, wanted))
    assert wrong == []


CODED = {"detail", "error_code"}


def send(app: TestApp, call: Call, shown: Shown) -> Any:
    path = call.path.replace("{username}", OWNER)
    if shown.query:
        path += ("&" if "?" in path else "?") + shown.query
    return app.request(
        path,
        method=call.method,
        body=call.body,
        headers={**shown.headers, **call.headers},
        expect_errors=True,
    )


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_a_session_alone_is_refreshed(
    actor: str, wsgi: Any, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    got = {
        way: TestApp(wsgi)
        .post(REFRESH, headers=show(made, who, owner).headers, expect_errors=True)
        .status_int
        for way, made in OPENEDX_WAYS.items()
    }
    assert got == {way: refreshes(actor, way) for way in OPENEDX_WAYS}


def refreshes(actor: str, way: str) -> int:
    """The status for who refreshes a session."""
    lives = actor not in (ANONYMOUS, FORMER, *DEAD)
    if way in (*COOKIES, "query key and cookie"):
        return 200 if lives else 401
    is_beside_owners = way in ("Basic and the owner's cookie", "bearer and the owner's cookie")
    return 200 if is_beside_owners and actor != ANONYMOUS and actor not in DEAD else 401


def cells() -> Iterator[Cell]:
    for call, way, actor in product(CALLS, OPENEDX_WAYS, ACTORS):
        wanted = wanted_of(call, actor, way)
        status = wanted if isinstance(wanted, int) else wanted.status
        yield Cell(f"{call.method} {call.path}", way, actor, status)
    for way, actor in product(OPENEDX_WAYS, ACTORS):
        yield Cell(f"POST {REFRESH}", way, actor, refreshes(actor, way))
