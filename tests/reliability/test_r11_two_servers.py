"""R11: two servers, one database, one Redis, nginx in front; what ``make cluster`` starts."""

import json
import re
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest
import requests
from sqlalchemy.engine import URL
from webtest import TestApp

from accountsapp import main
from accountsapp.testing.people import PASSWORD
from deploy.cluster import ROOT, Cluster
from tests.support.clusters import clustered, database, dump, import_accounts, restore
from tests.support.load import Client, Load

NEW_SECRET = "n" * 48
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def cluster(postgres_server: URL) -> Iterator[Cluster]:
    with clustered(postgres_server) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def accounts(cluster: Cluster) -> Iterator[tuple[str, str]]:
    return iter(import_accounts(cluster, 40))


@pytest.fixture
def keys(accounts: Iterator[tuple[str, str]]) -> dict[str, str]:
    """Accounts of the test's own: username to API key."""
    return dict(islice(accounts, 4))


def status_of(url: str, username: str, key: str) -> int:
    return requests.get(f"{url}/api/v1/{username}/account", {"api_key": key}, timeout=20).status_code


def test_r11_a_revoked_key_is_refused_on_both_at_once(cluster: Cluster, keys: dict[str, str]) -> None:
    one, other = cluster.urls
    for username, key in keys.items():
        for _ in range(2):
            assert [status_of(url, username, key) for url in (one, other, cluster.url)] == [200] * 3
        client = Client(one, username, key)
        client.reset_key()
        assert client.failures == []
        assert [status_of(url, username, key) for url in (other, one, cluster.url)] == [403] * 3
        assert [status_of(url, username, client.key) for url in (other, one, cluster.url)] == [200] * 3
        one, other = other, one


def test_r11_an_account_that_is_deactivated_or_deleted_is_so_on_both(
    cluster: Cluster, keys: dict[str, str]
) -> None:
    (first, key), (second, other_key), *_ = keys.items()
    assert {status_of(url, first, key) for url in cluster.urls} == {200}
    cluster.run("accounts", "deactivate", first)
    assert 200 not in {status_of(url, first, key) for url in cluster.urls}
    assert {status_of(url, second, other_key) for url in cluster.urls} == {200}
    cluster.run("accounts", "delete", second, "--yes")
    assert 200 not in {status_of(url, second, other_key) for url in cluster.urls}


def test_r11_a_session_begins_and_ends_on_both(cluster: Cluster, keys: dict[str, str]) -> None:
    one, other = cluster.urls
    username = next(iter(keys))
    with requests.Session() as browser:  # its cookies are those of the host, whatever the port

        def load(url: str, path: str) -> requests.Response:
            return browser.get(url + path, headers=JSON, timeout=20, allow_redirects=False)

        token = load(one, "/account/signin").json()["form"]["csrf"]
        answer = browser.post(
            f"{other}/account/signin",
            json={"email": username, "password": PASSWORD},
            headers={"X-CSRFToken": token},
            timeout=20,
        )
        assert answer.json()["status"] == "success"
        for url in (one, other, one):
            assert load(url, f"/account/{username}/update").status_code == 200
        signed_in = dict(browser.cookies)
        load(one, "/account/signout")
        browser.cookies.clear()
        browser.cookies.update(signed_in)
        for url in (other, one):
            assert load(url, f"/account/{username}/update").status_code != 200


def test_r11_guesses_are_counted_together(cluster: Cluster, keys: dict[str, str]) -> None:
    """S18 over two servers: ten wrong passwords, wherever they were tried."""
    username, key = next(iter(keys.items()))
    statuses = [
        requests.post(
            f"{url}/api/v1/{username}/password?api_key={key}",
            json={"current_password": f"guess {number}", "new_password": "x" * 12},
            timeout=20,
        ).status_code
        for number, url in zip(range(14), cycle(cluster.urls), strict=False)
    ]
    assert statuses == [403] * 10 + [429] * 4


def test_r11_a_killed_server_is_missed_by_nobody(cluster: Cluster, keys: dict[str, str]) -> None:
    with Load(cluster.url, keys) as load:
        for server in cluster.servers:
            server.kill()
            load.wait(5)
            server.start()
            cluster.wait_for(server)
            load.wait()
    assert load.failures == []
    assert all(client.turns > 10 for client in load.clients)
    for client in load.clients:
        seen = client.ask("GET", "account")
        assert seen is not None
        assert seen["name"] == client.name, "an acknowledged change is lost"


