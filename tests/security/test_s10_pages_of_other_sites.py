"""S10: what a page of another site gets that has the victim's browser ask, with the victim's cookie alone, of
every URL of the printed tree.
"""

from collections.abc import Callable, Iterator

from webtest import TestApp, TestResponse

from accountsapp.domain.data import locking
from accountsapp.process import Process
from accountsapp.testing.credentials import hold
from accountsapp.testing.everywhere import NEARBY, path_of
from accountsapp.testing.people import Person
from accountsapp.tree import rows

EVIL = "https://evil.example"


def of_victim(person: Person) -> tuple[bytes, ...]:
    """What must not get out."""
    return (person.email.encode(), person.api_key.encode(), b"Victoria Timm", b"Secret Lane 7")


def reads(app: TestApp, person: Person) -> Iterator[str]:
    """The path of every GET, and of those with a query the query, too."""
    for row in rows(app.app.registry):
        if "GET" in row.methods:
            yield path_of(row, person)
    yield f"/api/user/v1/accounts?username={person.username}"
    yield f"/api/user/v1/accounts?email={person.email}"


def test_s10_nothing_of_the_victim_gets_out(
    app: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    victim = register("victim", name="Victoria Timm")
    with stores.transaction() as store:
        locking.lock(store.session, victim.id).mailing_address = "Secret Lane 7"
    cookie = {"Cookie": f"sessionid={hold(stores, victim).cookie}"}
    app.extra_environ.update(NEARBY)
    shown = 0

    def ask(path: str, headers: dict[str, str]) -> TestResponse:
        app.reset()
        separator = "&" if "?" in path else "?"
        return app.get(f"{path}{separator}callback=f&jsonp=f", headers=headers, expect_errors=True)

    for path in reads(app, victim):
        by_script, by_nobody = ask(path, cookie), ask(path, {})
        by_fetch = ask(path, {**cookie, "Origin": EVIL})
        is_script = "javascript" in (by_script.content_type or "")
        if is_script:
            assert by_script.body == by_nobody.body, path
        has_something = any(value in by_fetch.body for value in of_victim(victim))
        shown += has_something
        if by_nobody.body != by_fetch.body or has_something:
            # The browser keeps it from the page: credentials are never allowed there.
            assert "Access-Control-Allow-Credentials" not in by_fetch.headers, path
            assert by_script.headers["X-Content-Type-Options"] == "nosniff", path
            assert not is_script, path
    assert shown >= 3, "the cookie opens some of them"
