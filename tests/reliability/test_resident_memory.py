"""The memory of a server is that of what it needs, and does not grow with the requests that it answered."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from webtest import TestApp

from accountsapp.testing.people import Person
from tests.cli.conftest import write_ini
from tests.conftest import Soak
from tests.deploy.test_files import DEPLOY, unit
from tests.support.servers import Server
from tests.support.wire import Wire

MOST_RESIDENT = 160 * 2**20
MOST_GROWTH = 8 * 2**20
"""Bytes."""


def test_resident_memory(
    app: TestApp,
    ini: dict[str, str],
    tmp_path: Path,
    alice: Person,
    bob: Person,
    soak: Soak,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of reads, writes, refusals and pages of all APIs, over many connections, with the unit's variables.

    What it says of the APIs is what there is to say of them, though it has no docstrings.
    """
    count = soak(3_000, 100_000)
    requests = [
        ("GET", f"/api/v1/alice/account?api_key={alice.api_key}", 200),
        ("POST", f"/api/v1/alice/account?api_key={alice.api_key}&name=A", 200),
        ("GET", f"/api/v1/alice/account?api_key={bob.api_key}", 403),
        ("GET", "/api/v1.1/users/alice", 401),
        ("GET", "/api/user/v1/accounts/alice", 401),
        ("GET", "/api/v5/accounts/account/alice/", 404),
        ("GET", "/account/signin", 200),
        ("GET", "/account/", 200),
        ("GET", "/docs/bookie.json", 200),
        ("GET", "/no/such/page", 404),
        ("GET", f"/api/v1/bob/account?api_key={bob.api_key}&callback=f", 200),
    ]
    for words in unit(DEPLOY / "systemd" / "accountsapp-server@.service")["Environment"]:
        for word in words.split():
            monkeypatch.setenv(*word.split("=", 1))
    server = Server(tmp_path, ini, is_forked=False).wait()
    try:
        process = psutil.Process(server.pid)
        resident = 0
        with Wire(server.port) as wire:
            for number in range(count):
                method, path, status = requests[number % len(requests)]
                body = "Content-Length: 0\r\n" if method == "POST" else ""
                request = f"{method} {path} HTTP/1.1\r\nHost: a\r\n{body}\r\n".encode()
                assert wire.ask(request, method).status == status
                if number % 1_000 == 0:
                    wire.close()
                if number == count // 2:
                    resident = process.memory_info().rss
        grown = process.memory_info().rss - resident
        assert grown < MOST_GROWTH
        assert process.memory_info().rss < MOST_RESIDENT
        with Wire(server.port) as wire:
            for name in app.app.registry.documents.names:
                path = f"/docs/{name}.json"
                document = wire.ask(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()).body
                assert document == app.get(path).body, name
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
