"""The start of a server: it says where it listens, or in one line why it does not."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from accountsapp import folders, main
from accountsapp.settings import SettingsError, load
from accountsapp.testing.people import Person
from tests.cli.conftest import write_ini as write_app_ini
from tests.support.mailserver import free_port
from tests.support.servers import PSERVE, ROOT, Server, write_ini
from tests.support.wire import exchange, statuses_of

NOBODY = 65534
OTHER_SECRET = "o" * 40


def started(ini: Path, *words: str) -> str:
    """What ``pserve`` says on standard error, where it ends by itself."""
    ran = subprocess.run([*PSERVE, str(ini), *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (1, ""), ran
    return ran.stderr


def commanded(ini: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "from accountsapp.cli import main; main(prog_name='accountsapp')"
    return subprocess.run(
        [sys.executable, "-c", code, "-c", str(ini), *words], capture_output=True, text=True, timeout=60
    )


REQUESTS = (
    (b"GET /healthz HTTP/1.1\r\nHost: a.example\r\n", 200),
    (b"GET /healthz HTTP/1.1\r\nHost:\r\n", 200),
    (b"GET /healthz HTTP/1.0\r\n", 200),
    (b"GET /healthz HTTP/1.1\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a.example\r\nhost: a.example\r\n", 400),
    (b"GET /healthz HTTP/1.0\r\nHost: a.example\r\nHost: b.example\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a.example, b.example\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost : a.example\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nX-Forwarded-Host: a.example\r\n", 400),
    (b"\x00\x01 / HTTP/1.1\r\nHost: a.example\r\n", 400),
    (b"POST /healthz HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: gzip\r\n", 501),
    (b"POST /healthz HTTP/1.1\r\nHost: a.example\r\nContent-Length: 99999999\r\n", 413),
)
"""The head of each, and the status of its answer."""


def sent(port: int, request: bytes) -> HTTPResponse:
    """The answer to bytes that are sent as they are."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection)
        response.begin()
        return response


def is_one_line(said: str) -> bool:
    return said.startswith("accountsapp: ") and said.count("\n") == 1


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


