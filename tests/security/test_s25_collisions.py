"""S25: names and addresses that look alike are the same or not, by one verdict on both databases.

What ``fold`` makes of single texts stands in ``tests/domain/test_folding.py``.
"""

from collections.abc import Callable

import pytest
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.process import Process
from accountsapp.testing.people import Person
from tests.support.bookie import in_path
from tests.support.imports import import_records
from tests.support.outbox import Outbox

SAME_NAMES = (
    ("mike", "MIKE"),
    ("mike", "Mike"),
    ("kelvin", "\u212aelvin"),
    ("straße", "STRASSE"),
    ("ﬁsh", "fish"),
    ("jürgen", "JÜRGEN"),
    ("jürgen", "ju\u0308rgen"),
    ("ｆｕｌｌ", "full"),
    ("a²", "a2"),
    ("σοφος", "ΣΟΦΟΣ"),
    ("who@example.com", "WHO@EXAMPLE.com"),
)
OTHER_NAMES = (
    ("mike", "mıke"),
    ("mike", "mike."),
    ("mike", "mike\u200b"),
    ("mike", "m1ke"),
    ("mike", "mіke"),  # Cyrillic
    ("i", "İ"),
    ("12345", "012345"),
    ("mike", "mike+tag"),
)


def address_of(local: str) -> str:
    return f"{local}@example.com"


SAME_ADDRESSES = (
    ("mike@example.com", "MIKE@EXAMPLE.COM"),
    ("kelvin@example.com", "\u212aelvin@example.com"),
    ("strasse@example.com", "straße@example.com"),
    ("ﬁsh@example.com", "fish@example.com"),
    ("a@bücher.example", "a@BÜCHER.example"),
    ("a@bücher.example", "a@xn--bcher-kva.example"),
    ("a@xn--strae-oqa.example", "a@STRAẞE.example"),
    ("ｆull@example.com", "full@example.com"),
    ("mike@example.com", " mike@example.com "),
    ("mike@example.com", "mike@example.com\u00a0"),
)
OTHER_ADDRESSES = (
    ("mike@example.com", "mıke@example.com"),
    ("mike@example.com", "mike+tag@example.com"),
    ("mike@strasse.example", "mike@straße.example"),
    ("mike@example.com", "m.ike@example.com"),
    ("mike@example.com", "mike@examp1e.com"),
    ("a@bücher.example", "a@xn--bucher-kva.example"),
)
VERDICTS = [(pair, True) for pair in SAME_NAMES] + [(pair, False) for pair in OTHER_NAMES]
ADDRESS_VERDICTS = [(pair, True) for pair in SAME_ADDRESSES] + [(pair, False) for pair in OTHER_ADDRESSES]

Import = Callable[..., list[tuple[int, str]]]


@pytest.fixture
def imported(stores: Process) -> Import:
    """Imports records, each in its file; the lines that were refused."""

    def run(*records: dict[str, object]) -> list[tuple[int, str]]:
        refused: list[tuple[int, str]] = []
        for record in records:
            refused += import_records(stores, record)[1]
        return refused

    return run


def test_s25_imported_names(imported: Import, database: Database) -> None:
    got = []
    for number, ((one, other), _) in enumerate(VERDICTS):
        # Of each pair in turn; the numbers keep the addresses and other pairs apart.
        first = {"username": f"{number}-{one}", "email": address_of(f"one{number}")}
        second = {"username": f"{number}-{other}", "email": address_of(f"two{number}")}
        got.append(((one, other), imported(first, second) != []))
    assert got == VERDICTS


def test_s25_imported_addresses(imported: Import) -> None:
    got = []
    for number, ((one, other), _) in enumerate(ADDRESS_VERDICTS):
        first = {"username": f"one{number}", "email": one.strip().replace("@", f"-{number}@")}
        second = {"username": f"two{number}", "email": other.strip().replace("@", f"-{number}@")}
        got.append(((one, other), imported(first, second) != []))
    assert got == ADDRESS_VERDICTS


@pytest.mark.parametrize("name", ["12345", "bob@elsewhere.example", "1", "null", "me"])
def test_s25_a_name_is_nobodys_number_or_address(
    app: TestApp, imported: Import, register: Callable[..., Person], name: str
) -> None:
    """A name that is another's e-mail address or id finds the account of that name alone."""
    bob = register("bob")
    assert imported({"username": name, "email": "owner@example.com", "api_key": "0123456789ab"}) == []
    path = f"/api/v1/{in_path(name)}/account"
    assert app.get(path, {"api_key": "0123456789ab"}).json["email"] == "owner@example.com"
    assert app.get(path, {"api_key": bob.api_key}, status=403)
    assert app.get("/api/v1/bob/account", {"api_key": "0123456789ab"}, status=403)
    assert app.get(f"/api/v1/{bob.id}/account", {"api_key": bob.api_key}, status=403)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("MIKE@EXAMPLE.COM", True),
        (" Mike@example.com ", True),
        ("mi\u212ae@example.com", True),
        ("ｍike@example.com", True),
        ("mıke@example.com", False),
        ("mike@example.com.", False),
        ("mike+tag@example.com", False),
        ("mike\u200b@example.com", False),
        ("mike", False),
    ],
)
def test_s25_mail_goes_to_the_stored_address_only(
    app: TestApp, imported: Import, outbox: Outbox, asked: str, found: bool
) -> None:
    """What was typed is never written to, however much it looks like the stored address."""
    assert imported({"username": "mike", "email": "mike@example.com"}) == []
    app.post_json("/api/v1/suspend", {"email": asked}, expect_errors=True)
    assert [str(message["To"]) for message in outbox.take()] == ["mike@example.com"] * found


def test_s25_reset_in_another_case(app: TestApp, imported: Import, outbox: Outbox) -> None:
    assert imported({"username": "Jürgen", "email": "J@Example.com"}) == []
    app.post_json("/api/v1/suspend", {"email": "j@EXAMPLE.com"})
    (message,) = outbox.take()
    code = str(message.get_body(("plain",)).get_content()).split("/reset/")[1].split()[0]  # type: ignore[union-attr]
    given = {"username": "JÜRGEN", "code": code, "password": "another good one"}
    answer = app.request("/api/v1/suspend", method="DELETE", POST=given)
    assert answer.json["username"] == "Jürgen"


def test_s25_new_addresses_are_judged_alike(app: TestApp, register: Callable[..., Person]) -> None:
    """An invitation to an address that somebody has in another spelling is refused."""
    inviter = register("inviter", invite_ct=100)
    got = []
    for number, ((one, other), _) in enumerate(ADDRESS_VERDICTS):
        register(f"owner{number}", one.strip().lower().replace("@", f"-{number}@"))
        asked = {"api_key": inviter.api_key, "email": other.replace("@", f"-{number}@")}
        status = app.post_json("/api/v1/inviter/invite", asked, expect_errors=True).status_int
        got.append(((one, other), {406: True, 200: False}[status]))
    assert got == ADDRESS_VERDICTS
