"""``accountsapp.passwords.refused``: the operator's list counts at every door by which a password comes."""

import json
from pathlib import Path

import pytest
from webtest import TestApp

from accountsapp.testing.people import PASSWORD, Person
from tests.cli.conftest import Run, ini_file, run
from tests.support.outbox import Outbox, path_in

__all__ = ["ini_file", "run"]

LISTED = ("a breached phrase", "Straße und Weg 7", "ÿ is the last one")


@pytest.fixture(params=["utf-8", "utf-8-sig"])
def ini(ini: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    path = tmp_path / "refused.txt"
    path.write_bytes("\r\n".join([*LISTED, "", ""]).encode(request.param))
    return {**ini, "accountsapp.passwords.refused": str(path)}


@pytest.mark.parametrize("password", [*LISTED, "A BREACHED phrase", "strasse UND weg 7"])
def test_s15_a_listed_password_is_refused_everywhere(
    run: Run, app: TestApp, alice: Person, outbox: Outbox, password: str
) -> None:
    change = {"api_key": alice.api_key, "current_password": PASSWORD, "new_password": password}
    assert "too common" in app.post("/api/v1/alice/password", change, status=406).text
    app.post("/api/v1/suspend", {"email": alice.email})
    page = app.get(path_in(outbox.take()[0]))
    form = page.forms[0]
    form["new_password"] = password
    assert "too common" in form.submit(expect_errors=True).text
    command = ("accounts", "set-password", "alice", "--password-stdin")
    assert "too common" in run(*command, input=password, exit_code=1).err
    add = ("accounts", "add", "bob", "--email", "bob@example.com", "--password-stdin")
    assert "too common" in run(*add, input=password, exit_code=1).err
    record = {"username": "carl", "email": "carl@example.com", "password": password}
    assert "too common" in run("accounts", "import", "-", input=json.dumps(record), exit_code=1).err


def test_others_are_not(run: Run, app: TestApp, alice: Person) -> None:
    change = {"api_key": alice.api_key, "current_password": PASSWORD, "new_password": "a breached phrase 2"}
    app.post("/api/v1/alice/password", change)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_list_that_cannot_be_read_stops_the_start(run: Run, ini: dict[str, str]) -> None:
    Path(ini["accountsapp.passwords.refused"]).unlink()
    assert "accountsapp.passwords.refused: No such file" in run("accounts", "list", exit_code=1).err
