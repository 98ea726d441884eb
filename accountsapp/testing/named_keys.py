"""Named keys of people in tests, and default keys of before there were named ones."""

from collections.abc import Collection
from datetime import timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import delete, func, select, update

from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.api_keys import owner_of
from accountsapp.domain.credentials.named_keys import By, NamedKey, NewKey
from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey
from accountsapp.domain.data.models import Job
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules.api_keys import DIGEST_PURPOSE
from accountsapp.domain.rules.key_scopes import PRESETS
from accountsapp.process import Process
from accountsapp.testing.people import Person

YEAR = timedelta(days=365)


def add_key(
    stores: Process,
    person: Person,
    name: str = "laptop",
    *,
    scopes: Collection[str] | None = None,
    lifetime: timedelta | None = YEAR,
    most: int = 20,
) -> NewKey:
    """A named key, as the page makes one."""
    with stores.transaction() as store:
        return named_keys.add(
            store, person.id, name=name, scopes=scopes, lifetime=lifetime, by=By.PAGE, most=most
        )


def add_presets(stores: Process, person: Person) -> dict[str, str]:
    """A further named key of each preset, however many there are; nobody is mailed."""
    with stores.transaction() as store:
        latest = store.session.scalar(select(func.max(Job.id))) or 0
    mark = token_hex(4)
    keys = {
        preset: add_key(stores, person, f"{preset} {mark}", scopes=scopes, most=1000).api_key
        for preset, scopes in PRESETS.items()
    }
    with stores.transaction() as store:
        store.session.execute(delete(Job).where(Job.id > latest))
    return keys


def keys_of(stores: Process, person: Person) -> list[NamedKey]:
    with stores.transaction() as store:
        return named_keys.listing(store.connection, person.id)


def make_older(stores: Process, username: str, api_key: str, keyring: Keyring | None = None) -> None:
    """Store the default key of an account as it was before keys were found by their SHA-256.

    :param keyring: which sealed it
    """
    keyring = keyring or stores.keyring
    with stores.transaction() as store:
        row = store.reader.by_username(username)
        assert row is not None
        values = {
            "digest": keyring.digest(DIGEST_PURPOSE, api_key),
            "sealed": keyring.seal(owner_of(row.id), api_key),
            "secret_id": keyring.secret_id,
        }
        store.session.execute(update(ApiKey).where(ApiKey.account_id == row.id, IS_DEFAULT).values(values))


def set_key(stores: Process, key_id: str, **values: Any) -> None:
    """Change the row of a key behind the application's back."""
    with stores.transaction() as store:
        store.session.execute(update(ApiKey).where(ApiKey.public_id == key_id).values(values))
