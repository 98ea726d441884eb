"""S01: who may do what in the Bookie API, by every actor and every way to say who one is."""

from collections.abc import Callable, Iterator
from itertools import product

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.rules.key_scopes import PRESETS
from accountsapp.process import Process
from accountsapp.testing.access import (
    ACTORS_OWN,
    ADMINISTRATORS,
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
from accountsapp.testing.actors import ACTORS, OWNER, STRANGERS, WAYS, Way, cast, cast_owner, show
from accountsapp.testing.credentials import Shown
from accountsapp.testing.people import Person

USER = ("activated", "email", "last_login", "name", "signup", "username")
LISTED = tuple(sorted((*USER, "invite_ct", "invited_by", "is_admin")))
READ, PINGED = Outcome(200, USER), Outcome(200, ("message", "success"))
NEW_KEY, WRONG_VALUES = Outcome(200, ("api_key", "message")), Outcome(406, ("error", "username"))
ENDED = Outcome(200, ("message", "username"))
USERS = Outcome(200, ("count", "total", "users"))
REFUSED, PING_REFUSED = Outcome(403, ("error",)), Outcome(403, ("error", "message", "success"))

OWN, ADMIN = "/api/v1/{username}", "/api/v1/a"
OPERATIONS = (
    Operation("GET", f"{OWN}/account", READ),
    Operation("POST", f"{OWN}/account", READ, {}, {"name": "Changed"}),
    Operation("GET", f"{OWN}/api_key", Outcome(200, ("api_key", "username"))),
    Operation("POST", f"{OWN}/api_key", NEW_KEY, {}),
    Operation("POST", f"{OWN}/reset_api_key", NEW_KEY, {}),
    Operation("DELETE", f"{OWN}/api_key", ENDED, {}),
    Operation("POST", f"{OWN}/password", WRONG_VALUES, {"new_password": "x"}),
    Operation("POST", f"{OWN}/account/password", WRONG_VALUES, {"new_password": "x"}),
    Operation("GET", f"{OWN}/ping", PINGED, refused=PING_REFUSED),
    Operation("POST", f"{OWN}/invite", WRONG_VALUES, {}),
    Operation("GET", f"{ADMIN}/users/list", USERS, may=ADMINISTRATORS),
    Operation("POST", f"{ADMIN}/users/add", Outcome(406, ("error",)), {}, may=ADMINISTRATORS),
    Operation("DELETE", f"{ADMIN}/users/delete/{{username}}", PINGED, {}, may=ADMINISTRATORS),
    Operation("GET", f"{ADMIN}/accounts/inactive", USERS, may=ADMINISTRATORS),
    Operation("GET", f"{ADMIN}/accounts/invites", Outcome(200, ("users",)), may=ADMINISTRATORS),
    Operation(
        "POST",
        f"{ADMIN}/accounts/invites/{{username}}/{{count}}",
        Outcome(200, LISTED),
        {},
        may=ADMINISTRATORS,
    ),
    Operation("GET", f"{ADMIN}/nonactivated", Outcome(200, ("count", "data", "status")), may=ADMINISTRATORS),
    Operation("DELETE", f"{ADMIN}/nonactivated", Outcome(200, ("message", "status")), {}, may=ADMINISTRATORS),
    Operation("GET", f"{ADMIN}/applog/list", Outcome(200, ("count", "logs")), may=ADMINISTRATORS),
)

KEY_WAYS: dict[str, Way] = {
    "key in a form": lambda actor, owner: Shown(fields={"api_key": actor.person.api_key}, encoding="form"),
    "key in JSON": lambda actor, owner: Shown(fields={"api_key": actor.person.api_key}, encoding="json"),
    "key as Bearer": lambda actor, owner: Shown(headers={"Authorization": f"Bearer {actor.person.api_key}"}),
    "key as Token": lambda actor, owner: Shown(headers={"Authorization": f"Token {actor.person.api_key}"}),
    "key in cookies": lambda actor, owner: Shown(
        headers={"Cookie": f"api_key={actor.person.api_key}; sessionid={actor.person.api_key}"}
    ),
    "two keys": lambda actor, owner: Shown(
        f"api_key={actor.person.api_key[:-1]}&api_key={actor.person.api_key}"
    ),
}


PRESET_WAYS = {f"{preset} key": preset for preset in PRESETS}
"""Named keys, in the header."""


def by_named_key(preset: str) -> Way:
    return lambda actor, owner: Shown(headers={"X-Api-Key": actor.named[preset]})


WAYS_HERE = {**WAYS, **KEY_WAYS, **{way: by_named_key(preset) for way, preset in PRESET_WAYS.items()}}


def scope_of(operation: Operation) -> str:
    """The scope that a named key needs."""
    if operation.path.startswith(f"{ADMIN}/"):
        return "administer"
    name = operation.path.rpartition("/")[2]
    if name == "password":
        return "password:write"
    kind = "key" if name in ("api_key", "reset_api_key") else "account"
    return f"{kind}:{'read' if operation.method == 'GET' else 'write'}"


def declared(operation: Operation, actor: str, way: str) -> Outcome:
    """One cell: as for who has no scopes, and what the scopes of a key make of it."""
    outcome = expected(RULES, operation, actor, way)
    if outcome != operation.outcome:
        return outcome
    if operation.outcome == ENDED:
        return ENDED if way in (*PRESET_WAYS, "named key") else REFUSED  # a default key cannot be ended
    scopes = PRESETS[PRESET_WAYS[way]] if way in PRESET_WAYS else None
    if scopes is None or scope_of(operation) in scopes:
        return outcome
    return operation.refused or RULES.refused


def counts(operation: Operation, way: str) -> str | None:
    """``X-Api-Key`` counts, and ``api_key`` in the query, on unsafe methods in the body too; nothing else."""
    if way in ("key in a form", "key in JSON"):
        return ACTORS_OWN if operation.method != "GET" else None
    if way in PRESET_WAYS:
        return ACTORS_OWN
    return {
        "query key": ACTORS_OWN,
        "key in a header": ACTORS_OWN,
        "named key": ACTORS_OWN,
        "Basic and the owner's query key": OWNERS,
    }.get(way)


RULES = Rules(counts, nobody=REFUSED, refused=REFUSED, encoding="form", ways=WAYS_HERE)


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_cell_is_as_declared(
    actor: str, app: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    owner, who = cast(actor, register, stores)
    wrong = []
    for operation, way in product(OPERATIONS, RULES.ways):
        answer = send(app, RULES, operation, show(RULES.ways[way], who, owner))
        got, wanted = outcome_of(answer), declared(operation, actor, way)
        if got != wanted or (wanted.status == 403 and "email" in answer.text):
            wrong.append((operation.method, operation.path, way, got, wanted))
        if operation.method != "GET" and answer.status_int == 200:
            remove_owner(stores)
            owner = cast_owner(actor, register, stores)
            who = owner if who is not None and actor not in STRANGERS else who
    assert wrong == []


def cells() -> Iterator[Cell]:
    yield from cells_of(OPERATIONS, RULES.ways, declared)


def remove_owner(stores: Process) -> None:
    with stores.transaction() as store:
        row = store.reader.by_username(OWNER)
        if row is not None:
            lifecycle.delete(store, row.id)