def test_r22_another_secret_under_load(cluster: Cluster, keys: dict[str, str]) -> None:
    """By the steps of ``docs/rotation.rst``; each one restarts all, so that it is an upgrade, too."""
    values = {"OLD": cluster.environ["ACCOUNTSAPP_SECRET"], "NEW": NEW_SECRET}
    page = (ROOT / "docs/rotation.rst").read_text("utf-8")
    steps = re.findall(
        r"^    (?:accountsapp\.secret = (.+)|accountsapp -c production\.ini (secrets .+))$", page, re.M
    )
    assert [(secret, command) for secret, command in steps] == [
        ("OLD NEW", ""),
        ("NEW OLD", ""),
        ("", "secrets rotate"),
        ("NEW", ""),
    ]
    with Load(cluster.url, keys, resetting=True) as load:
        for secret, command in steps:
            if command:
                assert json.loads(cluster.run(*command.split()))["unreadable"] == 0
            else:
                value = " ".join(values[word] for word in secret.split())
                cluster.restart(ACCOUNTSAPP_SECRET=value)
            load.wait(5)
    assert load.failures == []
    for client in load.clients:
        assert {status_of(url, client.username, client.key) for url in cluster.urls} == {200}
        shown = client.ask("GET", "api_key")
        assert shown is not None
        assert shown["api_key"] == client.key


def test_r21_a_dump_under_load_is_restored_elsewhere(
    cluster: Cluster, keys: dict[str, str], postgres_server: URL, tmp_path: Path
) -> None:
    """By the words of ``docs/backup.rst``: consistent, and the keys work with the same secret."""
    source = cluster.environ["SQLALCHEMY_URL"]
    copy = tmp_path / "accounts.dump"
    with Load(cluster.url, keys) as load:
        before = {client.username: client.turns for client in load.clients}
        dump(source, copy)
        load.wait()
    assert load.failures == []
    with database(postgres_server) as restored:
        restore(copy, restored)
        ini = {
            "accountsapp.mode": "development",
            "sqlalchemy.url": restored,
            "accountsapp.secret": cluster.environ["ACCOUNTSAPP_SECRET"],
            "accountsapp.site_url": cluster.url,
            "accountsapp.files": str(tmp_path / "files"),
            "accountsapp.jobs": "external",
        }
        wsgi = main({"here": str(tmp_path)}, **ini)
        app = TestApp(wsgi)
        for client in load.clients:
            shown = app.get(f"/api/v1/{client.username}/account", {"api_key": client.key}).json
            turn = int(shown["name"].removeprefix("turn "))
            assert before[client.username] <= turn <= client.turns
            assert (
                app.get(f"/api/v1/{client.username}/api_key", {"api_key": client.key}).json["api_key"]
                == client.key
            )
        wsgi.registry.database.dispose()


def test_r11_nginx_keeps_to_itself_what_is_the_operators(cluster: Cluster, keys: dict[str, str]) -> None:
    username, key = next(iter(keys.items()))
    for path in ("/metrics", "/readyz", "/auth/check"):
        assert requests.get(cluster.url + path, timeout=20).status_code == 404
        assert requests.get(cluster.urls[0] + path, timeout=20).status_code != 404
    forged = {
        "X-Forwarded-For": "192.0.2.66",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=192.0.2.66",
    }
    answer = requests.get(
        f"{cluster.url}/api/v1/{username}/account",
        {"api_key": key, "canary": "x"},
        headers=forged,
        timeout=20,
    )
    assert answer.status_code == 200
    line = answer.headers["X-Request-Id"]
    logged = [
        found
        for log in (cluster.folder / "nginx" / "accounts.log", *cluster.folder.glob("server-*.log"))
        for found in log.read_text().splitlines()
        if line in found
    ]
    assert logged
    text_of_all = "\n".join(logged)
    assert key not in text_of_all
    assert "canary" not in text_of_all
    assert "192.0.2.66" not in text_of_all
    assert "127.0.0.1" in text_of_all


def test_r11_nginx_passes_long_heads_on(cluster: Cluster) -> None:
    """Who follows the longest link to a program is sent to sign in, with the link."""
    link = "/account/nobody/update?redirect_uri=" + "https%3A%2F%2F" * 280
    answer = requests.get(cluster.url + link, allow_redirects=False, timeout=20)
    assert answer.status_code == 303
    assert len(answer.headers["Location"]) > 4096
