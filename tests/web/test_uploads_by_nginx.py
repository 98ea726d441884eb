"""S35: what ``deploy/nginx`` has serves pictures as the application does, and without it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from accountsapp.domain.accounts import profile
from accountsapp.domain.pictures import renditions
from accountsapp.domain.pictures.decoding import PNG, picture_of
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.nginx import deployed, nginx
from tests.support.pictures import encoded, quarters
from tests.support.servers import Server

LISTED = "https://front.example.org"
SAID_BY_BOTH = (
    "Content-Type",
    "Content-Length",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Content-Security-Policy",
    "Content-Disposition",
    "Cache-Control",
    "Vary",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Allow",
)


class Columns(NamedTuple):
    """The stem of an account's picture."""

    picture: str


@pytest.fixture
def application(ini: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, {**ini, "accountsapp.cors_origins": LISTED})
    yield server.wait()
    server.stop()


@pytest.fixture
def nginx_url(application: Server, ini: dict[str, str], tmp_path: Path) -> Iterator[str]:
    http, server = (
        deployed(part).replace("/var/lib/accountsapp/files", ini["accountsapp.files"])
        for part in ("picture-readers.conf", "pictures.conf")
    )
    passed_on = f"proxy_pass {application.url};"
    server += f"location @accounts {{ {passed_on} }} location / {{ {passed_on} }}"
    with nginx(tmp_path / "nginx", http, server) as url:
        yield url


def ask(url: str, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, Any]]:
    request = Request(url + path, method=method, headers=headers)
    try:
        answer = urlopen(request, timeout=20)
    except HTTPError as error:
        answer = error
    with answer:
        said = {name: answer.headers[name] for name in SAID_BY_BOTH}
        return answer.status or 0, answer.read(), said


def test_s35_nginx_and_the_application_agree(
    nginx_url: str, application: Server, stores: Process, alice: Person
) -> None:
    picture = picture_of(encoded(quarters()), formats=frozenset({PNG}), most_bytes=10_000)
    stores.rendition_sizes = {30}
    with stores.transaction() as store:
        profile.change(store, alice.id, picture=picture)
        stem = profile.read(store, alice.id, Columns).picture
    container = f"/uploads/user_{alice.id}"
    files = stores.settings.files
    (files / "exports").mkdir()
    (files / "exports" / "secret.zip").write_bytes(b"canary")
    (files / container[1:] / ("1" * 32 + "_avatar.png")).symlink_to(files / "exports" / "secret.zip")
    png, jpeg = f"{container}/{stem}_avatar.png", f"{container}/{stem}_30.jpg"
    assert ask(nginx_url, png)[:2] == (200, picture.png)
    assert ask(nginx_url, jpeg)[:2] == (200, renditions.square_jpeg(picture.square, 30))
    paths = [
        png,
        jpeg,
        f"{container}/{stem}_31.jpg",
        f"{container}/{'0' * 32}_avatar.png",
        f"{container}/{'1' * 32}_avatar.png",
        f"{container}/",
        container,
        "/uploads/",
        "/uploads/default/30.png",
        f"{container}/..%2f..%2fexports%2fsecret.zip",
        "/uploads/%2e%2e/exports/secret.zip",
    ]
    for path in paths:
        for headers in ({}, {"Origin": LISTED}, {"Origin": "https://evil.example"}):
            for method in ("GET", "HEAD", "POST", "OPTIONS"):
                by_nginx, by_application = (
                    ask(url, path, method, **headers) for url in (nginx_url, application.url)
                )
                assert by_nginx == by_application, (method, path, headers)
                assert b"canary" not in by_nginx[1]
    application.stop()
    assert ask(nginx_url, png)[:2] == (200, picture.png), "alone"
    assert ask(nginx_url, container)[0] == 502
