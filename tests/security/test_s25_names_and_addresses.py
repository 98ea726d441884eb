"""S25: a name that is somebody's address, and an address that is somebody's name, are taken."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import registration
from accountsapp.domain.emails import addresses
from accountsapp.domain.errors import EmailTaken, UsernameTaken
from accountsapp.domain.transfer.fields import about
from accountsapp.process import Process
from accountsapp.testing.oauth import basic, bearer, issue
from accountsapp.testing.people import Person
from tests.support.imports import import_records
from tests.support.outbox import Outbox

OWNED = {"primary": "bob@example.com", "verified": "Bob@BÜCHER.example"}
SPELLINGS = {
    "primary": ("bob@example.com", "BOB@Example.com", "bob\uff20example.com", "bob\ufe6bexample\u2024com"),
    "verified": ("bob@bücher.example", "bob@xn--bcher-kva.example", "bob\uff20bu\u0308cher.example"),
}
ADDRESSES = [(kind, spelling) for kind, spellings in SPELLINGS.items() for spelling in spellings]
NAMES = [
    ("who@example.com", "Who@EXAMPLE.com"),
    ("who@bücher.example", "who@xn--bcher-kva.example"),
    ("who@xn--bcher-kva.example", "who@bücher.example"),
    ("who\uff20bücher.example", "who@bücher.example"),
]

Import = Callable[..., list[str]]


@pytest.fixture
def imported(stores: Process) -> Import:
    """Imports records as one file; why some were refused."""

    def run(*records: dict[str, Any], update: bool = False) -> list[str]:
        _, refused = import_records(stores, *records, update_existing=update)
        return [text for _, text in refused]

    return run


@pytest.fixture
def owner(stores: Process, bob: Person) -> Person:
    """Has the addresses of OWNED."""
    with stores.transaction() as store:
        addresses.add(store, bob.id, OWNED["verified"])
        addresses.change(store, bob.id, OWNED["verified"], verify=True, make_primary=False, trusted=True)
    return bob


@pytest.mark.parametrize(("kind", "name"), ADDRESSES)
def test_an_invited_person_does_not_choose_anothers_address(
    app: TestApp, owner: Person, register: Callable[..., Person], outbox: Outbox, kind: str, name: str
) -> None:
    inviter = register("inviter", invite_ct=1)
    given = {"api_key": inviter.api_key, "email": "new@example.com"}
    app.post_json("/api/v1/inviter/invite", given)
    code = outbox.code_to("new@example.com")
    given = {"username": "new@example.com", "code": code, "password": "a good new one", "new_username": name}
    app.request("/api/v1/suspend", method="DELETE", POST=given, status=406)
    page = app.get(f"/recovery/new@example.com/reset/{code}")
    page.form["new_password"], page.form["new_username"] = "a good new one", name
    page.form.submit(status=400)
    own = {**given, "new_username": "NEW@example.com"}
    assert app.request("/api/v1/suspend", method="DELETE", POST=own, status=200).json["username"]


@pytest.mark.parametrize(("kind", "name"), ADDRESSES)
def test_nobody_is_registered_or_imported_by_anothers_address(
    stores: Process, owner: Person, imported: Import, kind: str, name: str
) -> None:
    with pytest.raises(UsernameTaken), stores.transaction() as store:
        registration.register(store, name, "other@example.com")
    assert imported({"username": name, "email": "other@example.com"}) == [about(str(UsernameTaken()), name)]


@pytest.mark.parametrize(("name", "address"), NAMES)
def test_nobody_gets_an_address_that_is_anothers_name(
    app: TestApp,
    stores: Process,
    imported: Import,
    outbox: Outbox,
    alice: Person,
    register: Callable[..., Person],
    name: str,
    address: str,
) -> None:
    assert imported({"username": name, "email": "owner@example.com"}) == []
    chief = register("chief", is_admin=True, invite_ct=1)
    with pytest.raises(EmailTaken), stores.transaction() as store:
        registration.register(store, "somebody", address)
    for username, is_update in (("somebody", False), ("alice", True)):
        refused = imported({"username": username, "email": address}, update=is_update)
        assert refused == [about(str(EmailTaken()), username)]
    app.post_json("/api/v1/chief/invite", {"api_key": chief.api_key, "email": address}, status=406)
    added = {"api_key": chief.api_key, "username": "somebody", "email": address}
    app.post_json("/api/v1/a/users/add", added, status=406)
    emails = "/api/v1.1/users/alice/emails/"
    app.post_json(emails, {"email": address}, headers=basic("alice"), status=400)
    # Here nobody is told whose it is: there is no link.
    app.post_json("/api/v1/alice/account", {"api_key": alice.api_key, "email": address}, status=200)
    assert {str(message["To"]) for message in outbox.take()} == {"alice@example.com"}


@pytest.mark.parametrize(("name", "address"), NAMES)
def test_what_becomes_anothers_name_is_not_proved_afterwards(
    app: TestApp, stores: Process, imported: Import, outbox: Outbox, alice: Person, name: str, address: str
) -> None:
    emails, asked = "/api/v1.1/users/alice/emails/", {"email": address, "verified": True}
    app.post_json(emails, {"email": address}, headers=basic("alice"), status=201)
    app.patch_json(emails, asked, headers=basic("alice"), status=403)
    proof = outbox.link_to(address)
    app.post_json("/api/v1/alice/account", {"api_key": alice.api_key, "email": address}, status=200)
    change = outbox.link_to(address.lower())
    assert imported({"username": name, "email": "owner@example.com"}) == []
    for link in (proof, change):
        app.get(link, status=404)
        app.post(link, status=404)
    app.patch_json(emails, asked, headers=bearer(issue(stores, alice)), status=400)


@pytest.mark.parametrize(("name", "address"), NAMES)
def test_in_one_file_too(imported: Import, name: str, address: str) -> None:
    named = {"username": name, "email": "owner@example.com"}
    addressed = {"username": "other", "email": address}
    assert imported(named, addressed) == [about(str(EmailTaken()), "other")]
    other_name = "3@" + name[4:]
    refused = imported({"username": "third", "email": "3@" + address[4:]}, {**named, "username": other_name})
    assert refused == [about(str(UsernameTaken()), other_name)]


def test_ones_own_address_may_be_ones_name(stores: Process, imported: Import) -> None:
    assert imported({"username": "a@example.com", "email": "A@example.com"}) == []
    assert imported({"username": "a@example.com", "email": "a@example.com", "name": "A"}, update=True) == []
    with stores.transaction() as store:
        registration.register(store, "b@example.com", "b@example.com")
