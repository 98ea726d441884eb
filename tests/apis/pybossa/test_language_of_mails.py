"""Mails are in the language of the account; where it chose none, in that of who asked for them."""

from typing import Any

import pytest

from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.front_end import Browser, FrontEnd
from tests.support.outbox import Outbox

ITALIAN = {"HTTP_ACCEPT_LANGUAGE": "it-IT,it;q=0.9,en;q=0.8"}
NEW = "a new and longer one"


@pytest.fixture
def italian(wsgi: Any) -> FrontEnd:
    """What an Italian browser sends."""
    return reading_italian(FrontEnd(wsgi))


def reading_italian(front_end: FrontEnd) -> FrontEnd:
    front_end.app.extra_environ.update(ITALIAN)
    return front_end


def languages(outbox: Outbox) -> dict[str, str]:
    """By subject, the language that the mail says it is in."""
    said = {}
    for message in outbox.take():
        part = message.get_body(("html",))
        assert part is not None
        said[message["Subject"]] = part.get_content().partition('<html lang="')[2].partition('"')[0]
    return said


def test_what_is_asked_for_by_the_owner(italian: FrontEnd, outbox: Outbox, alice: Person) -> None:
    italian.sign_in(alice)
    settings = "/account/alice/update"
    italian.send(settings, btn="Profile", email_addr="new@example.org")
    italian.send("/account/alice/resetapikey")
    italian.send("/account/alice/export")
    assert italian.send("/account/forgot-password", email_addr=alice.email)["status"] == "success"
    said = languages(outbox)
    assert (len(said), set(said.values())) == (5, {"it"}), said
    sent = {"current_password": PASSWORD, "new_password": NEW, "confirm": NEW}
    assert italian.send(settings, btn="Password", **sent)["status"] == "success"
    italian.get(settings)
    italian.send("/account/alice/delete")
    said = languages(outbox)
    assert (len(said), set(said.values())) == (2, {"it"}), said


def test_what_a_get_that_acts_asks_for(italian: FrontEnd, outbox: Outbox, alice: Person) -> None:
    italian.sign_in(alice)
    italian.get("/account/alice/export")
    assert list(languages(outbox).values()) == ["it"]


def test_a_registration(make_app: Any, outbox: Outbox) -> None:
    browser = Browser(make_app(**{"accountsapp.registration": "confirm"}))
    browser.app.extra_environ.update(ITALIAN)
    typed = {"fullname": "Daisy Duck", "name": "daisy", "email_addr": "daisy@example.org"}
    browser.fill("/account/register", **typed, password=PASSWORD, confirm=PASSWORD)
    assert list(languages(outbox).values()) == ["it"]


def test_the_language_of_the_account_comes_first(italian: FrontEnd, outbox: Outbox, register: Any) -> None:
    italian.sign_in(register("daisy", locale="fr"))
    italian.send("/account/daisy/resetapikey")
    italian.send("/account/forgot-password", email_addr="daisy@example.com")
    assert set(languages(outbox).values()) == {"fr"}


def test_what_an_administrator_causes_is_not_in_his(
    italian: FrontEnd, outbox: Outbox, alice: Person, admin: Person, stores: Process
) -> None:
    italian.sign_in(admin)
    italian.send("/account/alice/resetapikey")
    italian.send("/account/alice/update", btn="Profile", email_addr="new@example.org")
    said = languages(outbox)
    assert (len(said), set(said.values())) == (3, {"en"}), said