class TestListening:
    @pytest.fixture
    def backend(self) -> str:
        """Nothing here depends on the database."""
        return "sqlite"

    def test_it_says_where(self, ini: dict[str, str], database_url: str, tmp_path: Path) -> None:
        server = Server(tmp_path, ini, is_forked=False)
        try:
            server.wait()
        finally:
            server.stop()
        said = server.log.read_text()
        assert said.count(f"accountsapp listens on {server.url}/\n") == 1
        assert f"Mails are written into {tmp_path}/mail/.\n" in said
        assert "Stop it with Ctrl-C.\n" in said

    def test_in_production_it_says_no_more(self, ini: dict[str, str], tmp_path: Path) -> None:
        server = Server(tmp_path, {**ini, "accountsapp.mode": "production"}, is_forked=False)
        try:
            server.wait()
        finally:
            server.stop()
        assert f"accountsapp listens on {server.url}/\n" in server.log.read_text()
        assert "Ctrl-C" not in server.log.read_text()

    def test_several_addresses(self, ini: dict[str, str], tmp_path: Path) -> None:
        other = free_port()
        port = free_port()
        listen = {"listen": f"127.0.0.1:{port} 127.0.0.1:{other}"}
        server = Server(tmp_path, ini, port=port, server=listen, is_forked=False)
        try:
            server.wait()
        finally:
            server.stop()
        for number in (port, other):
            assert f"accountsapp listens on http://127.0.0.1:{number}/\n" in server.log.read_text()

    def test_a_variable_of_the_command_line(self, ini: dict[str, str], tmp_path: Path) -> None:
        port = free_port()
        listen = {"listen": "127.0.0.1:%%(http_port)s"}
        server = Server(tmp_path, ini, port=port, server=listen, words=[f"http_port={port}"], is_forked=False)
        try:
            server.wait()
        finally:
            server.stop()

    def test_a_variable_that_is_missing(self, ini: dict[str, str], tmp_path: Path) -> None:
        listen = {"listen": "127.0.0.1:%%(http_port)s"}
        said = started(write_ini(tmp_path / "a.ini", ini, listen))
        assert is_one_line(said)
        assert "a.ini http_port=" in said

    def test_waitress_itself_goes_on_to_work(self, ini: dict[str, str], tmp_path: Path) -> None:
        server = Server(tmp_path, ini, server={"use": "egg:waitress#main"}, is_forked=False)
        try:
            server.wait()
        finally:
            server.stop()

    def test_what_is_no_request_is_refused_in_json_that_every_page_may_read(
        self, ini: dict[str, str], tmp_path: Path
    ) -> None:
        """RFC 9112 3.2 and 2.2; the headers are those of every other answer."""
        two = f"127.0.0.1:{free_port()} 127.0.0.1:{free_port()}"
        waitress = {"use": "egg:accountsapp#waitress", "listen": two}
        port = int(two.rpartition(":")[2])
        server = Server(tmp_path, ini, server=waitress, port=port, is_forked=False)
        try:
            server.wait()
            for head, status in REQUESTS:
                said = sent(server.port, head + b"Connection: close\r\n\r\n")
                assert said.status == status, head
                assert said.headers["Content-Type"] == "application/json"
                assert said.headers["X-Content-Type-Options"] == "nosniff"
                assert said.headers["Cache-Control"] == "no-store"
                assert said.headers["Referrer-Policy"] == "no-referrer"
                if status != 200:
                    assert said.headers["Access-Control-Allow-Origin"] == "*"
                    assert "X-Api-Key" in said.headers["Access-Control-Allow-Headers"]
                    assert json.loads(said.read())["error"]
        finally:
            server.stop()

    def test_who_may_continue_without_a_body_is_answered(self, ini: dict[str, str], tmp_path: Path) -> None:
        """And the next request on the connection is another one, with headers of its own."""
        first = b"GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"
        both = first + b"GET /nothing HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n"
        server = Server(tmp_path, ini, is_forked=False).wait()
        try:
            (said,) = exchange(server.port, [both], seconds=2)
        finally:
            server.stop()
        assert statuses_of(said) == [200, 404]

    def test_a_port_in_use(self, ini: dict[str, str], tmp_path: Path, taken_port: int) -> None:
        said = started(write_ini(tmp_path / "a.ini", ini, {"listen": f"127.0.0.1:{taken_port}"}))
        assert is_one_line(said)
        assert f"127.0.0.1:{taken_port}: Address already in use; " in said

    @pytest.mark.parametrize(
        "options", [{"no_such_option": "1"}, {"listen": "127.0.0.1:port"}, {"threads": "many"}]
    )
    def test_a_bad_option(self, ini: dict[str, str], tmp_path: Path, options: dict[str, str]) -> None:
        said = started(write_ini(tmp_path / "a.ini", ini, options))
        assert is_one_line(said)
        assert "[server:main]" in said

    @pytest.mark.parametrize(
        ("secret", "said"),
        [("%(nope)s", "needs the variable nope"), ("hush%hush" * 9, "a % must be written %%")],
    )
    def test_a_setting_that_cannot_be_filled_in(
        self, ini: dict[str, str], tmp_path: Path, secret: str, said: str
    ) -> None:
        file = write_ini(tmp_path / "a.ini", ini, {})
        written = file.read_text().replace(ini["accountsapp.secret"], secret)
        assert secret in written
        file.write_text(written)
        text = started(file)
        assert is_one_line(text)
        assert f"a.ini: [app:main] accountsapp.secret: {said}" in text
        assert "hush" not in text

    def test_the_ini_of_production_needs_its_port(self, tmp_path: Path) -> None:
        said = started(ROOT / "production.ini")
        assert is_one_line(said)
        assert "http_port" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        ("", "cannot be read"),
        ("[app:main\n", "cannot be read"),
        ("[app:main]\nx = %(nope)s\n", "needs the variable nope"),
    ],
)
def test_make_serve_with_an_ini_that_cannot_be_read(content: str | None, said: str, tmp_path: Path) -> None:
    ini = tmp_path / "a.ini"
    if content is not None:
        ini.write_text(content)
    installed = f"{sys.prefix}/.serve"
    ran = subprocess.run(
        ["make", "--silent", "-o", installed, "serve", f"VENV={sys.prefix}", f"INI={ini}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    ours = [line for line in ran.stderr.splitlines() if not line.startswith("make")]
    assert (len(ours), ran.stdout) == (1, "")
    assert said in ours[0]


def test_a_database_of_a_newer_version(ini: dict[str, str], database_url: str, tmp_path: Path) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))
    engine.dispose()
    with pytest.raises(SystemExit) as refused:
        main({"here": str(tmp_path)}, **ini)
    path = write_app_ini(tmp_path / "a.ini", ini)
    commands = [commanded(path, *words.split()).stderr for words in ("db upgrade", "audit list")]
    for line in (f"{refused.value}\n", *commands):
        assert is_one_line(line)
        assert "from_the_future" in line
        assert "newer" in line


