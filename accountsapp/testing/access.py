"""Access matrices: every operation of an API, by every actor, by every way to say who one is.

An API's matrix is its operations, its :class:`Rules`, and what has to be put back between two calls.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import urlencode

from webtest import TestApp

from accountsapp.domain.oauth.scopes import Scope
from accountsapp.testing.actors import ACTORS, ANONYMOUS, DEAD, FORMER, LIVING, OWNER, WAYS, Way
from accountsapp.testing.credentials import Shown

ACTORS_OWN, OWNERS = "the actor's", "the owner's"
"""Whose credential a way presents."""
ADMINISTRATORS, EVERYBODY = "administrators", "everybody"
OWNER_AND_ADMINISTRATORS = "the owner and administrators"
"""Who may, beside the owner alone: administrators alone, both, or everybody with what is his own."""
HOLDER = "{holder}"
"""Stands in an outcome for the username of whoever is asking."""
FILL = {"{username}": OWNER, "{account}": OWNER, "{count}": "5", "{key}": "none"}


class Outcome(NamedTuple):
    """What came of a call: the status, and the keys of the answer or what a page shows."""

    status: int
    shows: tuple[str, ...]


class Operation(NamedTuple):
    """One call on the account of the owner.

    :ivar path: of the printed tree
    :ivar outcome: of who may
    :ivar fields: of the body; None for a request without one
    :ivar query: parameters of the query string
    :ivar scope: what a bearer token needs
    :ivar may: :data:`OWNER`, :data:`ADMINISTRATORS`, :data:`OWNER_AND_ADMINISTRATORS` or
        :data:`EVERYBODY`
    :ivar refused: what is told to everybody else, where it is not what the API tells (:class:`Rules`)
    """

    method: str
    path: str
    outcome: Outcome
    fields: Mapping[str, str] | None = None
    query: Mapping[str, str] = {}
    scope: Scope | None = None
    may: str = OWNER
    refused: Outcome | None = None


class Cell(NamedTuple):
    """What an actor is told who makes a call with a credential shown in some way.

    :ivar call: method and path
    """

    call: str
    way: str
    actor: str
    status: int


class Rules(NamedTuple):
    """What counts at an API.

    :ivar counts: whose credential it takes from a way; None where it sees none
    :ivar nobody: what is told to who has no good credential, or one of an account that is not active
    :ivar refused: what is told to who may not
    :ivar encoding: of bodies, where a way to show a credential does not ask for one
    :ivar ways: by name
    """

    counts: Callable[[Operation, str], str | None]
    nobody: Outcome
    refused: Outcome
    encoding: str = "json"
    ways: Mapping[str, Way] = WAYS


def expected(rules: Rules, operation: Operation, actor: str, way: str) -> Outcome:
    """One cell."""
    whose = rules.counts(operation, way)
    who = actor if whose == ACTORS_OWN or actor in DEAD else "self"
    if actor == ANONYMOUS or whose is None or who in DEAD or who == FORMER:
        return operation.refused or rules.nobody
    is_owner = who in LIVING
    lacks_scope = who == "wrong scope" and way == "bearer" and operation.scope is not None
    is_administrator = who == "administrator"
    may = {
        OWNER: is_owner,
        ADMINISTRATORS: is_administrator,
        OWNER_AND_ADMINISTRATORS: is_owner or is_administrator,
        EVERYBODY: True,
    }[operation.may]
    if lacks_scope or not may:
        return operation.refused or rules.refused
    holder = OWNER if is_owner else who.replace(" ", "-")
    status, shows = operation.outcome
    return Outcome(status, tuple(holder if text == HOLDER else text for text in shows))


def cells_of(
    operations: Iterable[Operation],
    ways: Iterable[str],
    outcome: Callable[[Operation, str, str], Outcome],
) -> Iterator[Cell]:
    """A whole matrix, to be printed.

    :param outcome: of one operation, actor and way
    """
    for operation, way, actor in product(operations, ways, ACTORS):
        call = f"{operation.method} {operation.path}"
        yield Cell(call, way, actor, outcome(operation, actor, way).status)


def send(
    app: TestApp, rules: Rules, operation: Operation, shown: Shown, fill: Mapping[str, str] = FILL
) -> Any:
    """The answer to one call.

    :param fill: what stands for the patterns in its path
    """
    path = operation.path
    for pattern, value in fill.items():
        path = path.replace(pattern, value)
    query = "&".join(part for part in (urlencode(operation.query), shown.query) if part)
    headers, body = dict(shown.headers), b""
    fields = {**(operation.fields or {}), **shown.fields}
    if operation.fields is not None or fields:
        is_json = (shown.encoding or rules.encoding) == "json"
        headers["Content-Type"] = "application/json" if is_json else "application/x-www-form-urlencoded"
        body = (json.dumps(fields) if is_json else urlencode(fields)).encode()
    return app.request(
        path + (("&" if "?" in path else "?") + query if query else ""),
        method=operation.method,
        body=body,
        headers=headers,
        expect_errors=True,
    )


def outcome_of(answer: Any) -> Outcome:
    """Of an answer in JSON; of a list the keys of its first item."""
    content = answer.json if answer.body else {}
    if isinstance(content, list):
        content = content[0] if content else {}
    return Outcome(answer.status_int, tuple(sorted(content)))
