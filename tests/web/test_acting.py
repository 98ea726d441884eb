"""Safe methods write nothing, except in a view that says it acts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import update
from webtest import TestApp

from accountsapp.domain.data.models import Account
from accountsapp.testing.people import Person
from accountsapp.web.request import Request
from accountsapp.web.resources import ApiRoot
from tests.support.throwaway import add_view, added, mount


class Acts(ApiRoot):
    """Three views that write."""


def write(context: Acts, request: Request) -> dict[str, bool]:
    request.store.session.execute(update(Account).values(name="written"))
    return {"done": True}


def write_and_fail(context: Acts, request: Request) -> None:
    write(context, request)
    raise LookupError


def setup(config: Any) -> None:
    mount(config, "/acts", Acts)
    add_view(config, write, context=Acts, name="careless")
    add_view(config, write, context=Acts, name="declared", acts=True)
    add_view(config, write, context=Acts, name="declared", acts=True, request_method="POST")
    add_view(config, write_and_fail, context=Acts, name="failing", acts=True)


@pytest.fixture
def wsgi(monkeypatch: Any, make_app: Callable[..., Any]) -> Iterator[Any]:
    with added(monkeypatch, setup):
        yield make_app()


@pytest.mark.parametrize(
    ("method", "name", "status", "stored"),
    [
        ("GET", "careless", 500, "Alice Liddell"),
        ("HEAD", "careless", 500, "Alice Liddell"),
        ("GET", "declared", 200, "written"),
        ("POST", "declared", 200, "written"),
        ("GET", "failing", 500, "Alice Liddell"),
    ],
)
def test_what_is_written_by_a_get(
    method: str, name: str, status: int, stored: str, app: TestApp, alice: Person
) -> None:
    assert app.request(f"/acts/{name}", method=method, expect_errors=True).status_int == status
    shown = app.get("/api/v1/alice/account", {"api_key": alice.api_key}).json
    assert shown["name"] == stored