def test_a_secret_that_opens_nothing(
    make_app: Callable[..., Any], ini: dict[str, str], alice: Person, bob: Person, tmp_path: Path
) -> None:
    other = {**ini, "accountsapp.secret": OTHER_SECRET}
    with pytest.raises(SystemExit) as refused:
        make_app(**other)
    assert str(refused.value).startswith("accountsapp: accountsapp.secret: opens none of the stored API keys")
    path = write_app_ini(tmp_path / "a.ini", other)
    ran = commanded(path, "accounts", "add", "carol", "--email", "carol@example.com")
    assert (ran.returncode, ran.stderr) == (1, f"{refused.value}\n")
    make_app(**{"accountsapp.secret": f"{OTHER_SECRET} {ini['accountsapp.secret']}"})

    # The secret is lost: a new key is made, and that is the operator's word that it is.
    assert commanded(path, "accounts", "reset-key", "alice").returncode == 0
    make_app(**other)


def test_any_secret_will_do_for_an_empty_database(make_app: Callable[..., Any]) -> None:
    make_app(**{"accountsapp.secret": OTHER_SECRET})


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder where this process may not write."""
    folder = Path(tempfile.mkdtemp())
    (folder / "accounts.sqlite").touch()
    folder.chmod(0o555)
    (folder / "accounts.sqlite").chmod(0o444)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    yield folder
    os.seteuid(os.getuid())
    folder.chmod(0o755)
    (folder / "accounts.sqlite").unlink()
    folder.rmdir()


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("below", ["", "new", "new/deeper"])
@pytest.mark.parametrize("name", ["accountsapp.files", "accountsapp.mail.directory"])
def test_a_folder_that_cannot_be_written(ini: dict[str, str], closed: Path, name: str, below: str) -> None:
    folder = closed / below
    values = {**ini, "accountsapp.files": tempfile.gettempdir(), name: str(folder)}
    with pytest.raises(SettingsError, match=f"^{name}: {folder}: may not be written; ") as refused:
        folders.check(load(values, environ={}))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("file", ["accounts.sqlite", "other.sqlite", "new/other.sqlite"])
def test_a_database_that_cannot_be_written(ini: dict[str, str], closed: Path, file: str) -> None:
    with pytest.raises(SystemExit) as refused:
        main(
            {},
            **{
                **ini,
                "sqlalchemy.url": f"sqlite:///{closed}/{file}",
                "accountsapp.files": tempfile.gettempdir(),
                "accountsapp.mail.directory": tempfile.gettempdir(),
            },
        )
    assert str(refused.value).startswith("accountsapp: sqlalchemy.url: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("name", ["accountsapp.files", "accountsapp.mail.directory"])
@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_a_folder_that_is_a_file(ini: dict[str, str], tmp_path: Path, name: str, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=f"accountsapp: {name}: "):
        main({"here": str(tmp_path)}, **{**ini, name: str(tmp_path / folder)})


@pytest.mark.parametrize("backend", ["sqlite"])
def test_mails_need_no_folder_where_they_are_sent(ini: dict[str, str]) -> None:
    changes = {"accountsapp.mail.enabled": "true", "accountsapp.mail.directory": "/dev/null/mail"}
    folders.check(load({**ini, **changes}, environ={}))
