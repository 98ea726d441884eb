"""R25: the whole suite runs on both databases, and no test of it is left out."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
LEAVES_OUT = {"skip", "skipif", "xfail", "importorskip"}
STORES = {"database_url", "empty_database_url"}
WITH_ONE = {
    "test_accounts.py",
    "test_any_request.py",
    "test_authorization_pages.py",
    "test_broken_inis.py",
    "test_command.py",
    "test_database_in_trouble.py",
    "test_db.py",
    "test_documents.py",
    "test_documents_in_a_browser.py",
    "test_moving_bookie.py",
    "test_moving_csv.py",
    "test_everywhere.py",
    "test_help.py",
    "test_mail_test.py",
    "test_markup.py",
    "test_example_pages.py",
    "test_examples_of_commands.py",
    "test_examples.py",
    "test_extension.py",
    "test_folders.py",
    "test_forgotten_password.py",
    "test_import.py",
    "test_log_output.py",
    "test_lost_connections.py",
    "test_keys_in_a_browser.py",
    "test_life_of_an_account.py",
    "test_litestream.py",
    "test_pages_in_a_browser.py",
    "test_r02_r04_postgresql.py",
    "test_r16_r17_floods.py",
    "test_r21_backup.py",
    "test_refused_passwords.py",
    "test_reports.py",
    "test_requests_of_pages.py",
    "test_restarts_in_turn.py",
    "test_roles_in_trouble.py",
    "test_site_path.py",
    "test_social_auth.py",
    "test_start.py",
}
"""Files with tests of words, files, pages or sockets, which choose one database to save time, or of what one
of the two alone can meet."""


def test_r25_every_backend_is_a_parameter(
    backend: str, database_url: str, request: pytest.FixtureRequest
) -> None:
    """The fixture of the database makes two tests of this one."""
    definition = request.node._fixtureinfo.name2fixturedefs["backend"][-1]
    assert list(definition.params) == ["sqlite", "postgresql"]
    assert request.node.callspec.params["backend"] == backend
    assert database_url.startswith(backend)


def test_r25_every_test_with_a_database_has_both(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        if isinstance(item, pytest.Function) and STORES & set(item.fixturenames):
            params = item._fixtureinfo.name2fixturedefs["backend"][-1].params
            chosen = any("backend" in mark.args[0] for mark in item.iter_markers("parametrize"))
            both = list(params or ()) == ["sqlite", "postgresql"] and not chosen
            assert both or item.path.name in WITH_ONE, f"{item.nodeid} has one database"


def test_r25_no_skips() -> None:
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("pytest", "pytest.mark")
            assert not (called and node.attr in LEAVES_OUT), f"{path}:{node.lineno} leaves tests out"
