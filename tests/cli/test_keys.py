"""``accountsapp keys``."""

import re

from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials.jwt_keys import Issued
from accountsapp.process import Process
from accountsapp.testing.credentials import by_jwt
from accountsapp.testing.people import Person
from tests.cli.conftest import Run
from tests.support.amo import Amo


def test_issue(run: Run, alice: Person, app: TestApp, stores: Process) -> None:
    amo = Amo(app)
    first, second = (run("keys", "issue", name).json for name in ("alice", "ALICE"))
    assert first.keys() == second.keys() == {"key", "secret"}
    assert re.fullmatch(r"[0-9a-f]{64}", second["secret"])
    assert amo("GET", "/profile/", headers=by_jwt(Issued(**first))).status_int == 401
    assert amo("GET", "/profile/", headers=by_jwt(Issued(**second))).json["id"] == alice.id
    assert "no such account" in run("keys", "issue", "nobody", exit_code=1).err
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    refused = run("keys", "issue", "alice", exit_code=1)
    assert ("not active" in refused.err, refused.out) == (True, "")
