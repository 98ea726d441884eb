"""S41: of fifty at once one succeeds. (Invitations: ``tests/apis/test_bookie_invite.py``.)"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from webtest import TestApp

from accountsapp.domain.data.locking import lock
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.process import Process
from tests.support.bookie import Bookie
from tests.support.outbox import Outbox
from tests.support.people import Person


def fifty(use: Callable[[int], int]) -> list[int]:
    with ThreadPoolExecutor(50) as pool:
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
