"""S09: no door gives an account a name that is a word of some URL, in whatever case.

The registration and the settings of the account pages are tried in ``test_account_pages.py``.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from webtest import TestApp

from accountsapp.apis.pybossa.resources import Community
from accountsapp.cli import main
from accountsapp.domain.accounts import registration
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.rules.usernames import RESERVED
from accountsapp.process import Process
from accountsapp.testing.credentials import hold
from accountsapp.testing.people import PASSWORD, Person
from accountsapp.tree import rows
from tests.cli.conftest import write_ini
from tests.support.amo import Amo
from tests.support.bookie import Bookie

INVITED = "invited@example.com"


def words_of(app: TestApp) -> set[str]:
    """The first names of all URLs, the children of ``/account``, and what is reserved."""
    firsts = {row.path.split("/")[1] for row in rows(app.app.registry)}
    return {word for word in firsts | set(Community.children) | RESERVED if word and "{" not in word}


def spellings(words: set[str]) -> Iterator[str]:
    for word in sorted(words):
        yield from dict.fromkeys((word, word.upper(), word.title()))


@pytest.fixture
def assert_nobody_new(stores: Process) -> Iterator[None]:
    """Afterwards nobody has such a name."""
    yield
    with stores.transaction() as store:
        names = set(store.session.scalars(select(Account.username_key)))
    assert not names & {word.lower() for word in RESERVED}


@pytest.mark.usefixtures("assert_nobody_new")
def test_s09_administrators_and_programs(
    app: TestApp, bookie: Bookie, admin: Person, stores: Process, register: Callable[..., Person]
) -> None:
    amo = Amo(app)
    creator = hold(stores, register("creator", permissions=["Accounts:SuperCreate"]))
    for number, name in enumerate(spellings(words_of(app))):
        email = f"new{number}@example.com"
        sent = {"username": name, "email": email}
        answer = bookie("POST", "/a/users/add", query={"api_key": admin.api_key}, json=sent)
        assert answer.status_int == 406, (name, answer.json)
        answer = amo("POST", "/super-create/", creator, {**sent, "group": "admin"})
        assert (answer.status_int, answer.json.get("errors", {}).keys()) == (422, {"username"}), name


@pytest.mark.usefixtures("assert_nobody_new")
def test_s09_who_was_invited(app: TestApp, bookie: Bookie, stores: Process) -> None:
    """By the API and by the page of the mailed link; the link stays good."""
    with stores.transaction() as store:
        account = registration.register(
            store, INVITED, INVITED, state=AccountState.PENDING, invited_by="alice"
        )
        code = links.make(store.session, lock(store.session, account.id), Purpose.RESET, INVITED, 60)
    page = f"/recovery/{INVITED}/reset/{code}"
    for name in spellings(words_of(app)):
        form: Any = {"new_username": name, "new_password": PASSWORD}
        answer = app.post(page, form, status=400)
        assert answer.html.find(id="new_username-error"), name
        sent = {"username": INVITED, "code": code, "password": PASSWORD, "new_username": name}
        assert bookie("DELETE", "/suspend", json=sent).status_int == 406, name


@pytest.mark.usefixtures("assert_nobody_new")
def test_s09_by_hand(app: TestApp, ini: dict[str, str], tmp_path: Path) -> None:
    ini_file = write_ini(tmp_path / "test.ini", ini)
    for number, name in enumerate(sorted(words_of(app))):
        command = ["accounts", "add", name.upper(), "--email", f"by-hand{number}@example.com"]
        ran = CliRunner().invoke(main, ["-c", str(ini_file), *command])
        assert ran.exit_code == 1, name
        assert "user name" in ran.stderr.lower()
