"""Every call by every actor, by every way to say who one is."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from accountsapp.testing.access import (
    ACTORS_OWN,
    ADMINISTRATORS,
    EVERYBODY,
    Operation,
    Outcome,
    Rules,
    expected,
    outcome_of,
    send,
)
from accountsapp.testing.actors import ACTORS, WAYS, cast, show
from accountsapp.testing.credentials import present
from accountsapp.testing.oauth import ALL, issue
from accountsapp.testing.people import Person

USER = ("bio", "created_at", "id", "location", "name", "state", "username")
OWN = tuple(sorted((*USER, "email", "is_admin")))

CURRENT = Operation("GET", "/api/v4/user", Outcome(200, OWN), scope=Scope.PROFILE_READ, may=EVERYBODY)
CHANGE = Operation(
    "PUT",
    "/api/v4/users/{id}",
    Outcome(200, USER),
    {"bio": "B"},
    scope=Scope.PROFILE_WRITE,
    may=ADMINISTRATORS,
)
READ = Operation("GET", "/api/v4/users/{id}", Outcome(200, USER))
"""Open to everybody: see the last test."""

PRIVATE_TOKEN = "PRIVATE-TOKEN"
WAYS_HERE = {**WAYS, PRIVATE_TOKEN: lambda actor, owner: present("private-token", actor)}


def counts(_operation: Operation, way: str) -> str | None:
    """A key in the header, or a bearer token."""
    return ACTORS_OWN if way in ("bearer", PRIVATE_TOKEN) else None


RULES = Rules(counts, nobody=Outcome(401, ("message",)), refused=Outcome(403, ("message",)), ways=WAYS_HERE)


@pytest.mark.parametrize("actor", ACTORS)
def test_every_cell_is_as_declared(
    actor: str, app: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    fill = {"{id}": str(owner.person.id)}
    wrong = []
    for operation, way in product((CURRENT, CHANGE), WAYS_HERE):
        if actor == "wrong scope":
            token = issue(stores, owner.person, *(set(ALL) - {operation.scope}))
            who = owner._replace(token=token)
        got = outcome_of(send(app, RULES, operation, show(WAYS_HERE[way], who, owner), fill))
        wanted = expected(RULES, operation, actor, way)
        if operation is CHANGE and way == PRIVATE_TOKEN and actor in ("deactivated", "pending"):
            wanted = RULES.refused  # who may not is told so before the state of the account is
        if got != wanted:
            wrong.append((operation.method, operation.path, way, got, wanted))
    assert wrong == []


def test_everybody_reads_users(app: TestApp, alice: Person, bob: Person) -> None:
    for headers in ({}, {PRIVATE_TOKEN: alice.api_key}, {PRIVATE_TOKEN: bob.api_key}):
        assert outcome_of(app.get(f"/api/v4/users/{alice.id}", headers=headers)) == READ.outcome
    refused: Any = app.get(f"/api/v4/users/{alice.id}", headers={PRIVATE_TOKEN: "wrong"}, status=401)
    assert refused.json == {"message": "401 Unauthorized"}
