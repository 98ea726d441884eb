"""S01: the account pages that are not for everybody, by every actor and every way to say who one is."""

from collections.abc import Callable, Iterator
from itertools import product

import pytest
from sqlalchemy import update
from webtest import TestApp

from accountsapp.domain.data.models import Account, AccountState
from accountsapp.process import Process
from accountsapp.testing.access import (
    ACTORS_OWN,
    EVERYBODY,
    OWNER_AND_ADMINISTRATORS,
    OWNERS,
    Cell,
    Operation,
    Outcome,
    Rules,
    cells_of,
    expected,
    outcome_of,
    send,
)
from accountsapp.testing.actors import ACTORS, ANONYMOUS, cast, show
from accountsapp.testing.credentials import hold
from accountsapp.testing.everywhere import WRITES
from accountsapp.testing.people import Person

JSON = {"response_format": "json"}
USER = "/account/{username}"
SETTINGS = (
    "flash",
    "form",
    "password_form",
    "show_passwd_form",
    "template",
    "title",
    "upload_form",
)
DONE = Outcome(200, ("flash", "next", "status"))
ERROR = ("code", "description", "template")
FORGED = Outcome(400, ERROR)
DELETED = Outcome(200, ("job", "template"))
OPERATIONS = (
    Operation("GET", "/.well-known/change-password", Outcome(303, ()), query=JSON, may=EVERYBODY),
    Operation(
        "GET",
        "/account/newsletter",
        Outcome(200, ("next", "template", "title")),
        query=JSON,
        may=EVERYBODY,
    ),
    Operation("POST", "/account/newsletter", DONE, {"subscribe": "true"}, JSON, may=EVERYBODY),
    Operation("GET", "/account/confirm-email", DONE, query=JSON, may=EVERYBODY),
    Operation("POST", "/account/confirm-email", DONE, {}, JSON, may=EVERYBODY),
    Operation("GET", f"{USER}/update", Outcome(200, SETTINGS), query=JSON, may=OWNER_AND_ADMINISTRATORS),
    Operation(
        "POST",
        f"{USER}/update",
        DONE,
        {"btn": "External", "ckan_api": "k"},
        JSON,
        may=OWNER_AND_ADMINISTRATORS,
    ),
    Operation(
        "GET", f"{USER}/resetapikey", Outcome(200, ("form",)), query=JSON, may=OWNER_AND_ADMINISTRATORS
    ),
    Operation("POST", f"{USER}/resetapikey", DONE, {}, JSON, may=OWNER_AND_ADMINISTRATORS),
    Operation(
        "GET",
        f"{USER}/projects",
        Outcome(200, ("projects_draft", "projects_published", "template", "title")),
        query=JSON,
    ),
    *(Operation(method, f"{USER}/export", DONE, query=JSON) for method in ("GET", "POST")),
    *(Operation(method, f"{USER}/delete", DELETED, query=JSON) for method in ("GET", "POST", "DELETE")),
)


def counts(operation: Operation, way: str) -> str | None:
    """The session's cookie alone, whatever stands beside it."""
    if way == "Basic and the owner's cookie":
        return OWNERS
    return ACTORS_OWN if way == "cookie" else None


RULES = Rules(
    counts,
    nobody=Outcome(401, ("code", "description", "next", "status", "template")),
    refused=Outcome(403, ERROR),
)


def wanted(operation: Operation, actor: str, way: str) -> Outcome:
    """One cell; what changes something needs the token of a session before anything else."""
    if operation.method in WRITES and (actor == ANONYMOUS or counts(operation, way) is None):
        return FORGED
    return expected(RULES, operation, actor, way)


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_cell_is_as_declared(
    actor: str, app: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    wrong = []
    for operation, way in product(OPERATIONS, RULES.ways):
        app.reset()
        got = outcome_of(send(app, RULES, operation, show(RULES.ways[way], who, owner)))
        if got != wanted(operation, actor, way):
            wrong.append((operation.method, operation.path, way, got, wanted(operation, actor, way)))
        if got == DELETED:
            put_back(stores, owner.person)
            renewed = hold(stores, owner.person)
            who, owner = renewed if who is owner else who, renewed
    assert wrong == []


def cells() -> Iterator[Cell]:
    yield from cells_of(OPERATIONS, RULES.ways, wanted)


def put_back(stores: Process, person: Person) -> None:
    """As if nobody had asked for the account's deletion."""
    with stores.transaction() as store:
        mine = update(Account).where(Account.id == person.id)
        store.session.execute(mine.values(deletion_asked=None, state=AccountState.ACTIVE))
