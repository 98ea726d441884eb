"""What whoever holds an API key does with it, default or named: it is shown, replaced, ended.

No other key of the account is shown or touched.
"""

from accountsapp.domain.credentials import api_keys, named_keys
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.errors import DefaultKeyStays
from accountsapp.domain.store import Store


def reveal(store: Store, row: AccountRow, presented: str | None, key_id: str | None) -> str | None:
    """The key that was presented; a default key only while it is the account's.

    :param key_id: of a named key; None for the default one
    :raises StaleCredential: the default key was replaced meanwhile
    """
    return presented if key_id is not None else api_keys.reveal(store, row, presented)


def replace(store: Store, account_id: int, presented: str | None, key_id: str | None) -> str:
    """A new key in the place of the one that was presented, which is dead with the commit.

    :param key_id: as for :func:`reveal`
    :raises StaleCredential: the key was ended meanwhile, or the account is locked
    """
    if key_id is None or presented is None:
        return api_keys.reset(store, account_id, presented=presented)
    return named_keys.replace(store, account_id, presented).api_key


def end(store: Store, account_id: int, presented: str | None, key_id: str | None) -> None:
    """End the key that was presented; it is dead with the commit.

    :param key_id: as for :func:`reveal`
    :raises DefaultKeyStays: it is the default one
    :raises StaleCredential: the key was ended meanwhile, or the account is locked
    """
    if key_id is None or presented is None:
        raise DefaultKeyStays
    named_keys.end(store, account_id, presented)
