"""S03: the same parameter in several places, with conflicting values."""

from itertools import product

from accountsapp.testing.people import Person
from tests.support.bookie import Bookie

PLACES = ("query", "form", "json")


def test_s03_two_keys(bookie: Bookie, alice: Person, bob: Person) -> None:
    for first, second in product(("query", "form"), PLACES):
        if first == "form" and second == "json":
            return  # a body is one or the other
        for mine, theirs in ((alice.api_key, bob.api_key), (bob.api_key, alice.api_key), (alice.api_key, "")):
            given = {"query": [], "form": [], "json": {}}  # type: dict[str, object]
            for place, value in ((first, mine), (second, theirs)):
                held = given[place]
                if isinstance(held, list):
                    held.append(("api_key", value))
                else:
                    given[place] = {"api_key": value}
            answer = bookie(
                "POST",
                "/alice/account",
                query=given["query"] or "",  # type: ignore[arg-type]
                form=given["form"] or None,  # type: ignore[arg-type]
                json=given["json"] or None,
            )
            assert answer.status_int == 403
            assert b"bob" not in answer.body
            assert b"alice" not in answer.body


def test_s03_username_beside_the_path(bookie: Bookie, alice: Person, bob: Person) -> None:
    for place in PLACES:
        key = [("api_key", alice.api_key)]
        for name, status in (("bob", 403), ("", 403), ("ALICE", 200), ("alice", 200)):
            sent = {place: {"username": name} if place == "json" else [("username", name)]}
            if place == "query":
                answer = bookie("POST", "/alice/account", query=[*key, ("username", name)])
            else:
                answer = bookie("POST", "/alice/account", query=key, **sent)  # type: ignore[arg-type]
            assert answer.status_int == status, (place, name)
            assert b"bob" not in answer.body


def test_s03_two_usernames(bookie: Bookie, alice: Person, bob: Person) -> None:
    pairs = [("api_key", alice.api_key), ("username", "bob"), ("username", "alice")]
    assert bookie("GET", "/alice/account", query=pairs).status_int == 403
    assert bookie("GET", "/alice/account", query=[pairs[0], pairs[2], pairs[1]]).status_int == 403


def test_s03_a_victims_name_with_the_attackers_key(bookie: Bookie, alice: Person, bob: Person) -> None:
    for query in ([("username", "bob")], [("user", "bob")], [("username", "alice")]):
        answer = bookie("GET", "/alice/account", query=[("api_key", bob.api_key), *query])
        assert answer.status_int == 403
        assert b"alice@example.com" not in answer.body


def test_s03_identity_in_headers_is_nobody(bookie: Bookie, alice: Person, bob: Person) -> None:
    headers = {
        "X-Original-URL": "/api/v1/bob/account",
        "X-Rewrite-URL": "/api/v1/bob/account",
        "X-User": "bob",
    }
    answer = bookie("GET", "/alice/account", query={"api_key": alice.api_key}, headers=headers)
    assert answer.json["username"] == "alice"
    assert bookie("GET", "/bob/account", query={"api_key": alice.api_key}, headers=headers).status_int == 403
