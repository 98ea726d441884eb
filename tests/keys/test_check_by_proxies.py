"""Applications behind proxies are opened with keys (keys 10).

nginx does what ``docs/keys.rst`` says; Traefik and Caddy are known by the headers that they send.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection
from threading import Thread
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials import api_keys
from accountsapp.domain.throttle import LIMITS
from accountsapp.process import Process
from accountsapp.testing.oauth import basic, bearer
from accountsapp.testing.people import Person
from tests.support.check import CHECK, key
from tests.support.nginx import documented, nginx
from tests.support.servers import Server

CLAIMS = {f"X-Auth-{name}": "admin" for name in ("User", "User-Id", "Scopes", "Credential", "Name", "Email")}
"""What a client says of itself."""
TOLD = {
    "x-auth-user": "alice",
    "x-auth-scopes": "account:read account:write email:read email:write key:read key:write password:write",
}
NOTHING: Mapping[str, str] = {}


class Received(NamedTuple):
    """What the application behind was sent."""

    path: str
    headers: dict[str, str]
    body: str


class Application(BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0))).decode()
        content = json.dumps(Received(self.path, headers, body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 by the library

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@contextmanager
def application() -> Iterator[str]:
    """Where it listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def servers(ini: dict[str, str], tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Of one database: nginx is the first one's ``trusted_proxy``, as in ``production.ini``."""
    limited = {**ini, "accountsapp.rate_limit": "true"}
    trusting = {"trusted_proxy": "127.0.0.1", "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto"}
    both = Server(tmp_path, limited, server=trusting), Server(tmp_path, limited)
    for server in both:
        server.wait()
    yield both
    for server in both:
        server.stop()


@pytest.fixture
def front(servers: tuple[Server, Server], tmp_path: Path) -> Iterator[str]:
    """nginx in front of both, with a second place whose check has a typing error, and one of files."""
    files = tmp_path / "site" / "files"
    files.mkdir(parents=True)
    (files / "page.html").write_text("the page")
    block = documented("keys.rst", "location = /_check")
    with application() as behind:
        upstreams = {"app": behind, "accountsapp": f"127.0.0.1:{servers[0].port}"}
        http = documented("keys.rst", "map $args")
        http += "".join(f"upstream {name} {{ server {where}; }}" for name, where in upstreams.items())
        more = """
        location /typo/ { auth_request /_typo; proxy_pass http://app; }
        location = /_typo { internal; proxy_pass http://accountsapp/auth/check?scop=account:read; }
        location /files/ { auth_request /_check; root SITE; }
        """.replace("SITE", str(files.parent))
        with nginx(tmp_path / "nginx", http, block + more) as url:
            yield url


def get(url: str, headers: Mapping[str, str] = NOTHING, body: bytes | None = None) -> tuple[int, bytes]:
    try:
        answer = urlopen(Request(url, headers=dict(headers), data=body), timeout=20)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status or 0, answer.read()


def received(url: str, headers: Mapping[str, str] = NOTHING, body: bytes | None = None) -> Received:
    """What the application is sent for somebody who may, whatever he says of himself."""
    status, content = get(url, {**CLAIMS, **headers}, body)
    assert status == 200, (url, headers)
    return Received(*json.loads(content))


def test_applications_behind_proxies(
    front: str, servers: tuple[Server, Server], stores: Process, alice: Person, bob: Person
) -> None:
    behind_nginx(front, alice.api_key)
    behind_others(servers[1].url + CHECK, alice.api_key)
    odd_headers(servers[1].port, alice.api_key.encode())
    addresses(servers, alice.api_key)

    # A key that was replaced, and one of an account that was deactivated, open nothing at the next request.
    trusting, other = (server.url + CHECK for server in servers)
    urls = (f"{front}/app/page", trusting, other)
    refusals = [get(url, key("wrong")) for url in urls]
    assert [get(url, key(bob.api_key))[0] for url in urls] == [200] * 3
    with stores.transaction() as store:
        api_keys.reset(store, bob.id)
        lifecycle.deactivate(store, alice.id)
    for person in (alice, bob):
        assert [get(url, key(person.api_key)) for url in urls] == refusals
    assert {status for status, _ in refusals} == {401}

    # No answer is no consent.
    servers[0].stop()
    assert get(f"{front}/app/page", key(alice.api_key))[0] == 500


def behind_nginx(front: str, good: str) -> None:
    app = f"{front}/app/page"

    # The key is gone, the rest of the query is as it was; a client's own words about itself are overwritten.
    queries = {
        f"?api_key={good}": "",
        f"?api_key={good}&a=1&b=%20%26": "?a=1&b=%20%26",
        f"?a=1&api_key={good}": "?a=1&",
        f"?a=1&api_key={good}&b=2": "?a=1&b=2",
        f"?my_api_key=x&api_key={good}": "?my_api_key=x&",
    }
    sent = {f"{app}{query}": ("/app/page" + left, {}) for query, left in queries.items()}
    for url, (path, headers) in [*sent.items(), (app, ("/app/page", key(good)))]:
        got = received(url, headers)
        assert got.path == path
        assert good not in str(got)
        assert {name: value for name, value in got.headers.items() if name.startswith("x-a")} == TOLD
    # A second key that is left in the query, the same or another, is refused.
    for query in (
        f"api_key={good}&api_key={good}",
        f"api_key=x&api_key={good}",
        f"api_key={good}&a&api_key=x",
    ):
        assert get(f"{app}?{query}")[0] == 400

    # What the application has for itself is not disturbed, nor does it disturb.
    own = {"Authorization": "Token of-the-application", "Content-Type": "text/plain"}
    got = received(f"{app}?api_key={good}", own, b"the body")
    assert (got.headers["authorization"], got.body) == ("Token of-the-application", "the body")
    assert [received(app, headers).path for headers in (basic("alice"), bearer(good))] == ["/app/page"] * 2

    # Refusals stay; whatever else the check says is no consent.
    refusal = get(app, key("wrong"))
    assert refusal[0] == get(app)[0] == get(app, own)[0] == 401
    assert get(f"{front}/_check", key(good))[0] == 404
    assert get(f"{front}/typo/page", key(good))[0] == 500
    assert get(f"{front}/files/page.html", key(good)) == (200, b"the page")
    assert get(f"{front}/files/page.html")[0] == 401


def behind_others(check: str, good: str) -> None:
    """Asked as they ask; what they add stands beside what the client sent."""
    traefik = {
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "app.example.org",
        "X-Forwarded-Server": "traefik",
        "X-Forwarded-Port": "443",
        "X-Forwarded-For": "203.0.113.9",
        "X-Real-Ip": "203.0.113.9",
        "User-Agent": "curl/8",
    }
    caddy = {
        "X-Forwarded-Method": "POST",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "app.example.org",
        "X-Real-IP": "203.0.113.9",
        "Content-Type": "application/json",
    }
    for proxy in (traefik, caddy):
        for uri in (f"/app/?api_key={good}", f"/app/?a=1&api_key={good}&b"):
            assert get(check, {**proxy, "X-Forwarded-Uri": uri})[0] == 200
        asked = {**proxy, "X-Forwarded-Uri": "/app/"}
        assert get(check, {**asked, **key(good)})[0] == get(check, {**asked, **bearer(good)})[0] == 200
        assert get(check, {**asked, **key(good), "X-Forwarded-Uri": "/?api_key=x"})[0] == 401
        assert get(check, asked)[0] == 401


def odd_headers(port: int, good: bytes) -> None:
    """Sent twice, not UTF-8, huge: no credential, and no fault of ours."""
    one = b"X-Api-Key: " + good
    for lines in (
        [one, one],
        [one, b"X-Api-Key: "],
        [b"X-Original-URI: /?api_key=" + good] * 2,
        [b"Authorization: Bearer " + good] * 2,
        [b"X-Api-Key: \xff\xfe"],
        [b"X-Original-URI: /\xff?api_key=\xff"],
        [b"Authorization: Basic \xff", b"Authorization: Bearer \xed\xa0\x80"],
        [b"Cookie: sessionid=" + b"x" * 60_000],
        [b"X-Forwarded-For: " + b"1," * 30_000],
    ):
        request = b"\r\n".join([f"GET {CHECK} HTTP/1.1".encode(), b"Host: x", *lines, b"Connection: close"])
        with create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(request + b"\r\n\r\n")
            assert connection.makefile("rb").readline().split()[1] == b"401", lines


def addresses(servers: tuple[Server, Server], good: str) -> None:
    """Waitress takes away ``X-Forwarded-For`` of who is not trusted; it counts all the same."""
    trusting, other = (server.url + CHECK for server in servers)
    guesser = {"X-Forwarded-For": "192.0.2.1, 203.0.113.77"}
    statuses = [get(other, {**key("wrong"), **guesser})[0] for _ in range(LIMITS["api-key"].amount + 1)]
    assert (statuses[-2], statuses[-1]) == (401, 429)
    assert (
        get(other, {**key(good), **guesser})[0]
        == get(other, {**key(good), "X-Real-IP": "203.0.113.77"})[0]
        == 429
    )
    assert get(other, key(good))[0] == get(other, {**key(good), "X-Forwarded-For": "192.0.2.1"})[0] == 200
    # Who is trusted is asked for, unless he leaves the header out.
    assert get(trusting, {**key(good), **guesser})[0] == 404
    assert get(trusting, {**key(good), "X-Real-IP": "203.0.113.77"})[0] == 200
    assert get(trusting, {**key(good), "X-Forwarded-For": "127.0.0.1"})[0] == 200
