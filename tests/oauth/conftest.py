"""Clients of the authorization server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.oauth import Client, sign_in
from accountsapp.testing.people import Person
from tests.support.mailserver import free_port
from tests.support.servers import Server


@pytest.fixture
def public(stores: Process, alice: Person) -> Client:
    """A client without a secret, and alice to let it in."""
    return Client(stores, name="Public <b>& Co</b>")


@pytest.fixture
def confidential(stores: Process, alice: Person) -> Client:
    """A client with a secret."""
    return Client(stores, confidential=True)


@pytest.fixture
def code(app: TestApp, public: Client) -> str:
    """A code for the public client."""
    return public.code(app)


@pytest.fixture
def site(ini: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The URL of a server that speaks http."""
    port = free_port()
    server = Server(tmp_path, {**ini, "accountsapp.site_url": f"http://127.0.0.1:{port}"}, port).wait()
    yield server.url
    server.kill()


@pytest.fixture
def consent(make_app: Callable[..., Any], site: str) -> Callable[[str], str]:
    """What the person does at that server: sign in, allow; gives back where the browser ends."""
    app = TestApp(make_app(**{"accountsapp.site_url": site}))

    def go(url: str) -> str:
        page = app.get(url.partition("/api")[1] + url.partition("/api")[2])
        if "password" in page.form.fields:
            page = sign_in(page)
        return page.form.submit("decision", value="allow").location

    return go
