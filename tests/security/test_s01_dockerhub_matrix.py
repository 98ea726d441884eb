"""S01: the six calls of the Docker Hub API, by every actor and every way to say who one is."""

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import pytest
from sqlalchemy import delete
from webtest import TestApp

from accountsapp.domain.data.models import EmailAddress
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from tests.apis.dockerhub.test_user import KEYS
from tests.support.actors import ACTORS, DEAD, OWNER, STRANGERS, WAYS, Shown, cast, show
from tests.support.oauth import ALL, issue
from tests.support.people import Person

FURTHER = "further@example.org"
NEW = "new@example.org"


class Operation(NamedTuple):
    """One call on the account of the owner.

    :ivar path: of the printed tree
    :ivar scope: what a bearer token needs
    :ivar status: what the owner gets
    :ivar keys: of the owner's answer; of a list those of its first item
    """

    method: str
    path: str
    body: dict[str, str] | None
    scope: Scope
    status: int
    keys: frozenset[str]


USER, EMAILS = "/api/v1.1/users/{username}", "/api/v1.1/users/{username}/emails"
USER_KEYS = frozenset(KEYS)
EMAIL_KEYS = frozenset({"email", "verified", "primary"})
REFUSED = frozenset({"detail"})
OPERATIONS = (
    Operation("GET", USER, None, Scope.PROFILE_READ, 200, USER_KEYS),
    Operation("PATCH", USER, {"company": "C"}, Scope.PROFILE_WRITE, 200, USER_KEYS),
    Operation("GET", EMAILS, None, Scope.EMAIL_READ, 200, EMAIL_KEYS),
    Operation("POST", EMAILS, {"email": NEW}, Scope.EMAIL_WRITE, 201, EMAIL_KEYS),
    Operation("PATCH", EMAILS, {"email": FURTHER}, Scope.EMAIL_WRITE, 200, EMAIL_KEYS),
    Operation("DELETE", EMAILS, {"email": FURTHER}, Scope.EMAIL_WRITE, 204, frozenset()),
)


def expected(operation: Operation, actor: str, way: str) -> tuple[int, frozenset[str]]:
    """Status and keys of one cell: Basic and bearer count, and nothing that stands beside them."""
    counts = way == "bearer" or way.startswith("Basic")
    if not counts or actor == "anonymous" or actor in DEAD:
        return 401, REFUSED
    if actor in STRANGERS or (actor == "wrong scope" and way == "bearer"):
        return 403, REFUSED
    return operation.status, operation.keys


def send(app: TestApp, operation: Operation, shown: Shown) -> tuple[int, frozenset[str]]:
    """Status and keys of one call."""
    app.reset()
    url = operation.path.replace("{username}", OWNER) + (f"?{shown.query}" if shown.query else "")
    options: dict[str, Any] = {"headers": shown.headers, "expect_errors": True}
    if operation.body is None:
        answer = app.get(url, **options)
    else:
        answer = getattr(app, f"{operation.method.lower()}_json")(url, operation.body, **options)
    content = answer.json if answer.body else {}
    return answer.status_int, frozenset(content[0] if isinstance(content, list) else content)


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_cell_is_as_declared(
    actor: str, app: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    wrong = []
    for operation, way in product(OPERATIONS, WAYS):
        if actor != "deleted":
            put_back(stores, owner.person)
        if actor == "wrong scope":
            who = owner._replace(token=issue(stores, owner.person, *(set(ALL) - {operation.scope})))
        got, wanted = send(app, operation, show(way, who, owner)), expected(operation, actor, way)
        if got != wanted:
            wrong.append((operation.method, operation.path, way, got, wanted))
    assert wrong == []


def put_back(stores: Process, person: Person) -> None:
    """The addresses that the owner begins with."""
    mine = EmailAddress.account_id == person.id
    with stores.transaction() as store:
        store.session.execute(delete(EmailAddress).where(mine, ~EmailAddress.primary))
        store.session.add(EmailAddress(account_id=person.id, address=FURTHER, address_key=FURTHER))
