"""What the documentation tells operators to do, done by its own words."""

import re
import shutil
import subprocess
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.people import SECRET, Person
from tests.cli.conftest import Run, ini_file, run, write_ini
from tests.support.mailserver import free_port
from tests.support.nginx import deployed
from tests.support.outbox import Outbox

__all__ = ["ini_file", "run"]

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str) -> list[str]:
    """The literal blocks of a page."""
    text = (DOCS / page).read_text("utf-8")
    found = re.findall(r"::\n\n((?:(?: {4}.*)?\n)+)", text)
    return [re.sub(r"^ {4}", "", block, flags=re.M).strip() for block in found]


def test_another_secret_while_two_servers_run(
    make_app: Callable[..., Any],
    run: Run,
    ini: dict[str, str],
    tmp_path: Path,
    stores: Process,
    register: Callable[..., Person],
) -> None:
    """At every moment a key made by one server works at the other, and either sends the mails."""
    values = {"OLD": SECRET, "NEW": "n" * 48}
    steps = [
        block
        for block in blocks("rotation.rst")
        if block.startswith(("accountsapp.secret", "accountsapp -c"))
    ]
    secrets = [SECRET]
    people: list[Person] = [register(f"user{number}") for number in range(3)]
    keys = {person.username: person.api_key for person in people}
    assert [step.split(" = ")[0].split(" ")[-1] for step in steps] == [
        *("accountsapp.secret", "accountsapp.secret", "rotate", "accountsapp.secret"),
    ]

    def work(*servers: Any) -> None:
        for one in servers:
            for other in servers:
                for name, key in list(keys.items()):
                    made = TestApp(one).post(f"/api/v1/{name}/api_key", {"api_key": key})
                    keys[name] = made.json["api_key"]
                    TestApp(other).get(f"/api/v1/{name}/account", {"api_key": keys[name]})
                assert len(Outbox(other.registry.process).take()) == len(keys)

    for step in steps:
        if step.startswith("accountsapp -c"):
            words = step.partition("production.ini ")[2].split()
            counted = run(
                *words, ini=write_ini(tmp_path / "step.ini", {**ini, "accountsapp.secret": secrets[-1]})
            )
            assert counted.json["unreadable"] == 0
        else:
            secrets.append(re.sub("OLD|NEW", lambda name: values[name[0]], step.partition(" = ")[2]))
            before, after = (make_app(**{"accountsapp.secret": secret}) for secret in secrets[-2:])
            work(before, after)
    assert secrets[-1] == values["NEW"]
    assert secrets[1] == f"{SECRET} {values['NEW']}"


NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def test_the_log_of_nginx_has_no_keys_and_no_codes(tmp_path: Path) -> None:
    """Nor the error log, which has the request line by default when the service does not answer."""
    (_check,) = [block for block in blocks("nginx.rst") if "grep -c canary" in block]
    http, server = deployed("log-format.conf"), deployed("log.conf")
    port, dead = free_port(), free_port()
    server = server.replace("/var/log/nginx/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(
        f"""
        pid {tmp_path}/nginx.pid; daemon off; error_log {tmp_path}/main.log; events {{}}
        http {{
            access_log off; client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;
            fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;
            {http}
            server {{
                listen 127.0.0.1:{port};
                {server}
                location / {{ return 200; }}
                location /api/ {{ proxy_pass http://127.0.0.1:{dead}; }}
            }}
        }}
        """
    )
    assert NGINX is not None, "nginx is not on this machine"
    with subprocess.Popen([NGINX, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]) as nginx:
        try:
            statuses = [
                ask(port, path)
                for path in (
                    "/api/v1/nobody/account?api_key=canary",
                    "/recovery/alice/reset/canary",
                    "/recovery/alice/reset/canary/?x=canary",
                    "/confirm/email/canary",
                    "/confirm/address/canary?canary",
                    "/users/unsubscribe/canary/canary/reply/",
                    "/accounts/exports/canary",
                    "/recovery/a/reset/canary/exports/canary/users/unsubscribe/canary",
                    "/?code=canary",
                )
            ]
        finally:
            nginx.terminate()
    assert statuses == [502] + [200] * 8
    told = (tmp_path / "accounts.log").read_text()
    assert [line.split()[3] for line in told.splitlines()] == [
        "/api/v1/nobody/account",
        "/recovery/alice/reset/{code}",
        "/recovery/alice/reset/{code}",
        "/confirm/email/{code}",
        "/confirm/address/{code}",
        "/users/unsubscribe/{code}",
        "/accounts/exports/{code}",
        "/recovery/a/reset/{code}",
        "/",
    ]
    assert all("canary" not in file.read_text() for file in tmp_path.glob("*.log"))


def ask(port: int, path: str) -> int:
    end = monotonic() + 10
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path, headers={"Referer": "http://localhost/confirm/email/canary"})
            return connection.getresponse().status
        except OSError:
            if monotonic() > end:
                raise
            sleep(0.05)
        finally:
            connection.close()
