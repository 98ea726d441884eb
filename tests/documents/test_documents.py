"""The documents are OpenAPI, and say everything that there is."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from webtest import TestApp

from accountsapp.documents import library
from accountsapp.documents.library import Library
from accountsapp.tree import offers
from tests.support.documents import calls_of, document_of

NAMES = ("amo", "bookie", "oauth", "dockerhub", "openedx", "pybossa", "keys")
PAGES = (
    "pages.",
    "documents.",
    "web.",
)
"""Views for people and for operators, which belong to no API."""


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_openapi(name: str, app: TestApp) -> None:
    answer = app.get(f"/docs/{name}.json")
    assert answer.content_type == "application/json"
    document = answer.json
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1.")
    assert document["servers"] == [{"url": "/"}]
    names = [call.name for call in calls_of(document)]
    assert len(names) == len(set(names))


def test_every_view_is_in_a_document(app: TestApp) -> None:
    registry = app.app.registry
    assert tuple(registry.documents.documents) == NAMES
    described = {
        (method, call.path)
        for name in NAMES
        for call in calls_of(document_of(app, name))
        for method in [call.method]
    }
    there_is = {
        (method, offer.row.path)
        for offer in offers(registry)
        for method in offer.row.methods
        if not offer.row.view.startswith(PAGES)
    }
    assert described == there_is


def test_one_of_many_who_ask_at_once_makes_a_document(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait: it takes a tenth of a second, and a megabyte."""
    build = Mock(wraps=library.build)
    monkeypatch.setattr(library, "build", build)
    documents = Library()
    documents.add("bookie", "accountsapp.apis.bookie.documents")
    with ThreadPoolExecutor(8) as threads:
        texts = set(threads.map(lambda _: documents.text("bookie", app.app.registry), range(8)))
    assert texts == {app.get("/docs/bookie.json").body}
    assert build.call_count == 1


def test_every_operation_of_a_document_is_somewhere(app: TestApp) -> None:
    """What is said of a view that is mounted nowhere would be said to nobody."""
    registry = app.app.registry
    mounted = {offer.view for offer in offers(registry)}
    for document in registry.documents.documents.values():
        assert set(document.operations) <= mounted


def test_a_document_says_who_may(app: TestApp) -> None:
    """The credentials of an operation are those of the tree."""
    registry = app.app.registry
    closed = {
        (method, offer.row.path)
        for offer in offers(registry)
        for method in offer.row.methods
        if offer.row.credentials
    }
    for name in NAMES:
        for call in calls_of(document_of(app, name)):
            for_visitors = all("visitor" in way for way in call.operation["security"])
            assert for_visitors != ((call.method, call.path) in closed), call.name


def test_there_is_no_document_of_another_name(app: TestApp) -> None:
    for path in ("/docs/nothing", "/docs/nothing.json", "/docs/.json", "/docs/bookie.xml", "/docs/bookie/x"):
        assert app.get(path, status=404).content_type == "text/html" or path.endswith(".json")


def test_the_page_shows_a_document_without_inline_scripts(app: TestApp) -> None:
    first = app.get("/docs/")
    assert first.body == app.get(f"/docs/{NAMES[0]}").body
    assert "script-src 'self'" in first.headers["Content-Security-Policy"]
    assert "unsafe" not in first.headers["Content-Security-Policy"]
    assert {link["href"] for link in first.html.select(".documents a")} == {f"/docs/{name}" for name in NAMES}
    for script in first.html.select("script"):
        assert not script.text
        assert app.get(script["src"]).content_type == "text/javascript"
    for link in first.html.select("link[rel=stylesheet]"):
        assert app.get(link["href"]).content_type == "text/css"
    assert app.get(first.html.select_one("#swagger-ui")["data-url"]).json["openapi"]


def test_a_site_below_a_path_says_so(applications: Any, ini: dict[str, str], tmp_path: Any) -> None:
    wsgi = applications.make({**ini, "accountsapp.site_url": "https://example.org/accounts"}, str(tmp_path))
    document = json.loads(TestApp(wsgi).get("/docs/bookie.json").body)
    applications.end(wsgi)
    assert document["servers"] == [{"url": "/accounts"}]


def test_nobody_learns_a_secret_from_a_document(app: TestApp, ini: dict[str, str]) -> None:
    for name in NAMES:
        text = app.get(f"/docs/{name}.json").text
        assert ini["accountsapp.secret"] not in text
        assert ini["sqlalchemy.url"] not in text
