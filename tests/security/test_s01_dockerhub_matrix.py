"""S01: the six calls of the Docker Hub API, by every actor and every way to say who one is."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import pytest
from sqlalchemy import delete
from webtest import TestApp

from accountsapp.domain.data.models import EmailAddress
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from accountsapp.testing.access import (
    ACTORS_OWN,
    Cell,
    Operation,
    Outcome,
    Rules,
    cells_of,
    expected,
    outcome_of,
    send,
)
from accountsapp.testing.actors import ACTORS, cast, show
from accountsapp.testing.oauth import ALL, issue
from accountsapp.testing.people import Person
from tests.apis.dockerhub.test_user import KEYS

FURTHER = "further@example.org"
NEW = "new@example.org"


USER, EMAILS = "/api/v1.1/users/{username}", "/api/v1.1/users/{username}/emails"
USER_KEYS = tuple(sorted(KEYS))
EMAIL_KEYS = ("email", "primary", "verified")
OPERATIONS = (
    Operation("GET", USER, Outcome(200, USER_KEYS), scope=Scope.PROFILE_READ),
    Operation("PATCH", USER, Outcome(200, USER_KEYS), {"company": "C"}, scope=Scope.PROFILE_WRITE),
    Operation("GET", EMAILS, Outcome(200, EMAIL_KEYS), scope=Scope.EMAIL_READ),
    Operation("POST", EMAILS, Outcome(201, EMAIL_KEYS), {"email": NEW}, scope=Scope.EMAIL_WRITE),
    Operation("PATCH", EMAILS, Outcome(200, EMAIL_KEYS), {"email": FURTHER}, scope=Scope.EMAIL_WRITE),
    Operation("DELETE", EMAILS, Outcome(204, ()), {"email": FURTHER}, scope=Scope.EMAIL_WRITE),
)


def counts(operation: Operation, way: str) -> str | None:
    """Basic and bearer count, and nothing that stands beside them."""
    return ACTORS_OWN if way == "bearer" or way.startswith("Basic") else None


RULES = Rules(counts, nobody=Outcome(401, ("detail",)), refused=Outcome(403, ("detail",)))


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_cell_is_as_declared(
    actor: str, app: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    wrong = []
    for operation, way in product(OPERATIONS, RULES.ways):
        if actor != "deleted":
            put_back(stores, owner.person)
        if actor == "wrong scope" and operation.scope is not None:
            who = owner._replace(token=issue(stores, owner.person, *(set(ALL) - {operation.scope})))
        got = outcome_of(send(app, RULES, operation, show(RULES.ways[way], who, owner)))
        wanted = expected(RULES, operation, actor, way)
        if got != wanted:
            wrong.append((operation.method, operation.path, way, got, wanted))
    assert wrong == []


def cells() -> Iterator[Cell]:
    yield from cells_of(OPERATIONS, RULES.ways, partial(expected, RULES))


def put_back(stores: Process, person: Person) -> None:
    """The addresses that the owner begins with."""
    mine = EmailAddress.account_id == person.id
    with stores.transaction() as store:
        store.session.execute(delete(EmailAddress).where(mine, ~EmailAddress.primary))
        store.session.add(EmailAddress(account_id=person.id, address=FURTHER, address_key=FURTHER))
