"""A database of many accounts, each with a key of its own, made once and kept under ``var/bench``."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from alembic import command
from sqlalchemy import insert, text, update

from accountsapp.db.database import Database
from accountsapp.domain.credentials import jwt_keys
from accountsapp.domain.credentials.api_keys import sealed_key
from accountsapp.domain.credentials.jwt_keys import Issued
from accountsapp.domain.credentials.key_memory import sealed_hash
from accountsapp.domain.credentials.named_keys import make_key_id
from accountsapp.domain.data.activity_models import Addon, AddonAuthor
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Account, EmailAddress
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.oauth import tokens
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.rules.api_keys import hash_of, make_api_key
from accountsapp.domain.rules.key_scopes import EXTENSION, PRESETS
from accountsapp.domain.throttle import Throttle
from accountsapp.migrations.revision import alembic_config, newest_revision
from accountsapp.process import Process
from accountsapp.settings import load
from bench.activity import add_activity

SECRET = "bench-only-" + "b" * 40
PASSWORD = "correct horse battery"
ADMIN = 1
"""The number of the account that is an administrator."""
BATCH = 5000
SIGNUP = datetime(2011, 4, 7, 17, 50, 18, tzinfo=UTC)


def username(number: int) -> str:
    """The name of the account of that number, from 1 on."""
    return f"person{number:07d}"


def seeded(folder: Path, count: int) -> tuple[Path, list[str]]:
    """A SQLite file of ``count`` accounts and their API keys, in order of number."""
    name = f"accounts-and-activity-{count}-{newest_revision()}"
    database, keys = folder / f"{name}.sqlite", folder / f"{name}.keys"
    if not (database.exists() and keys.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f"{name}.new"
        fresh.unlink(missing_ok=True)
        keys.write_text("\n".join(fill(f"sqlite:///{fresh}", count)))
        fresh.rename(database)
    return database, keys.read_text().splitlines()


def working_copy(database: Path, name: str = "working") -> Path:
    """A copy to write to, in the same folder.

    :param name: of the file, without ``.sqlite``
    """
    copy = database.with_name(f"{name}.sqlite")
    for leftover in database.parent.glob(f"{copy.name}*"):
        leftover.unlink()
    shutil.copy(database, copy)
    return copy


class Credentials(NamedTuple):
    """Of the first accounts, in order of number."""

    tokens: list[str]
    signing: list[Issued]
    named: list[list[str]]
    """All named keys of each."""


def with_credentials(url: str, count: int) -> Credentials:
    """Give the first ``count`` accounts an access token, a signing key, named keys up to the most that an
    account has by default, and a public add-on each, and all of them the password :data:`PASSWORD` and the
    age to share what they like; make :data:`ADMIN` an administrator.
    """
    database = Database(url)
    ini = {
        "accountsapp.mode": "development",
        "sqlalchemy.url": str(database.url),
        "accountsapp.secret": SECRET,
        "accountsapp.site_url": "http://127.0.0.1",
    }
    stores = Process(load(ini, environ={}), database, Throttle(enabled=False))
    with stores.transaction() as store:
        numbers = range(1, count + 1)
        made = Credentials(
            [tokens.issue_by_hand(store, number, ["profile_read"], seconds=86400) for number in numbers],
            [jwt_keys.issue(store, number) for number in numbers],
            [[make_api_key() for _ in range(store.settings.keys.max)] for _ in numbers],
        )
        owned = ((number, api_key) for number in numbers for api_key in made.named[number - 1])
        rows = [_named_key(store.keyring, number, api_key) for number, api_key in owned]
        store.session.execute(insert(ApiKey), rows)
        store.session.execute(insert(Addon), [_addon(number) for number in numbers])
        store.session.execute(insert(AddonAuthor), [_author(number) for number in numbers])
        grown_up = {"password_hash": Passwords(4).hash(PASSWORD), "year_of_birth": 1990}
        store.session.execute(update(Account).where(Account.id <= count).values(grown_up))
        store.session.execute(update(Account).where(Account.id == ADMIN).values(is_admin=True))
    database.dispose()
    return made


def fill(url: str, count: int) -> list[str]:
    """Fill an empty database with accounts, and a contribution of each.

    :returns: their API keys, in order of number
    """
    database = Database(url)
    command.upgrade(alembic_config(database), "head")
    keyring = Keyring((SECRET,))
    api_keys = []
    for first in range(1, count + 1, BATCH):
        numbers = range(first, min(first + BATCH, count + 1))
        made = {number: make_api_key() for number in numbers}
        with database.begin() as session:
            session.execute(insert(Account), [_account(number) for number in numbers])
            session.execute(insert(EmailAddress), [_address(number) for number in numbers])
            session.execute(
                insert(ApiKey), [_api_key(keyring, number, api_key) for number, api_key in made.items()]
            )
        api_keys += made.values()
    add_activity(database)
    with database.read_engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        connection.execute(text("ANALYZE"))
    database.dispose()
    return api_keys


def _account(number: int) -> dict[str, object]:
    name = username(number)
    return {
        "id": number,
        "username": name,
        "username_key": name,
        "name": f"Person Number {number}",
        "signup": SIGNUP,
        "version": 1,
    }


def _addon(number: int) -> dict[str, object]:
    return {
        "id": number,
        "slug": f"addon-{number}",
        "type": "extension",
        "listed": True,
        "approved": True,
        "average_rating": 4.5,
    }


def _author(number: int) -> dict[str, object]:
    return {"addon_id": number, "account_id": number, "role": "owner", "position": 0}


def _address(number: int) -> dict[str, object]:
    address = f"{username(number)}@example.org"
    return {
        "account_id": number,
        "address": address,
        "address_key": address,
        "verified": True,
        "primary": True,
    }


def _named_key(keyring: Keyring, number: int, api_key: str) -> dict[str, object]:
    return {
        "account_id": number,
        "public_id": make_key_id(),
        "name": api_key[-10:],
        "scopes": " ".join(PRESETS[EXTENSION] or ()),
        **sealed_hash(keyring, number, hash_of(api_key)),
    }


def _api_key(keyring: Keyring, number: int, api_key: str) -> dict[str, object]:
    return {"account_id": number, **sealed_key(keyring, number, api_key)}
