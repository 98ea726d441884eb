"""``python -m bench.moving``: a Bookie database of many accounts is taken, twice; nothing may be lost."""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from alembic import command

from accountsapp.cli.collecting import collecting_rarely
from accountsapp.db.database import Database
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.transfer.exporting import export_all
from accountsapp.domain.transfer.moving import Mover
from accountsapp.migrations.revision import alembic_config
from accountsapp.moving import bookie
from accountsapp.moving.databases import connected
from bench.machine import described
from bench.seed import SECRET, username

LEAST = 5000
"""Records a second of a processor, without hashing."""
USERS = """CREATE TABLE users (
    id INTEGER PRIMARY KEY, username VARCHAR(255), name VARCHAR(255), password VARCHAR(60),
    email VARCHAR(255), activated BOOLEAN, is_admin BOOLEAN, last_login DATETIME, signup DATETIME,
    api_key VARCHAR(12), invite_ct INTEGER, invited_by VARCHAR(255)
)"""
DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def main() -> int:
    """Measure, print a table; 1 when something is lost or it takes too long."""
    parser = argparse.ArgumentParser(prog="python -m bench.moving", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--database", metavar="URL", help="an empty database, which is filled; else SQLite")
    options = parser.parse_args()
    print(described())
    with tempfile.TemporaryDirectory(prefix="accountsapp-moving-") as folder:
        return measure(Path(folder), options.database, options.accounts)


def measure(folder: Path, url: str | None, accounts: int) -> int:
    old = folder / "bookie.sqlite"
    fill(old, accounts)
    begin = time.process_time()
    with connected(f"sqlite:///{old}") as connection:
        count = sum(1 for _ in bookie.read(connection))
    print_rate("read", count, time.process_time() - begin)
    database = Database(url or f"sqlite:///{folder}/accounts.sqlite")
    command.upgrade(alembic_config(database), "head")
    try:
        first = move(old, database, "taken", accounts)
        second = move(old, database, "taken again", accounts)
        lost = count_lost(database, accounts)
    finally:
        database.dispose()
    print(f"keys or passwords that are not as they were: {lost}")
    return int(lost > 0 or first < LEAST or second < LEAST)


def move(old: Path, database: Database, what: str, accounts: int) -> float:
    """
    :returns: records a second of a processor
    """
    mover = Mover(
        database.write,
        Keyring((SECRET,)),
        Passwords(),
        lambda place, text: print(f"{place}: {text}", file=sys.stderr),
        source="bookie",
        most_keys=20,
    )
    begin = time.process_time()
    with collecting_rarely(), connected(f"sqlite:///{old}") as connection:
        *_, counts = mover.run(bookie.read(connection))
    seconds = time.process_time() - begin
    print_rate(f"{what}, {counts}", accounts, seconds)
    return accounts / seconds


def print_rate(what: str, count: int, seconds: float) -> None:
    print(f"{what}: {count} in {seconds:.1f} s of a processor, {count / seconds:,.0f} a second")


def fill(path: Path, accounts: int) -> None:
    """Make the old database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(USERS)
        connection.executemany(f"INSERT INTO users VALUES ({', '.join('?' * 12)})", rows(accounts))
        connection.commit()


def rows(accounts: int) -> Iterator[tuple[object, ...]]:
    for number in range(1, accounts + 1):
        name = username(number)
        yield (
            number,
            name,
            f"Person {number}",
            hash_of(number),
            f"{name}@example.com",
            True,
            False,
            "2020-01-02 03:04:05.678901",
            "2011-04-07 17:50:18.000000",
            key_of(number),
            3,
            "admin",
        )


def key_of(number: int) -> str:
    return f"{number * 2654435761 % 2**48:012x}"


def hash_of(number: int) -> str:
    """A well-formed hash that nobody else has."""
    digest = "".join(DIGITS[number >> shift & 63] for shift in (18, 12, 6, 0))
    return f"$2a$10${'a' * 21}.{'b' * 26}{digest}."


def count_lost(database: Database, accounts: int) -> int:
    """How many accounts have another key or another hash than they had, or are not there."""
    right = 0
    for record in export_all(database.read_engine, Keyring((SECRET,))):
        number = int(record["username"].removeprefix("person"))
        right += (record["api_key"], record["password_hash"]) == (key_of(number), hash_of(number))
    return accounts - right


if __name__ == "__main__":
    sys.exit(main())
