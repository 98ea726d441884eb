"""S01: who may do what in the Bookie API, as a table over every operation and every way to say who one is."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import AccountState
from accountsapp.process import Process
from tests.support.people import PASSWORD, Person

TARGET = "target"


class Operation(NamedTuple):
    """One operation on the account ``target``.

    :ivar path: of the printed tree
    :ivar parameters: of a request that succeeds, or that fails only for its values
    :ivar status: what its owner gets
    :ivar kind: whose it is: the account's own, or administrators'
    """

    method: str
    path: str
    parameters: dict[str, str]
    status: int
    kind: str = "own"


OPERATIONS = (
    Operation("GET", "/api/v1/{username}/account", {}, 200),
    Operation("POST", "/api/v1/{username}/account", {"name": "Changed"}, 200),
    Operation("GET", "/api/v1/{username}/api_key", {}, 200),
    Operation("POST", "/api/v1/{username}/api_key", {}, 200),
    Operation("POST", "/api/v1/{username}/reset_api_key", {}, 200),
    Operation("POST", "/api/v1/{username}/password", {"new_password": "x"}, 406),
    Operation("POST", "/api/v1/{username}/account/password", {"new_password": "x"}, 406),
    Operation("GET", "/api/v1/{username}/ping", {}, 200),
    Operation("POST", "/api/v1/{username}/invite", {}, 406),
    Operation("GET", "/api/v1/a/users/list", {}, 200, "admin"),
    Operation("POST", "/api/v1/a/users/add", {}, 406, "admin"),
    Operation("DELETE", "/api/v1/a/users/delete/{username}", {}, 200, "admin"),
    Operation("GET", "/api/v1/a/accounts/inactive", {}, 200, "admin"),
    Operation("GET", "/api/v1/a/accounts/invites", {}, 200, "admin"),
    Operation("POST", "/api/v1/a/accounts/invites/{username}/{count}", {}, 200, "admin"),
    Operation("GET", "/api/v1/a/nonactivated", {}, 200, "admin"),
    Operation("DELETE", "/api/v1/a/nonactivated", {}, 200, "admin"),
    Operation("GET", "/api/v1/a/applog/list", {}, 200, "admin"),
)

ACTORS = (
    "anonymous",
    "self",
    "other",
    "staff",
    "admin",
    "deactivated",
    "pending",
    "deleted",
    "inactive admin",
)
WAYS = ("query", "form", "json", "Basic", "Bearer", "Token", "cookie", "two at once")


def expected(operation: Operation, actor: str, way: str) -> int:
    """The status of one cell."""
    shown = way == "query" or (way in ("form", "json") and operation.method != "GET")
    if not shown or actor == "anonymous":
        return 403
    allowed = actor == "self" if operation.kind == "own" else actor == "admin"
    return operation.status if allowed else 403


@pytest.fixture
def people(register: Callable[..., Person], stores: Process) -> dict[str, Person]:
    """Every actor; ``target`` is the one called self, or its state is the actor's."""
    made = {
        "other": register("other"),
        "staff": register("staff", is_staff=True),
        "admin": register("admin", is_admin=True),
        "inactive admin": register("former", is_admin=True),
    }
    with stores.transaction() as store:
        lifecycle.deactivate(store, made["inactive admin"].id)
    return made


def as_target(
    actor: str, register: Callable[..., Person], stores: Process, people: dict[str, Person]
) -> Person:
    """The account that is acted on, and whose own key the actor may be holding."""
    target = register(TARGET)
    with stores.transaction() as store:
        account = locking.lock(store.session, target.id)
        if actor == "deactivated":
            lifecycle.deactivate(store, target.id)
        elif actor == "pending":
            account.state = AccountState.PENDING
        elif actor == "deleted":
            lifecycle.delete(store, target.id)
    return target


def send(app: TestApp, operation: Operation, way: str, person: Person | None) -> Any:
    path = operation.path.replace("{username}", TARGET).replace("{count}", "5")
    key = person.api_key if person else ""
    name = person.username if person else ""
    query = dict(operation.parameters)
    headers, body, content_type = {}, "", "application/x-www-form-urlencoded"
    match way if person else "none":
        case "query":
            query["api_key"] = key
        case "form":
            body = f"api_key={quote(key)}"
        case "json":
            body, content_type = json.dumps({"api_key": key}), "application/json"
        case "Basic":
            headers["Authorization"] = "Basic " + b64encode(f"{name}:{PASSWORD}".encode()).decode()
        case "Bearer" | "Token":
            headers["Authorization"] = f"{way} {key}"
        case "cookie":
            headers["Cookie"] = f"api_key={key}; sessionid={key}"
        case "two at once":
            query["api_key"] = key
            path += f"?api_key={quote(key[:-1])}"
    query_string = "&".join(
        f"{name}={quote(value)}" for name, value in query.items() if name != "new_password"
    )
    path += ("&" if "?" in path else "?") + query_string
    if "new_password" in query and operation.method != "GET":
        if content_type == "application/json":
            body = json.dumps({**json.loads(body), "new_password": query["new_password"]})
        else:
            body += f"&new_password={query['new_password']}"
    return app.request(
        path,
        method=operation.method,
        body=body.encode(),
        headers={**headers, "Content-Type": content_type},
        expect_errors=True,
    )


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_cell_is_as_declared(
    actor: str, app: TestApp, register: Callable[..., Person], stores: Process, people: dict[str, Person]
) -> None:
    wrong = []
    target = as_target(actor, register, stores, people)
    for operation in OPERATIONS:
        for way in WAYS:
            person = None if actor == "anonymous" else people.get(actor, target)
            answer = send(app, operation, way, person)
            status = expected(operation, actor, way)
            if answer.status_int != status or (status == 403 and "email" in answer.text):
                wrong.append((operation.method, operation.path, way, answer.status_int, status))
            if operation.method != "GET" and answer.status_int == 200:
                remove_target(stores)
                target = as_target(actor, register, stores, people)
    assert wrong == []


def remove_target(stores: Process) -> None:
    with stores.transaction() as store:
        row = store.reader.by_username(TARGET)
        if row is not None:
            lifecycle.delete(store, row.id)
