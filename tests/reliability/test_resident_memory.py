"""The memory of a server is that of what it needs, and does not grow with the requests that it answered."""

import subprocess
import sys
from pathlib import Path

import psutil

from accountsapp.testing.people import Person
from tests.cli.conftest import write_ini
from tests.conftest import Soak
from tests.support.servers import Server
from tests.support.wire import Wire

MOST_RESIDENT = 160 * 2**20
MOST_GROWTH = 8 * 2**20
"""Bytes."""


def test_resident_memory(ini: dict[str, str], tmp_path: Path, alice: Person, bob: Person, soak: Soak) -> None:
    """Of reads, writes, refusals and pages, over many connections."""
    count = soak(3_000, 100_000)
    requests = [
        ("GET", f"/api/v1/alice/account?api_key={alice.api_key}"),
        ("POST", f"/api/v1/alice/account?api_key={alice.api_key}&name=A"),
        ("GET", f"/api/v1/alice/account?api_key={bob.api_key}"),
        ("GET", "/api/v1.1/users/alice"),
        ("GET", "/api/user/v1/accounts/alice"),
        ("GET", "/account/signin"),
        ("GET", "/no/such/page"),
        ("GET", f"/api/v1/bob/account?api_key={bob.api_key}&callback=f"),
    ]
    server = Server(tmp_path, ini, is_forked=False).wait()
    try:
        process = psutil.Process(server.pid)
        resident = 0
        with Wire(server.port) as wire:
            for number in range(count):
                method, path = requests[number % len(requests)]
                body = "Content-Length: 0\r\n" if method == "POST" else ""
                request = f"{method} {path} HTTP/1.1\r\nHost: a\r\n{body}\r\n".encode()
                assert wire.ask(request, method).status < 500
                if number % 1_000 == 0:
                    wire.close()
                if number == count // 2:
                    resident = process.memory_info().rss
        grown = process.memory_info().rss - resident
        assert grown < MOST_GROWTH
        assert process.memory_info().rss < MOST_RESIDENT
    finally:
        server.stop()


def test_a_server_imports_what_most_requests_need(ini: dict[str, str], tmp_path: Path) -> None:
    """What decodes, documents, migrates and draws is for few requests or for others, and takes megabytes."""
    script = (
        "import sys; from pyramid.paster import get_app\n"
        "import accountsapp.server; get_app(sys.argv[1])\n"
        "print(*sys.modules)"
    )
    path = write_ini(tmp_path / "server.ini", {**ini, "accountsapp.jobs": "external"})
    command = [sys.executable, "-c", script, str(path)]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    documents = {module for module in modules if module.endswith((".documents", ".answer_models"))}
    assert documents == {"accountsapp.documents"}
    dear = {
        "alembic",
        "argon2",
        "click",
        "cryptography.x509",
        "email_validator",
        "jwt",
        "limits",
        "passlib",
        "PIL",
        "rich",
        "smtplib",
        "zxcvbn",
    }
    assert dear.isdisjoint(modules)
