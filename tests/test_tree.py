"""The printed tree is the real one, and what it says of every view holds."""

from pathlib import Path
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationConflictError, ConfigurationExecutionError
from pyramid.interfaces import IMultiView, IRequest, IViewClassifier
from webtest import TestApp
from zope.interface import implementedBy

from accountsapp import configure
from accountsapp.cli.tree import plain_lines, table
from accountsapp.domain.rules.usernames import RESERVED
from accountsapp.settings import load
from accountsapp.testing.credentials import hold, present
from accountsapp.testing.everywhere import NEARBY, path_of
from accountsapp.testing.people import SECRET, SITE_URL, Person
from accountsapp.tree import OPEN, Row, declared_views, rows
from accountsapp.web.resources import ApiRoot, Resource

PRINTED = Path(__file__).parent.parent / "docs" / "tree.txt"

OPEN_VIEWS = {
    ("/", "GET"),
    ("/.well-known/oauth-authorization-server", "GET"),
    ("/.well-known/oauth-authorization-server/api/v1.1/o", "GET"),
    ("/exports/{code}", "GET"),
    ("/healthz", "GET"),
    ("/api/keys/v1/pattern", "GET"),
    ("/metrics", "GET"),
    ("/readyz", "GET"),
    ("/uploads/default/{size}.png", "GET"),
    ("/uploads/{container}/{picture}", "GET"),
    ("/docs", "GET"),
    ("/docs/{document}", "GET"),
    ("/favicon.ico", "GET"),
    ("/static/{file}", "GET"),
    ("/sessions", "POST"),
    ("/applications", "POST"),
    ("/keys", "POST"),
    ("/confirm/email/{code}", "GET"),
    ("/confirm/email/{code}", "POST"),
    ("/confirm/address/{code}", "GET"),
    ("/confirm/address/{code}", "POST"),
    ("/confirm/registration/{code}", "GET"),
    ("/confirm/registration/{code}", "POST"),
    ("/account", "GET"),
    ("/account/page/{number}", "GET"),
    ("/account/profile", "GET"),
    ("/account/{username}", "GET"),
    ("/account/register", "GET"),
    ("/account/register", "POST"),
    ("/account/register/confirmation", "GET"),
    ("/account/register/confirmation", "POST"),
    ("/account/signin", "GET"),
    ("/account/signin", "POST"),
    ("/account/signout", "GET"),
    ("/account/signout", "POST"),
    ("/account/forgot-password", "GET"),
    ("/account/forgot-password", "POST"),
    ("/account/reset-password", "GET"),
    ("/account/reset-password", "POST"),
    ("/api/v1.1/o/authorize", "POST"),
    ("/api/v1.1/o/applications", "POST"),
    ("/api/v1.1/o/token", "POST"),
    ("/api/v1.1/o/revoke", "POST"),
    ("/api/v1.1/o/introspect", "POST"),
    ("/recovery/{username}/reset/{code}", "GET"),
    ("/recovery/{username}/reset/{code}", "POST"),
    ("/api/user/v1/account/login_session", "POST"),
    ("/api/user/v2/account/login_session", "POST"),
    ("/csrf/api/v1/token", "GET"),
    ("/oauth2/access_token", "POST"),
    ("/password_reset", "POST"),
    ("/user_api/v1/account/registration", "GET"),
    ("/user_api/v1/preferences/time_zones", "GET"),
    *(
        (f"/api/{name}", method)
        for name in ("certificates", "edx_name_affirmation", "notifications")
        for method in ("DELETE", "GET", "PATCH", "POST")
    ),
    ("/api/v5/accounts/unsubscribe", "POST"),
    ("/users/unsubscribe/{token}/{hash}/{notification}", "GET"),
    ("/users/unsubscribe/{token}/{hash}/{notification}", "POST"),
    ("/ping", "GET"),
    ("/api/v1/ping", "GET"),
    ("/api/v1/suspend", "POST"),
    ("/api/v1/suspend", "DELETE"),
}
"""Everything that answers without a credential. Add to it only what the contract opens."""


def configured(**changes: str) -> Configurator:
    ini = {
        "accountsapp.mode": "development",
        "sqlalchemy.url": "sqlite:///nowhere/to/be/opened.sqlite",
        "accountsapp.secret": SECRET,
        "accountsapp.site_url": SITE_URL,
        **changes,
    }
    return configure(load(ini, environ={}), ini)


@pytest.fixture(scope="module")
def registry() -> Any:
    with configured() as config:
        config.commit()
    return config.registry


@pytest.fixture(scope="module")
def tree(registry: Any) -> list[Row]:
    return rows(registry)


