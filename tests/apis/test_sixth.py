"""The worked example of the documentation: one folder and one entry point make an API."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle, profile
from accountsapp.domain.errors import AccountNotFound
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from tests.support.distributions import install_api
from tests.support.oauth import bearer, issue
from tests.support.people import Person


@pytest.fixture
def wsgi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_app: Callable[..., Any]) -> Any:
    install_api(tmp_path / "installed", monkeypatch, "sixth", "tests.support.sixth_api")
    return make_app()


def change(app: TestApp, key: str | None, status: int, body: Any = None) -> Any:
    headers = {} if key is None else {"Members-Key": key}
    return app.patch_json("/sixth/alice", body or {"full_name": "New"}, headers=headers, status=status).json


def test_everybody_may_read(app: TestApp, alice: Person) -> None:
    assert app.get("/sixth/alice").json == {"username": "alice", "full_name": "Alice Liddell"}
    assert app.get("/sixth/nobody", status=404).json == {"error": "Not found."}


def test_it_has_a_document(app: TestApp) -> None:
    document = app.get("/docs/sixth.json").json
    OpenAPIV31SpecValidator(document).validate()
    assert list(document["paths"]) == ["/sixth", "/sixth/{username}"]
    member = document["paths"]["/sixth/{username}"]
    assert member["get"]["security"] == [{}, {"api-key-header": []}, {"bearer": []}]
    assert list(member["patch"]["requestBody"]["content"]) == ["application/json"]
    assert document["components"]["securitySchemes"]["api-key-header"]["name"] == "Members-Key"
    assert app.get("/docs/sixth").html.h1.text == "API documents"


def test_a_bad_credential_is_not_everybodys(app: TestApp, alice: Person) -> None:
    answer = app.get("/sixth/alice", headers={"Members-Key": "wrong"}, status=401)
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_owner_and_administrators_may_change(
    app: TestApp, stores: Process, alice: Person, bob: Person, admin: Person
) -> None:
    change(app, None, 401)
    change(app, bob.api_key, 403)
    assert change(app, alice.api_key, 200) == {"username": "alice", "full_name": "New"}
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    change(app, alice.api_key, 401)
    assert change(app, admin.api_key, 200, {"full_name": "By the admin"})["full_name"] == "By the admin"


def test_a_token_needs_its_scope(app: TestApp, stores: Process, alice: Person) -> None:
    for scope, status in ((Scope.PROFILE_READ, 403), (Scope.PROFILE_WRITE, 200)):
        headers = bearer(issue(stores, alice, scope))
        app.patch_json("/sixth/alice", {"full_name": "New"}, headers=headers, status=status)


def test_an_account_that_goes_meanwhile(
    app: TestApp, monkeypatch: pytest.MonkeyPatch, alice: Person, admin: Person
) -> None:
    def gone(*_: Any) -> None:
        raise AccountNotFound

    monkeypatch.setattr(profile, "change", gone)
    assert change(app, admin.api_key, 404) == {"error": "Not found."}


@pytest.mark.parametrize("body", [{}, {"full_name": 1}, {"full_name": "x" * 256}, {"full_name": "a\0b"}])
def test_bad_fields(body: Any, app: TestApp, alice: Person) -> None:
    headers = {"Members-Key": alice.api_key}
    answer = app.patch_json("/sixth/alice", body, headers=headers, status=422)
    assert list(answer.json["errors"]) == ["full_name"]
    app.patch("/sixth/alice", "full_name=New", headers=headers, status=415)
