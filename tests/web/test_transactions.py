"""What a request writes is kept as a whole or not at all, whichever ways of writing it uses."""

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
import transaction
from pyramid.httpexceptions import HTTPConflict
from sqlalchemy import delete, insert, select
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Job
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.web.bodies import Body
from accountsapp.web.request import Request
from accountsapp.web.resources import ApiRoot
from tests.support.throwaway import add_view, added, mount

LARGEST = 2 * 1024 * 1024
"""Bytes of a body: more than servers keep in memory."""


class Writes(ApiRoot):
    """A view that does what the query string says, step by step."""

    body = Body(types=("image/*",), largest=LARGEST)


def row(name: str) -> dict[str, Any]:
    return {"name": name, "payload": {}, "run_at": now(), "reckoned_from": now(), "max_attempts": 1}


def plain(store: Store, name: str) -> None:
    store.transaction.execute(insert(Job), row(name))


def statement(store: Store, name: str) -> None:
    store.session.execute(insert(Job), row(name))


def objects(store: Store, name: str) -> None:
    store.session.add(Job(**row(name)))


def back(store: Store, name: str) -> None:
    store.roll_back()


def apart(store: Store, name: str) -> None:
    with store.apart() as part:
        plain(part, name)


def orphan(store: Store, name: str) -> None:
    """What the commit refuses."""
    store.transaction.exec_driver_sql("INSERT INTO child VALUES (1)")


def refuse(store: Store, name: str) -> None:
    raise HTTPConflict


def fail(store: Store, name: str) -> None:
    raise LookupError


STEPS = {step.__name__: step for step in (plain, statement, objects, back, apart, orphan, refuse, fail)}


def act(context: Writes, request: Request) -> dict[str, bool]:
    for number, step in enumerate(request.GET["steps"].split()):
        STEPS[step](request.store, f"{step}{number}")
    return {"done": True}


def setup(config: Any) -> None:
    mount(config, "/writes", Writes)
    for method in ("GET", "POST"):
        add_view(config, act, context=Writes, request_method=method, acts=True)


@pytest.fixture
def wsgi(monkeypatch: Any, make_app: Callable[..., Any]) -> Iterator[Any]:
    with added(monkeypatch, setup):
        yield make_app(**{"accountsapp.apis": ""})


@pytest.fixture
def _deferred(database: Database) -> Iterator[None]:
    with database.write_engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE parent (id integer PRIMARY KEY)")
        connection.exec_driver_sql(
            "CREATE TABLE child (parent integer REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)"
        )
    yield
    with database.write_engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE child")
        connection.exec_driver_sql("DROP TABLE parent")


def names(database: Database) -> set[str]:
    with database.read_engine.connect() as connection:
        return {*connection.scalars(select(Job.name))}


@pytest.mark.usefixtures("_deferred")
def test_what_is_kept(app: TestApp, database: Database) -> None:
    """One request after the other on the same connection and in the same thread."""
    for steps, status, kept in (
        ("plain", 200, {"plain0"}),
        ("objects", 200, {"objects0"}),
        ("plain objects", 200, {"plain0", "objects1"}),
        ("objects plain", 200, {"objects0", "plain1"}),
        ("statement plain statement", 200, {"statement0", "plain1", "statement2"}),
        ("plain refuse", 409, set()),
        ("plain statement fail", 500, set()),
        ("statement objects refuse", 409, set()),
        ("apart plain refuse", 409, {"apart0"}),
        ("plain back", 200, set()),
        ("objects back", 200, set()),
        ("statement back apart", 200, {"apart2"}),
        ("plain back objects", 200, {"objects2"}),
        ("statement back plain", 200, {"plain2"}),
        ("plain objects back objects plain", 200, {"objects3", "plain4"}),
        ("plain objects back objects plain refuse", 409, set()),
        ("plain orphan", 500, set()),
        ("statement orphan", 500, set()),
        ("plain objects orphan", 500, set()),
        ("plain statement", 200, {"plain0", "statement1"}),
    ):
        for method in ("POST", "GET", "HEAD"):
            path = f"/writes?steps={steps.replace(' ', '+')}"
            answer = app.request(path, method=method, expect_errors=True)
            assert (steps, method, answer.status_int, names(database)) == (steps, method, status, kept)
            with database.begin() as session:
                session.execute(delete(Job))


def test_what_was_rolled_back_does_not_end_the_transaction_of_another_request(
    database: Database, stores: Process
) -> None:
    """The connection was given back, and another thread writes over it as the first request ends."""
    first, second = stores.for_request(""), stores.for_request("")

    def begin() -> None:
        plain(second, "begun")

    transaction.begin()
    plain(first, "undone")
    statement(first, "undone")
    first.roll_back()
    thread = Thread(target=begin)
    thread.start()
    thread.join()
    transaction.abort()
    first.close()
    assert second.is_writing
    second.close()


def test_a_large_upload_over_a_connection_that_was_lost(app: TestApp, database: Database) -> None:
    idle = database.write_connections.take()
    database.write_connections.give_back(idle)
    idle.connection.dbapi_connection.close()  # type: ignore[union-attr]
    body, headers = bytes(LARGEST), {"Content-Type": "image/png"}
    app.post("/writes?steps=plain", body, headers=headers)
    assert names(database) == {"plain0"}
