"""S08: one URL for one thing: what else traversal would serve is 404, and nothing redirects."""

from itertools import product

from accountsapp.testing.people import Person
from tests.support.bookie import Bookie

ALIASES = (
    "//account",
    "/account//",
    "/./account",
    "/account/.",
    "/x/../account",
    "/account/..",
    "/account/../account",
    "/%2e/account",
    "/%2e%2e/alice/account",
    "/.%2e/alice/account",
    "/@@account",
    "/account/@@",
    "/account/@@account",
    "/@@api_key",
    "/account/x",
    "/api_key/x",
    "/account/password/x",
    "/account;x",
    "/account;x=1",
    "/account.json",
    "/account.css",
    "/account%20",
    "/account%00",
    "/account%2F",
    "/account%2Fx",
    "/account%5C",
    "/Account",
    "/ACCOUNT",
    "/accoun%74t",
    "/+account",
    "/account~",
    "/%252e%252e/alice/account",
    "/..;/account",
    "",
    "/",
    "/__call__",
    "/__getitem__",
    "/account/__parent__",
)
SERVED = {"/account%2F"}
"""An encoded slash is a slash (WSGI decodes it): one final slash is dropped."""


def test_s08_aliases(bookie: Bookie, alice: Person) -> None:
    for alias, method in product(ALIASES, ("GET", "POST")):
        answer = bookie(method, f"/alice{alias}", query={"api_key": alice.api_key})
        assert answer.status_int == (200 if alias in SERVED else 404)
        assert "Location" not in answer.headers
        if alias not in SERVED:
            assert answer.json == {"error": "Not found."}


def test_s08_one_final_slash(bookie: Bookie, alice: Person) -> None:
    for path in ("/account", "/api_key"):
        plain = bookie("GET", f"/alice{path}", query={"api_key": alice.api_key})
        slashed = bookie("GET", f"/alice{path}/", query={"api_key": alice.api_key})
        assert (plain.status_int, plain.body) == (slashed.status_int, slashed.body) == (200, plain.body)
        assert "Location" not in slashed.headers


def test_s08_unknown_paths_tell_nothing(bookie: Bookie, alice: Person) -> None:
    for path, key in product(
        ("", "/", "/alice", "/alice/", "/alice/nothing", "//alice/account"), (alice.api_key, "x")
    ):
        answer = bookie("GET", path, query={"api_key": key})
        assert (answer.status_int, answer.json) == (404, {"error": "Not found."})
