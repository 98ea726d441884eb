"""S01: the calls of the addons-server API, by every actor and every way to say who one is."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.access import ACTORS_OWN, Cell, Operation, Outcome, Rules, cells_of, outcome_of, send
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
from accountsapp.testing.credentials import Holder, hold, present
from accountsapp.testing.people import Person
from tests.support.amo import SELF_KEYS

BASE = "/api/v5/accounts"
ACCOUNT = f"{BASE}/account/{{account}}"
SELF = Outcome(200, tuple(sorted(SELF_KEYS)))
KIND = Outcome(200, ("enabled", "mandatory", "name"))
CREATED = ("display_name", "email", "fxa_id", "groups", "session_cookie", "user_id", "username")
HIDDEN, FORBIDDEN = Outcome(404, ("detail",)), Outcome(403, ("detail",))
UNAUTHORIZED = Outcome(401, ("code", "detail"))

CALLERS = ("the caller's own", "whoever may create")
"""Of operations that are about no account of the URL."""
OPERATIONS = (
    Operation("GET", ACCOUNT, SELF),
    Operation("PATCH", ACCOUNT, SELF, {"location": "L"}),
    Operation("DELETE", f"{ACCOUNT}/picture", SELF),
    Operation("GET", f"{ACCOUNT}/notifications", KIND),
    Operation("POST", f"{ACCOUNT}/notifications", KIND, {}),
    Operation("GET", f"{BASE}/profile", SELF, may=CALLERS[0]),
    Operation("POST", f"{BASE}/super-create", Outcome(201, CREATED), may=CALLERS[1]),
    Operation("DELETE", f"{BASE}/session", Outcome(200, ("ok",)), may=CALLERS[0]),
    Operation("DELETE", ACCOUNT, Outcome(204, ())),
)
START = f"{BASE}/login/start"
OPEN = (
    Operation("POST", f"{BASE}/unsubscribe", Outcome(400, ("hash", "notification", "token"))),
    Operation("GET", START, Outcome(302, ())),
)
"""Of these a credential is not needed; nobody is refused."""

OWN_WAYS: Mapping[str, Way] = {
    "JWT and the owner's cookie": lambda actor, owner: beside(
        present("jwt", actor), present("session", owner)
    ),
}
COUNTING = ("session in a header", "JWT", *OWN_WAYS)
BAD_TOKEN = "signed token"
"""Is shown as this API's own ones are, and is none."""
RULES = Rules(
    counts=lambda operation, way: ACTORS_OWN if way in COUNTING else None,
    nobody=UNAUTHORIZED,
    refused=HIDDEN,
    ways={**WAYS, **OWN_WAYS},
)


def expected(operation: Operation, actor: str, way: str) -> Outcome:
    """One cell; the owner publishes nothing. A bad credential is refused where none is needed, too."""
    shows_bad_token = way == BAD_TOKEN and actor != ANONYMOUS
    counts = RULES.counts(operation, way) is not None and actor != ANONYMOUS
    if operation in OPEN:
        is_refused = shows_bad_token or (counts and actor in (*DEAD, FORMER))
        return UNAUTHORIZED if is_refused and operation.path == START else operation.outcome
    if shows_bad_token:
        return UNAUTHORIZED
    if counts and operation.path.endswith("/session") and not way.startswith("session"):
        counts = False
    if not counts:
        is_seen = operation.method == "GET" and operation.path == ACCOUNT
        return HIDDEN if is_seen else UNAUTHORIZED
    if actor in DEAD or actor == FORMER:
        return UNAUTHORIZED
    if operation.may == CALLERS[0] or actor == "administrator":
        return operation.outcome
    if operation.may == CALLERS[1]:
        return FORBIDDEN
    return operation.outcome if actor in LIVING else HIDDEN


def cells() -> Iterator[Cell]:
    yield from cells_of((*OPERATIONS, *OPEN), RULES.ways, expected)


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_cell_is_as_declared(
    actor: str, app: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    wrong = []
    for operation, way in product((*OPEN, *OPERATIONS), RULES.ways):
        got = outcome_of(send(app, RULES, operation, show(RULES.ways[way], who, owner)))
        wanted = expected(operation, actor, way)
        if got != wanted:
            wrong.append((operation.method, operation.path, way, got, wanted))
        if operation.method == "DELETE" and got.status in (200, 204):
            owner, who = put_back(owner, who, register, stores)
    assert wrong == []


def put_back(
    owner: Holder, who: Holder | None, register: Callable[..., Person], stores: Process
) -> tuple[Holder, Holder | None]:
    """What a call may have ended, made anew."""
    is_self = who is owner
    with stores.transaction() as store:
        is_there = store.reader.by_username(OWNER) is not None
    owner = hold(stores, owner.person if is_there else register(OWNER))
    return owner, owner if is_self else hold(stores, who.person) if who is not None else None


def test_s01_what_is_open_looks_at_no_credential(
    app: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast("other", register, stores)
    for operation, way in product(OPEN, set(RULES.ways) - {BAD_TOKEN}):
        assert outcome_of(send(app, RULES, operation, show(RULES.ways[way], who, owner))) == operation.outcome
