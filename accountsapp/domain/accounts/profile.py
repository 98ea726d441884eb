"""What people say about themselves: columns of the account that prove and open nothing."""

from collections.abc import Mapping

from accountsapp.domain.data.locking import lock_active
from accountsapp.domain.data.reads import AccountRow, by_id
from accountsapp.domain.store import Store

FIELDS = frozenset({"name", "location", "company", "homepage", "gravatar_email"})
"""Columns that may be changed here."""


def change(store: Store, account_id: int, values: Mapping[str, str | None]) -> AccountRow:
    """Set what is given; the rest stays.

    :param values: by column, checked by the API; None clears
    :returns: the account after it
    :raises StaleCredential: it was locked or deleted meanwhile
    """
    if not values.keys() <= FIELDS:
        raise ValueError(", ".join(sorted(values.keys() - FIELDS)))
    account = lock_active(store.session, account_id)
    for column, value in values.items():
        setattr(account, column, value)
    store.session.flush()
    return by_id(store.session.connection(), account_id)
