"""S41: of fifty at once one succeeds. (Invitations: ``tests/apis/test_bookie_invite.py``.)"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from sqlalchemy import func, select
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.credentials import jwt_keys
from accountsapp.domain.data.jwt_models import UsedJwt
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import Account
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.process import Process
from accountsapp.testing.credentials import by_jwt
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie
from tests.support.concurrently import served_by
from tests.support.front_end import FrontEnd
from tests.support.invariants import breaches
from tests.support.outbox import Outbox
from tests.support.servers import Server


def fifty(use: Callable[[int], int]) -> list[int]:
    with served_by(50), ThreadPoolExecutor(50) as pool:
        return sorted(pool.map(use, range(50)))


def test_s41_one_reset_code(app: TestApp, alice: Person, stores: Process, outbox: Outbox) -> None:
    with stores.transaction() as store:
        account = lock(store.session, alice.id)
        code = links.make(store.session, account, Purpose.RESET, alice.email, 600)

    def use(number: int) -> int:
        given = {"username": "alice", "code": code, "password": f"password of {number}"}
        if number % 2:
            return Bookie(app)("DELETE", "/suspend", form=given).status_int
        path = f"/recovery/alice/reset/{code}"
        status = app.post(path, {"new_password": given["password"]}, expect_errors=True).status_int
        return 403 if status == 404 else status

    assert fifty(use) == [200] + [403] * 49
    assert len(outbox.take()) == 1


def test_s41_one_confirmation(app: TestApp, alice: Person, outbox: Outbox) -> None:
    given = {"api_key": alice.api_key, "email": "new@example.com"}
    Bookie(app)("POST", "/alice/account", form=given)
    path = outbox.link_to("new@example.com")
    assert fifty(lambda _: app.post(path, expect_errors=True).status_int) == [200] + [404] * 49
    assert len(outbox.take()) == 2


def test_s41_one_token_id(ini: dict[str, str], alice: Person, stores: Process, tmp_path: Path) -> None:
    """Fifty at once, at two server processes; the token is used up although what it asks for is refused."""
    with stores.transaction() as store:
        signing = jwt_keys.issue(store, alice.id)
    moment = int(time.time())
    headers = by_jwt(signing, jti="one", iat=moment, exp=moment + 300)
    servers = [Server(tmp_path, ini) for _ in range(2)]
    try:
        for server in servers:
            server.wait()

        def use(number: int) -> int:
            url = f"{servers[number % 2].url}/api/v5/accounts/super-create/"
            try:
                with urlopen(Request(url, method="POST", headers=headers)) as answer:
                    return int(answer.status)
            except HTTPError as error:
                return error.code

        assert fifty(use) == [401] * 49 + [403]
    finally:
        for server in servers:
            server.stop()
    with stores.transaction() as store:
        assert store.session.scalar(select(func.count()).select_from(UsedJwt)) == 1


def test_s41_one_name_in_fifty_spellings(wsgi: Any, admin: Person, database: Database) -> None:
    """At two doors: who registers himself, and whom an administrator adds."""
    doors = [FrontEnd(wsgi) for _ in range(25)]
    for door in doors:
        door.get("/account/register")

    def register(number: int) -> int:
        letters = zip("daisyduck", f"{number:09b}", strict=True)
        name = "".join(letter.upper() if bit == "1" else letter for letter, bit in letters)
        address = f"{number}@example.org"
        if number % 2:
            added = {"api_key": admin.api_key, "username": name, "email": address}
            return TestApp(wsgi).post_json("/api/v1/a/users/add", added, expect_errors=True).status_int
        fields = {"fullname": "Daisy Duck", "name": name, "email_addr": address, "password": PASSWORD}
        door = doors[number // 2]
        headers = {"X-CSRFToken": door.token}
        sent = {**fields, "confirm": PASSWORD}
        answer = door.app.post_json("/account/register", sent, headers=headers, expect_errors=True)
        is_refused = "name" in answer.json.get("form", {}).get("errors", {})
        return 406 if is_refused else answer.status_int

    assert fifty(register) == [200] + [406] * 49
    with database.read_engine.connect() as connection:
        found = connection.execute(select(Account.id).where(Account.username_key == "daisyduck"))
        assert len(found.all()) == 1
    assert list(breaches(database)) == []
