"""S01: whom ``/auth/check`` takes somebody for, by every actor and every way to say who one is."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.rules.key_scopes import PRESETS
from accountsapp.process import Process
from accountsapp.testing.access import Cell
from accountsapp.testing.actors import ACTORS, ANONYMOUS, DEAD, FORMER, STRANGERS, Way, cast, show
from accountsapp.testing.credentials import Shown, in_header, present
from accountsapp.testing.everywhere import NEARBY
from accountsapp.testing.people import Person

OPERATIONS = (("GET", "/auth/check"),)
POWERLESS = "account:read account:write email:read email:write key:read key:write password:write"
ALL = f"{POWERLESS} administer"
OF_TOKEN = "account:read account:write email:read email:write"
MISPLACED = "key in the check's own URL"
NAMED = "key"
"""Stands for ``key:`` and an id."""


def by_named_key(preset: str) -> Way:
    return lambda actor, owner: Shown(headers={"X-Api-Key": actor.named[preset]})


WAYS: dict[str, tuple[Way, str | None, str]] = {
    "key in the URL": (lambda actor, owner: present("proxied api_key", actor), "default-key", ALL),
    "key in a header": (lambda actor, owner: present("x-api-key", actor), "default-key", ALL),
    "key as Bearer": (
        lambda actor, owner: Shown(headers={"Authorization": f"Bearer {actor.person.api_key}"}),
        "default-key",
        ALL,
    ),
    **{
        f"named key, {preset}": (by_named_key(preset), NAMED, ALL if scopes is None else " ".join(scopes))
        for preset, scopes in PRESETS.items()
    },
    "token as Bearer": (lambda actor, owner: present("bearer", actor), "bearer", OF_TOKEN),
    "Basic": (lambda actor, owner: present("basic", actor), "basic", ALL),
    "session where it is asked for": (
        lambda actor, owner: present("requested session", actor),
        "session",
        ALL,
    ),
    "session where it is not": (lambda actor, owner: present("session", actor), None, ""),
    MISPLACED: (lambda actor, owner: present("api_key", actor), None, ""),
    "JWT": (lambda actor, owner: present("jwt", actor), None, ""),
    "signed token": (lambda actor, owner: present("signed token", actor), None, ""),
    "session in a header": (lambda actor, owner: present("session header", actor), None, ""),
    "key in another header": (lambda actor, owner: in_header("Private-Token")(actor), None, ""),
    "key as Token": (
        lambda actor, owner: Shown(headers={"Authorization": f"Token {actor.person.api_key}"}),
        None,
        "",
    ),
}
"""How it is shown, what ``X-Auth-Credential`` says of it, None where it is none, and which scopes it has."""


def ask(app: TestApp, shown: Shown) -> Any:
    app.reset()
    app.extra_environ.update(NEARBY)
    query = f"?{shown.query}" if shown.query else ""
    return app.get(f"/auth/check{query}", headers=dict(shown.headers), expect_errors=True)


@pytest.mark.parametrize("actor", ACTORS)
def test_s01_every_cell_is_as_declared(
    actor: str, app: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    owner, stranger = cast(actor, register, stores)
    who = stranger if actor in STRANGERS else None if actor == ANONYMOUS else owner
    wrong = []
    for name, (way, credential, scopes) in WAYS.items():
        answer = ask(app, show(way, who, owner))
        user, kind, granted = (
            answer.headers.get(f"X-Auth-{header}") for header in ("User", "Credential", "Scopes")
        )
        told = (user, kind and kind.partition(":")[0], granted)
        status = status_of(name, actor)
        wanted = (status, (None, None, None))
        if status == 200:
            is_powerless = scopes == ALL and actor != "administrator"
            wanted = (200, (who.person.username, credential, POWERLESS if is_powerless else scopes))
        if (answer.status_int, told) != wanted:
            wrong.append((name, answer.status_int, told, wanted))
    assert wrong == []


def status_of(name: str, actor: str) -> int:
    """One cell."""
    _, credential, _ = WAYS[name]
    if actor != ANONYMOUS and name == MISPLACED:
        return 400
    return 401 if actor in (ANONYMOUS, *DEAD, FORMER) or credential is None else 200


def cells() -> Iterator[Cell]:
    for (method, path), name, actor in product(OPERATIONS, WAYS, ACTORS):
        yield Cell(f"{method} {path}", name, actor, status_of(name, actor))
