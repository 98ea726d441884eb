"""A mailed link proves the address it was mailed to, in that spelling, and no other."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from webtest import TestApp

from accountsapp.domain import clock
from accountsapp.domain.emails import addresses
from accountsapp.process import Process
from accountsapp.testing.oauth import basic, bearer, issue
from accountsapp.testing.people import Person
from tests.support.outbox import Outbox

EMAILS = "/api/v1.1/users/mallory/emails/"
DOMAINS = (
    ("strasse.example", "straße.example"),
    ("grosse.example", "große.example"),
    ("σ.example", "ς.example"),
)
LOCAL_PARTS = (
    ("strasse@mail.example", "straße@mail.example"),
    ("fish@mail.example", "\ufb01sh@mail.example"),
    ("full@mail.example", "\uff46ull@mail.example"),
)
SPELLINGS = [*((f"victim@{one}", f"victim@{other}") for one, other in DOMAINS), *LOCAL_PARTS]
"""The victim's, and the one that mallory can read the mail of."""


@pytest.fixture
def mallory(register: Callable[..., Person]) -> Person:
    return register("mallory")


def emails(app: TestApp) -> dict[str, bool]:
    """Mallory's addresses: whether each is verified."""
    found = app.get(EMAILS, headers=basic("mallory")).json
    return {email["email"]: email["verified"] for email in found}


@pytest.mark.parametrize(("victims", "own"), SPELLINGS)
def test_a_changed_address_proves_no_further_one(
    app: TestApp, mallory: Person, outbox: Outbox, victims: str, own: str
) -> None:
    app.post_json(EMAILS, {"email": victims}, headers=basic("mallory"), status=201)
    asked = {"api_key": mallory.api_key, "email": own}
    app.post_json("/api/v1/mallory/account", asked, status=200)
    app.post(outbox.link_to(own), status=200)
    assert emails(app).get(victims) in (None, False)
    assert emails(app)[own] is True
    assert app.get("/api/v1/mallory/account", {"api_key": mallory.api_key}).json["email"] == own


@pytest.mark.parametrize(("victims", "own"), SPELLINGS)
@pytest.mark.parametrize("removed", [True, False])
def test_a_link_dies_with_the_address(
    app: TestApp, mallory: Person, outbox: Outbox, victims: str, own: str, removed: bool
) -> None:
    headers = basic("mallory")
    app.post_json(EMAILS, {"email": own}, headers=headers, status=201)
    app.patch_json(EMAILS, {"email": own, "verified": True}, headers=headers, status=403)
    link = outbox.link_to(own)
    if removed:
        app.delete_json(EMAILS, {"email": own}, headers=headers, status=204)
    app.post_json(EMAILS, {"email": victims}, headers=headers, expect_errors=True)
    app.post(link, status=404 if removed else 200)
    assert emails(app).get(victims) in (None, False)
    app.delete_json(EMAILS, {"email": victims}, headers=headers, expect_errors=True)
    app.post_json(EMAILS, {"email": own}, headers=headers, expect_errors=True)
    app.get(link, status=404)


@pytest.mark.parametrize(("victims", "own"), LOCAL_PARTS)
def test_a_word_proves_what_it_names(
    app: TestApp, mallory: Person, stores: Process, victims: str, own: str
) -> None:
    """A client that checked one spelling does not vouch for the other one that the account has."""
    headers = bearer(issue(stores, mallory))
    app.post_json(EMAILS, {"email": victims}, headers=headers, status=201)
    answer = app.patch_json(EMAILS, {"email": own, "verified": True}, headers=headers, status=200)
    assert answer.json["email"] == own
    assert emails(app)[own] is True
    assert victims not in emails(app)


def test_the_page_names_the_spelling_that_was_mailed_to(
    app: TestApp, mallory: Person, outbox: Outbox
) -> None:
    headers = basic("mallory")
    app.post_json(EMAILS, {"email": "Anna@BÜCHER.example"}, headers=headers, status=201)
    app.patch_json(
        EMAILS, {"email": "anna@xn--bcher-kva.example", "verified": True}, headers=headers, status=403
    )
    page = app.get(outbox.link_to("Anna@xn--bcher-kva.example"))
    assert "Anna@BÜCHER.example" in page
    page.form.submit(status=200)
    assert emails(app)["Anna@BÜCHER.example"] is True


def test_a_proof_ends_the_links_of_others(
    app: TestApp, mallory: Person, bob: Person, stores: Process, outbox: Outbox
) -> None:
    app.post_json(EMAILS, {"email": "x@example.org"}, headers=basic("mallory"), status=201)
    asked = {"email": "x@example.org", "verified": True}
    app.patch_json(EMAILS, asked, headers=basic("mallory"), status=403)
    link = outbox.link_to("x@example.org")
    with stores.transaction() as store:
        addresses.add(store, bob.id, "x@example.org")
        addresses.change(store, bob.id, "x@example.org", verify=True, make_primary=False, trusted=True)
    with stores.transaction() as store:
        addresses.remove(store, bob.id, "x@example.org")
    app.post_json(EMAILS, {"email": "x@example.org"}, headers=basic("mallory"), status=201)
    app.post(link, status=404)
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        app.patch_json(EMAILS, asked, headers=basic("mallory"), status=403)
        app.post(outbox.link_to("x@example.org"), status=200)
