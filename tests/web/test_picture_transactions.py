"""R15: a request that gets a picture and fails leaves no file; one that is tried again leaves one."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pyramid.httpexceptions import HTTPConflict
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from webtest import TestApp

from accountsapp.domain.accounts import profile
from accountsapp.domain.data.models import Job
from accountsapp.domain.pictures.decoding import PNG, picture_of
from accountsapp.process import Process
from accountsapp.testing.people import Person
from accountsapp.web.bodies import Body
from accountsapp.web.request import Request
from accountsapp.web.resources import ApiRoot
from tests.support.outbox import Outbox
from tests.support.pictures import encoded, quarters
from tests.support.throwaway import add_view, added, mount

tried: list[str] = []


class Uploading(ApiRoot):
    """A view that gives an account a picture, and ends in one way or another."""

    checks = ("acl", "body")
    body = Body(types=("image/*",))


class Columns(NamedTuple):
    """What is looked at."""

    picture: str | None
    name: str | None


def veto(*_flush: object) -> None:
    """What is written last, as the transaction is to be committed, is refused."""
    raise HTTPConflict


def busy() -> OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorname = "SQLITE_BUSY"
    return OperationalError("", None, error)


def upload(context: Uploading, request: Request) -> dict[str, bool]:
    tried.append(request.view_name)
    data = request.parameters.content or b""
    picture = picture_of(data, formats=frozenset({PNG}), most_bytes=10_000)
    account_id = int(request.headers["X-Account"])
    profile.change(request.store, account_id, {"name": "changed"}, picture=picture)
    match request.view_name:
        case "raises":
            raise LookupError
        case "refuses":
            raise HTTPConflict
        case "veto":
            session = request.store.session
            event.listen(session, "before_flush", veto)
            session.add(Job(name="none", payload={}))
        case "busy" if len(tried) < 3:
            raise busy()
    return {"done": True}


def setup(config: Any) -> None:
    mount(config, "/uploading", Uploading)
    for name in ("well", "raises", "refuses", "veto", "busy"):
        add_view(config, upload, context=Uploading, name=name, request_method="POST")


@pytest.fixture
def wsgi(monkeypatch: Any, make_app: Callable[..., Any]) -> Iterator[Any]:
    tried.clear()
    with added(monkeypatch, setup):
        yield make_app(**{"accountsapp.apis": ""})


@pytest.mark.parametrize(
    ("name", "status", "tries", "is_changed"),
    [
        ("well", 200, 1, True),
        ("raises", 500, 1, False),
        ("refuses", 409, 1, False),
        ("veto", 409, 1, False),
        ("busy", 200, 3, True),
    ],
)
def test_r15_requests(
    name: str,
    status: int,
    tries: int,
    is_changed: bool,
    app: TestApp,
    stores: Process,
    alice: Person,
    outbox: Outbox,
) -> None:
    body, headers = encoded(quarters()), {"Content-Type": "image/png", "X-Account": str(alice.id)}
    answer = app.post(f"/uploading/{name}", body, headers=headers, expect_errors=True)
    assert (answer.status_int, len(tried)) == (status, tries)
    with stores.transaction() as store:
        columns = profile.read(store, alice.id, Columns)
    files = [path for path in Path(stores.settings.files).rglob("*") if path.is_file()]
    assert columns.name == ("changed" if is_changed else "Alice Liddell")
    assert [path.name for path in files] == ([f"{columns.picture}_avatar.png"] if is_changed else [])
