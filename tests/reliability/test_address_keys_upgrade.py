"""The upgrade that compares addresses by A-labels: keys are made anew, collisions end as they should."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from accountsapp.db.database import Database
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.rules.folding import fold
from accountsapp.migrations.revision import alembic_config

DAY = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2090, 1, 1, tzinfo=UTC)
ASCII, UNICODE = "a@xn--bcher-kva.example", "a@bücher.example"
PRIMARY, VERIFIED, CLAIMED = (True, True), (True, False), (False, False)

Row = tuple[int, str, tuple[bool, bool]]
"""Account, address, verified and primary."""


@pytest.fixture
def old(empty_database_url: str) -> Iterator[Database]:
    """A database as it was before."""
    database = Database(empty_database_url)
    command.upgrade(alembic_config(database), "0004")
    yield database
    database.dispose()


def insert(database: Database, table: str, **values: Any) -> None:
    tables = sa.MetaData()
    with database.write_engine.begin() as connection:
        tables.reflect(connection, only=[table])
        present = tables.tables[table]
        defaults = {
            c.name: default_of(c) for c in present.columns if not c.nullable and c.name not in ("id", *values)
        }
        connection.execute(present.insert(), {**defaults, **values})


def default_of(column: sa.Column[Any]) -> Any:
    if isinstance(column.type, sa.JSON):
        return {}
    python_type = column.type.python_type
    return DAY if python_type is datetime else python_type()


def fill(database: Database, *rows: Row) -> None:
    for number in {account for account, _, _ in rows}:
        insert(
            database, "account", id=number, username=f"n{number}", username_key=f"n{number}", state="active"
        )
    for account, address, (verified, primary) in rows:
        insert(
            database,
            "email_address",
            account_id=account,
            address=address,
            address_key=fold(address),
            verified=verified,
            is_primary=primary,
        )


def upgraded(database: Database) -> set[tuple[int, str, str]]:
    command.upgrade(alembic_config(database), "head")
    command.check(alembic_config(database))
    with database.read_engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT account_id, address, address_key FROM email_address"))
        return {(row.account_id, row.address, row.address_key) for row in rows}


def test_keys_are_made_anew(old: Database) -> None:
    addresses = [
        "Jürgen@example.com",
        "x@straße.example",
        "y@BÜCHER.example",
        "Z@Example.com",
        "ﬁn@x.example",
    ]
    fill(old, *((number, address, PRIMARY) for number, address in enumerate(addresses, 1)))
    assert upgraded(old) == {(n, address, key_of(address)) for n, address in enumerate(addresses, 1)}


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([(1, ASCII, PRIMARY), (1, UNICODE, CLAIMED)], [(1, ASCII)]),
        ([(1, UNICODE, PRIMARY), (1, ASCII, VERIFIED)], [(1, UNICODE)]),
        ([(1, ASCII, CLAIMED), (1, UNICODE, VERIFIED)], [(1, UNICODE)]),
        ([(1, ASCII, CLAIMED), (1, UNICODE, CLAIMED)], [(1, ASCII)]),
        ([(1, ASCII, PRIMARY), (2, UNICODE, CLAIMED)], [(1, ASCII)]),
        ([(1, ASCII, CLAIMED), (2, UNICODE, VERIFIED)], [(2, UNICODE)]),
        ([(1, UNICODE, VERIFIED), (2, ASCII, CLAIMED)], [(1, UNICODE)]),
        ([(1, ASCII, CLAIMED), (2, UNICODE, CLAIMED)], [(1, ASCII), (2, UNICODE)]),
    ],
)
def test_of_two_spellings_the_weaker_claim_goes(
    old: Database, rows: list[Row], kept: list[tuple[int, str]]
) -> None:
    fill(old, *rows)
    assert upgraded(old) == {(account, address, ASCII) for account, address in kept}


def test_two_owners_both_keep_theirs(old: Database, caplog: pytest.LogCaptureFixture) -> None:
    fill(old, (1, ASCII, PRIMARY), (2, UNICODE, PRIMARY))
    assert upgraded(old) == {(1, ASCII, ASCII), (2, UNICODE, fold(UNICODE))}
    (line,) = [record.getMessage() for record in caplog.records if "account 2" in record.getMessage()]
    assert "account 1" in line
    assert "example" not in line


def test_what_is_awaited(old: Database) -> None:
    fill(old, (1, "a@example.com", PRIMARY))
    with old.write_engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE account SET pending_email = :address, pending_email_key = :key"),
            {"address": UNICODE, "key": fold(UNICODE)},
        )
    upgraded(old)
    with old.read_engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT pending_email_key FROM account")) == ASCII


def test_links_that_may_have_gone_to_another_spelling_end(old: Database) -> None:
    fill(old, (1, "Primary@bücher.example", PRIMARY), (1, "x@strasse.example", CLAIMED))
    given = {
        "reset": "primary@bücher.example",
        "change e-mail": "new@example.com",
        "verify e-mail": "x@strasse.example",
    }
    with old.write_engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE account SET pending_email = 'New@example.com', pending_email_key = 'new@example.com'"
            )
        )
    for purpose, key in given.items():
        insert(
            old,
            "link",
            digest=purpose.encode(),
            purpose=purpose,
            account_id=1,
            address_key=key,
            expires=LATER,
        )
    upgraded(old)
    with old.read_engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT purpose, address, address_key, expires FROM link")).all()
    found = {row.purpose: (row.address, row.address_key, str(row.expires)[:4]) for row in rows}
    assert found == {
        "reset": ("Primary@bücher.example", "primary@xn--bcher-kva.example", "2090"),
        "change e-mail": ("New@example.com", "new@example.com", "2090"),
        "verify e-mail": ("x@strasse.example", "x@strasse.example", "1970"),
    }