def test_the_documented_tree_is_the_real_one(tree: list[Row]) -> None:
    assert PRINTED.read_text("utf-8").splitlines() == plain_lines(tree), (
        "write it anew: accountsapp -c development.ini tree --plain > docs/tree.txt"
    )


def test_the_table_has_the_same_rows_with_their_lines(tree: list[Row]) -> None:
    heading, *lines = table(tree)
    assert heading.split() == ["URL", "VERBS", "PERMISSION", "CREDENTIALS", "VIEW"]
    assert [line.split()[0] for line in lines] == [row.path for row in tree]
    assert [line.split()[-1] for line in lines] == [row.source for row in tree]


def test_the_tree_needs_no_database(tree: list[Row]) -> None:
    assert not Path("nowhere").exists()


def test_open_views_are_the_listed_ones(tree: list[Row]) -> None:
    assert {
        (row.path, method) for row in tree if row.permission == OPEN for method in row.methods
    } == OPEN_VIEWS


def test_every_view_is_somewhere_in_the_tree(registry: Any, tree: list[Row]) -> None:
    """A resource class that no ``children`` leads to would hide its views."""
    assert {view.source for view in declared_views(registry)} == {row.source for row in tree}


def test_no_first_segment_can_be_a_username(tree: list[Row]) -> None:
    firsts = {row.path.split("/")[1] for row in tree} - {""}
    assert firsts <= RESERVED


def test_sources_name_no_folder_of_this_machine(tree: list[Row]) -> None:
    assert not [row for row in tree if row.source.startswith(("/", ".."))]


ALSO_ACCOUNTS = ("deactivate_logout", "name_change")
"""Words of URLs that may be names of accounts too, whose verbs are told once."""


WITHOUT_OPTIONS = ("/auth/check",)
"""What a proxy asks, perhaps by the method of the request that it asks about: a 204 would let that in."""


def test_requests_find_what_the_tree_says(app: TestApp, alice: Person, admin: Person) -> None:
    """OPTIONS at every URL names the printed verbs, and none of them is an unknown method there."""
    verbs: dict[str, set[str]] = {}
    tells_nobody = set()
    for row in rows(app.app.registry):
        verbs.setdefault(path_of(row, alice), set()).update(row.methods)
        if row.view.startswith("apis.openedx.") and row.permission != OPEN:
            tells_nobody.add(path_of(row, alice))
    for name in ALSO_ACCOUNTS:
        verbs[f"/api/user/v1/accounts/{name}"] |= verbs[f"/api/user/v1/accounts/{alice.username}"]
    app.extra_environ.update(NEARBY)
    signed_in = present("session", hold(app.app.registry.process, alice)).headers
    for path, methods in verbs.items():
        status = 405 if path in WITHOUT_OPTIONS else 204
        allowed = set(app.options(path, status=status).headers["Allow"].split(", "))
        assert allowed - {"OPTIONS", "HEAD"} == methods, path
        for method in methods:
            assert app.request(path, method=method, expect_errors=True).status_int != 405, (method, path)
        wrong = "PUT" if "PUT" not in methods else "PATCH"
        assert app.request(path, method=wrong, headers=signed_in, status=405), path
        app.reset()
        anonymous = 401 if path in tells_nobody else 405
        assert app.request(path, method=wrong, expect_errors=True).status_int == anonymous, path


def test_two_mounts_of_one_path_stop_the_start() -> None:
    config = configured()
    config.mount("/here", ApiRoot)
    config.mount("/here", Resource)
    with pytest.raises(ConfigurationConflictError, match="/here"):
        config.commit()


@pytest.mark.parametrize("inside", ["/api/v1/inside", "/api"])
def test_a_mount_inside_another_stops_the_start(inside: str) -> None:
    config = configured()
    config.commit()
    config.mount(inside, ApiRoot)
    with pytest.raises(ConfigurationExecutionError, match=inside):
        config.commit()


def test_an_api_that_is_left_out_has_no_urls() -> None:
    with configured(**{"accountsapp.apis": ""}) as config:
        config.commit()
    left = {row.path for row in rows(config.registry) if row.path.startswith("/api")}
    assert left == {"/api/keys/v1/pattern"}


def test_reads_are_tried_first(registry: Any) -> None:
    """Each view that is tried before the one that fits costs an exception."""
    several = 0
    for (context, name), methods in registry.methods.items():
        lookup = (IViewClassifier, IRequest, implementedBy(context))
        views = registry.adapters.registered(lookup, IMultiView, name=name)
        if views is None or "GET" not in methods:
            continue
        several += 1
        _, first, _ = views.views[0]
        assert "GET" in " ".join(predicate.text() for predicate in first.__predicates__), (context, name)
    assert several > 20
