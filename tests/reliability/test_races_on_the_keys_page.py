"""Section 7 of the contract on API keys, as far as the page goes: of several at once exactly one succeeds."""

from collections.abc import Callable
from functools import partial
from typing import Any

from webtest import TestApp

from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import NamedKey
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently
from tests.support.keys_page import KeysPage, api_key_in

CLIENTS, ROUNDS = 6, 5


def at_once(page: KeysPage, path: str, fields: list[dict[str, str]]) -> list[Any]:
    """The answers to forms that are sent at once, each by a client of its own in one session."""
    cookie, token = {"Cookie": f"sessionid={page.app.cookies['sessionid']}"}, page.token

    def send(form: dict[str, str]) -> Any:
        sent = {**form, "csrf_token": token}
        return TestApp(page.wsgi).post(f"/keys/{path}", sent, headers=cookie, expect_errors=True)

    return concurrently([partial(send, form) for form in fields])


def active(stores: Process, person: Person) -> list[NamedKey]:
    with stores.transaction() as store:
        return [key for key in named_keys.listing(store.connection, person.id) if key.state == "active"]


def test_adding_one_name(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    for number in range(ROUNDS):
        names = [f"phone {number}", f"PHONE {number}"] * (CLIENTS // 2)
        answers = at_once(page, "add", [{"name": name, "preset": "full"} for name in names])
        assert sorted(answer.status_int for answer in answers) == [200] + [409] * (CLIENTS - 1)
        (made,) = (answer for answer in answers if answer.status_int == 200)
        assert page.opens(api_key_in(made))
    assert len(active(stores, alice)) == ROUNDS


def test_adding_with_one_place_left(make_app: Callable[..., Any], stores: Process, alice: Person) -> None:
    page = KeysPage(make_app(**{"accountsapp.keys.max": "2"}), alice)
    page.add("First")
    for number in range(ROUNDS):
        forms = [{"name": f"{number} {client}", "preset": "full"} for client in range(CLIENTS)]
        answers = at_once(page, "add", forms)
        assert sorted(answer.status_int for answer in answers) == [200] + [409] * (CLIENTS - 1)
        _, last = active(stores, alice)
        page.post(f"{last.id}/revoke", status=303)


def test_rotating_one_key(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    for overlap in ("", "24") * ((ROUNDS + 1) // 2):
        made = page.add("Laptop")
        answers = at_once(page, f"{made.id}/rotate", [{"overlap": overlap}] * CLIENTS)
        statuses = sorted(answer.status_int for answer in answers)
        assert statuses[0] == 200
        assert set(statuses[1:]) <= {404, 409}
        (winner,) = (answer for answer in answers if answer.status_int == 200)
        assert page.opens(api_key_in(winner))
        assert page.opens(made.api_key) is (overlap == "24")
        assert len(active(stores, alice)) == 1
        assert len(page.ids) == (2 if overlap else 1)
        for key in page.ids:
            page.post(f"{key}/revoke", status=303)


def test_revoking_one_key(wsgi: Any, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    for _ in range(ROUNDS):
        made = page.add("Laptop")
        answers = at_once(page, f"{made.id}/revoke", [{}] * CLIENTS)
        assert sorted(answer.status_int for answer in answers) == [303] + [404] * (CLIENTS - 1)
        assert not page.opens(made.api_key)
