"""The columns of accounts that tests look at."""

from datetime import datetime
from typing import NamedTuple

from accountsapp.domain.accounts import profile
from accountsapp.domain.store import Store


class Columns(NamedTuple):
    """Further columns than every row has."""

    name: str | None
    signup: datetime | None
    last_login: datetime | None
    invite_ct: int
    invited_by: str | None
    version: int


def columns_of(store: Store, account_id: int) -> Columns:
    return profile.read(store, account_id, Columns)
