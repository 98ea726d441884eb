"""``edx-rest-api-client``, as services of Open edX use it, against a server that was started."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from edx_rest_api_client.client import OAuthAPIClient

from accountsapp.process import Process
from accountsapp.testing.oauth import Client
from accountsapp.testing.people import Person
from tests.support.mailserver import free_port
from tests.support.openedx import ACCOUNTS, MERGE_PATCH
from tests.support.servers import Server


@pytest.fixture(scope="module", autouse=True)
def _settings_of_a_service() -> None:
    """The client caches its tokens where the settings of its service say: by default in memory."""
    if not django_settings.configured:
        django_settings.configure()


@pytest.fixture
def site(ini: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The URL of a server."""
    port = free_port()
    server = Server(tmp_path, {**ini, "accountsapp.site_url": f"http://127.0.0.1:{port}"}, port).wait()
    yield server.url
    server.kill()


def test_the_client_of_open_edx(site: str, stores: Process, adult: Person) -> None:
    owned = Client(stores, confidential=True, owner_id=adult.id)
    client = OAuthAPIClient(site, owned.client_id, owned.secret)
    account = f"{site}{ACCOUNTS}/alice/"
    shown = client.get(account).json()
    assert (shown["username"], shown["email"]) == ("alice", adult.email)
    changed = client.patch(account, json={"goals": "g"}, headers={"Content-Type": MERGE_PATCH})
    assert (changed.status_code, changed.json()["goals"]) == (200, "g")
    refused = client.patch(account, json={"gender": "x"}, headers={"Content-Type": MERGE_PATCH})
    assert refused.json()["field_errors"].keys() == {"gender"}
    assert [account["username"] for account in client.get(f"{site}{ACCOUNTS}?usernames=alice").json()] == [
        "alice"
    ]
    assert client.get(f"{site}/api/user/v1/me").json() == {"username": "alice"}
