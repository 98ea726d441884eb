"""social-auth-core, which many sites of Django and Flask sign people in with, against a real server."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from social_core.backends.docker import DockerOAuth2
from social_core.backends.oauth import BaseOAuth2PKCE
from social_core.strategy import BaseStrategy

from accountsapp.process import Process
from accountsapp.testing.oauth import CALLBACK, REVOKE, Client
from accountsapp.testing.people import Person

DOCKER = "https://hub.docker.com"


class Site(BaseStrategy):
    """The site that people sign in to."""

    def __init__(self, client: Client, server: str) -> None:
        super().__init__(storage=object)
        self.server = server
        self.data: dict[str, str] = {}
        self.session: dict[str, Any] = {}
        self.settings = {
            "KEY": client.client_id,
            "SECRET": client.secret,
            "SCOPE": ["profile_read", "email_read"],
            "AUTHORIZATION_URL": f"{server}/api/v1.1/o/authorize/",
            "VERIFY_SSL": True,
        }

    def get_setting(self, name: str) -> Any:
        return self.settings[name]

    def request_data(self, merge: bool = True) -> dict[str, str]:
        return self.data

    def build_absolute_uri(self, path: str | None = None) -> str:
        return path or ""

    def session_get(self, name: str, default: Any = None) -> Any:
        return self.session.get(name, default)

    def session_set(self, name: str, value: Any) -> None:
        self.session[name] = value

    def authenticate(self, backend: Any, *_: Any, response: Any = None, **__: Any) -> Any:
        return response


class DockerHub(DockerOAuth2):
    """The library's own backend for Docker Hub, at another address."""

    def request(self, url: str, *arguments: Any, **options: Any) -> Any:
        return super().request(url.replace(DOCKER, self.strategy.server), *arguments, **options)


class WithPkce(BaseOAuth2PKCE, DockerHub):
    """The same with PKCE, as public clients must."""


class ByBasic(WithPkce):
    """The same, proved by HTTP Basic."""

    USE_BASIC_AUTH = True


@pytest.mark.parametrize("backend_class", [DockerHub, WithPkce, ByBasic])
def test_social_auth(
    site: str, consent: Callable[[str], str], stores: Process, alice: Person, backend_class: type[Any]
) -> None:
    client = Client(stores, confidential=True)
    strategy = Site(client, site)
    back = consent(backend_class(strategy, redirect_uri=CALLBACK).auth_url())
    strategy.data = dict(parse_qsl(urlsplit(back).query))
    backend = backend_class(strategy, redirect_uri=CALLBACK)
    first = backend.auth_complete()
    assert backend.get_user_id({}, first) == alice.id
    assert backend.get_user_details(first)["username"] == "alice"
    assert (first["full_name"], first["email"]) == ("Alice Liddell", alice.email)
    second = backend.refresh_token(first["refresh_token"])
    assert backend.user_data(second["access_token"], response=second)["id"] == alice.id
    ended = {"token": second["refresh_token"], **client.identity}
    assert backend.request(DOCKER + REVOKE, method="POST", data=ended).status_code == 200
    with pytest.raises(requests.HTTPError):
        backend.user_data(second["access_token"], response=second)


def test_a_public_client(site: str, consent: Callable[[str], str], stores: Process, alice: Person) -> None:
    strategy = Site(Client(stores), site)
    strategy.settings["SECRET"] = ""
    strategy.data = dict(
        parse_qsl(urlsplit(consent(WithPkce(strategy, redirect_uri=CALLBACK).auth_url())).query)
    )
    backend = WithPkce(strategy, redirect_uri=CALLBACK)
    first = backend.auth_complete()
    assert backend.refresh_token(first["refresh_token"])["user_id"] == alice.id
