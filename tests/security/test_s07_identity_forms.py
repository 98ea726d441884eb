"""S07: other spellings of who is meant: the same account or nobody, never another."""

from collections.abc import Callable
from urllib.parse import quote

from accountsapp.testing.people import Person
from tests.support.bookie import Bookie

FORMS = (
    "1",
    "01",
    "+1",
    "-1",
    "1.0",
    "1e0",
    "0x1",
    "²",
    "１",
    str(2**63),
    "9" * 400,
    "../bob",
    "bob;alice",
    "bob,alice",
    "*",
    "%",
    "_____",
    "alice@example.com",
    "alice ",
    " alice",
    "alice\u200b",
    "alice\u00a0",
    "al\u0131ce",
    "аlice",
    "account:1",
    "null",
    "None",
    "undefined",
    "me",
    "__parent__",
    "__class__",
    "a" * 5000,
)


def test_s07_id_forms(bookie: Bookie, alice: Person, bob: Person) -> None:
    for form in FORMS:
        for key in (alice.api_key, bob.api_key):
            answer = bookie("GET", f"/{quote(form)}/account", query={"api_key": key})
            assert answer.status_int in (403, 404), form
            assert b"@example.com" not in answer.body
            answer = bookie(
                "POST", f"/{quote(form)}/account", query={"api_key": key}, form={"name": "Taken Over"}
            )
            assert answer.status_int in (403, 404), form
        for person in (alice, bob):
            seen = bookie("GET", f"/{person.username}/account", query={"api_key": person.api_key})
            assert seen.json["name"] != "Taken Over"


def test_s07_bytes_that_are_no_name(bookie: Bookie, alice: Person) -> None:
    for raw in ("1%00", "%00", "alice%00", "%ff", "alice%ff", "%c0%ae%c0%ae", "%ed%a0%80"):
        answer = bookie("GET", f"/{raw}/account", query={"api_key": alice.api_key})
        assert answer.status_int in (400, 403, 404)
        assert answer.json.keys() == {"error"}


def test_s07_the_same_name_differently_written(bookie: Bookie, alice: Person, bob: Person) -> None:
    for form in ("ALICE", "Alice", "aLiCe", "%61lice", "ａｌｉｃｅ"):
        path = f"/{form if '%' in form else quote(form)}/account"
        assert bookie("GET", path, query={"api_key": alice.api_key}).json["username"] == "alice"
        assert bookie("GET", path, query={"api_key": bob.api_key}).status_int == 403


def test_s07_a_number_as_name_is_that_name(
    bookie: Bookie, register: Callable[..., Person], alice: Person
) -> None:
    """An imported account may be called like the id of another."""
    other = register(str(alice.id), "number@example.com")
    path = f"/{alice.id}/account"
    assert bookie("GET", path, query={"api_key": other.api_key}).json["username"] == other.username
    assert bookie("GET", path, query={"api_key": alice.api_key}).status_int == 403
