"""``mail test``: one mail, at once, by the settings."""

from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, write_ini
from tests.support.mailserver import MailServer


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def by_smtp(ini: dict[str, str], mail_server: MailServer, tmp_path: Path) -> Path:
    mail = {"enabled": "true", "host": "127.0.0.1", "port": str(mail_server.port)}
    changed = ini | {f"accountsapp.mail.{name}": value for name, value in mail.items()}
    return write_ini(tmp_path / "smtp.ini", changed | {"accountsapp.site_name": "Ada's <site>"})


def test_it_arrives(run: Run, by_smtp: Path, mail_server: MailServer) -> None:
    assert run("mail", "test", "ada@example.org", ini=by_smtp).out == "ada@example.org: taken by 127.0.0.1\n"
    ((recipients, message),) = mail_server.received
    assert recipients == ["ada@example.org"]
    assert message["Subject"] == "Ada's <site>: a trial"
    html: Any = message.get_body(("html",))
    assert "Ada&#x27;s &lt;site&gt;" in html.get_content()


def test_it_is_refused(run: Run, by_smtp: Path, mail_server: MailServer) -> None:
    mail_server.answers["ada@example.org"] = "550 5.1.1 nobody of that name"
    ran = run("mail", "test", "ada@example.org", ini=by_smtp, exit_code=1)
    assert ran.err.startswith("accountsapp: 127.0.0.1, port ")
    assert "refused the recipient: 550 5.1.1" in ran.err
    mail_server.stop()
    assert "no connection" in run("mail", "test", "ada@example.org", ini=by_smtp, exit_code=1).err


@pytest.mark.parametrize("address", ["", "ada", "ada@example.org\nBcc: eve@example.org", "a@b, c@d"])
def test_no_address(run: Run, by_smtp: Path, mail_server: MailServer, address: str) -> None:
    assert run("mail", "test", address, ini=by_smtp, exit_code=1).err.startswith("accountsapp: ")
    assert mail_server.received == []


def test_a_file_where_mail_is_not_enabled(run: Run, ini: dict[str, str]) -> None:
    done = run("mail", "test", "ada@example.org", "--json").json
    (path,) = Path(ini["accountsapp.mail.directory"]).glob("*.eml")
    assert done == {"to": "ada@example.org", "done": f"written into {path}"}
    assert message_from_bytes(path.read_bytes())["To"] == "ada@example.org"
