"""Named keys of people in tests."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import update

from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import By, NamedKey, NewKey
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.process import Process
from tests.support.people import Person

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


def keys_of(stores: Process, person: Person) -> list[NamedKey]:
    with stores.transaction() as store:
        return named_keys.listing(store.connection, person.id)


def set_key(stores: Process, key_id: str, **values: Any) -> None:
    """Change the row of a key behind the application's back."""
    with stores.transaction() as store:
        store.session.execute(update(ApiKey).where(ApiKey.public_id == key_id).values(values))
