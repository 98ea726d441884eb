"""S04: naming columns in a request changes none of them."""

from itertools import product

from sqlalchemy import select

from accountsapp.db.database import Database
from accountsapp.domain.data.models import Account
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie

COLUMNS = sorted(column.name for column in Account.__table__.columns)
FURTHER = (
    "admin",
    "groups",
    "is_superuser",
    "api_key_hash",
    "email_verified",
    "deleted",
    "signup",
    "activated",
)
MAY = {"name", "pending_email", "pending_email_key", "pending_email_expires", "version"}


def row(database: Database, person: Person) -> dict[str, object]:
    with database.read_engine.connect() as connection:
        found = connection.execute(select(Account.__table__).where(Account.id == person.id)).one()
    return dict(found._mapping)


def test_s04_update(bookie: Bookie, database: Database, alice: Person) -> None:
    for kind, value in product(("form", "json", "query"), ("1", "true", "other", "2020-01-01")):
        names = [name for name in (*COLUMNS, *FURTHER) if name not in ("name", "username")]
        given = {**dict.fromkeys(names, value), "name": f"{kind} {value}"}
        before = row(database, alice)
        key = [("api_key", alice.api_key)]
        if kind == "query":
            answer = bookie("POST", "/alice/account", query=[*key, *given.items()])
        else:
            answer = bookie("POST", "/alice/account", query=key, **{kind: given})  # type: ignore[arg-type]
        assert answer.status_int == 200
        after = row(database, alice)
        assert {name for name in after if after[name] != before[name]} == {"name", "version"}
        assert answer.json["name"] == f"{kind} {value}"


def test_s04_typed_json_values(bookie: Bookie, database: Database, alice: Person) -> None:
    before = row(database, alice)
    given = {
        "is_admin": True,
        "is_staff": 1,
        "id": 7,
        "version": 99,
        "credential_epoch": 0,
        "permissions": ["users:edit"],
        "info": {"a": 1},
        "state": "active",
        "password_hash": "$2b$04$" + "a" * 53,
    }
    key = [("api_key", alice.api_key)]
    assert bookie("POST", "/alice/account", query=key, json=given).status_int == 200
    assert row(database, alice) == before


def test_s04_the_other_calls(bookie: Bookie, database: Database, alice: Person) -> None:
    names = [name for name in (*COLUMNS, *FURTHER) if name not in ("username",)]
    before = row(database, alice)
    given = dict.fromkeys(names, "1")
    answer = bookie("POST", "/alice/api_key", query={"api_key": alice.api_key}, form=given)
    assert answer.status_int == 200
    assert row(database, alice) == before or {
        name for name, value in row(database, alice).items() if value != before[name]
    } == {"version"}
    before = row(database, alice)
    passwords = {"current_password": PASSWORD, "new_password": "another good battery"}
    key = [("api_key", answer.json["api_key"])]
    answer = bookie("POST", "/alice/password", query=key, form={**given, **passwords})
    assert answer.status_int == 200
    changed = {name for name, value in row(database, alice).items() if value != before[name]}
    assert changed <= {"password_hash", "credential_epoch", "version"}
