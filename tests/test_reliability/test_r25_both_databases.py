"""R25: the whole suite runs on both databases, and no test of it is left out."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
LEAVES_OUT = {"skip", "skipif", "xfail", "importorskip"}
STORES = {"database_url", "empty_database_url"}


def test_r25_every_backend_is_a_parameter(
    backend: str, database_url: str, request: pytest.FixtureRequest
) -> None:
    """The fixture of the database makes two tests of this one."""
    definition = request.node._fixtureinfo.name2fixturedefs["backend"][-1]
    assert list(definition.params) == ["sqlite", "postgresql"]
    assert request.node.callspec.params["backend"] == backend
    assert database_url.startswith(backend)


def test_r25_every_test_with_a_database_has_both(request: pytest.FixtureRequest) -> None:
    seen = 0
    for item in request.session.items:
        if isinstance(item, pytest.Function) and STORES & set(item.fixturenames):
            fixture = item._fixtureinfo.name2fixturedefs.get("backend")
            if fixture and fixture[-1].params:
                seen += 1
                assert "backend" in item.callspec.params, f"{item.nodeid} has one database"
    assert seen or len(request.session.items) < 10


def test_r25_no_skips() -> None:
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("pytest", "pytest.mark")
            assert not (called and node.attr in LEAVES_OUT), f"{path}:{node.lineno} leaves tests out"
