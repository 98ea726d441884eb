"""R26: a client that lost an answer sends its request again."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from accountsapp.db.database import Database
from accountsapp.domain.data.models import Base
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie


def count(database: Database) -> dict[str, int]:
    """How many rows each table has: accounts, addresses, keys, jobs (mails), what was audited."""
    with database.read_engine.connect() as connection:
        return {
            table.name: len(connection.execute(select(table)).all()) for table in Base.metadata.sorted_tables
        }


def but_audit(counted: dict[str, int]) -> dict[str, int]:
    return {name: number for name, number in counted.items() if "audit" not in name}


def test_r26_update(bookie: Bookie, database: Database, alice: Person) -> None:
    """Same answer, no second mail, the second changes nothing."""
    given: dict[str, Any] = {"api_key": alice.api_key, "name": "New Name", "email": "new@example.com"}
    first = bookie("POST", "/alice/account", json=given)
    counted = count(database)
    second = bookie("POST", "/alice/account", json=given)
    assert (first.status_int, first.body) == (second.status_int, second.body) == (200, first.body)
    assert count(database) == counted


def test_r26_reset(bookie: Bookie, database: Database, alice: Person) -> None:
    """The key is dead: refused, and the new one stays."""
    key = alice.api_key
    for path in ("api_key", "reset_api_key"):
        made = bookie("POST", f"/alice/{path}", form={"api_key": key}).json["api_key"]
        counted = but_audit(count(database))
        second = bookie("POST", f"/alice/{path}", form={"api_key": key})
        assert (second.status_int, second.json) == (403, {"error": "Not authorized for request."})
        assert but_audit(count(database)) == counted
        assert bookie("GET", "/alice/account", query={"api_key": made}).status_int == 200
        key = made


def test_r26_password(bookie: Bookie, database: Database, alice: Person) -> None:
    """Refused like a wrong current password; no second notice."""
    given = {"current_password": PASSWORD, "new_password": "another good battery"}
    query = {"api_key": alice.api_key}
    assert bookie("POST", "/alice/password", query=query, form=given).status_int == 200
    counted = but_audit(count(database))
    second = bookie("POST", "/alice/account/password", query=query, form=given)
    assert second.status_int == 403
    assert second.json.keys() == {"username", "error"}
    assert but_audit(count(database)) == counted


def test_r26_reads_change_nothing(bookie: Bookie, alice: Person, snapshot: Callable[[], Any]) -> None:
    before = snapshot()
    for path in ("account", "api_key", "ping"):
        answers = {bookie("GET", f"/alice/{path}", query={"api_key": alice.api_key}).body for _ in range(3)}
        assert len(answers) == 1
    assert snapshot() == before
