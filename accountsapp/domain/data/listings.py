"""Accounts of a list, read by their names without what would prove them."""

from collections.abc import Iterable
from functools import cache

from sqlalchemy import Connection, select

from accountsapp.domain.data.models import IS_THERE, Account
from accountsapp.domain.data.prepared import PreparedForMany
from accountsapp.domain.data.reads import Columns, column_of
from accountsapp.domain.data.rows import AccountRow, ListedAccount
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.text import is_storable

_table = Account.__table__
_COLUMNS = (_table.c.username_key, _table.c.id, _table.c.username, _table.c.state)


@cache
def _by_usernames(columns: Columns) -> PreparedForMany:
    accounts = select(*_COLUMNS, *map(column_of, columns._fields)).where(IS_THERE)
    return PreparedForMany(lambda keys: accounts.where(_table.c.username_key.in_(keys)))


def by_usernames(connection: Connection, usernames: Iterable[str], columns: Columns) -> list[ListedAccount]:
    """The accounts of these names, case aside, each once, in this order; unknown names give none.

    :param columns: what their ``profile`` has
    """
    keys = [key for key in dict.fromkeys(map(fold, usernames)) if is_storable(key)]
    accounts = {}
    for key, account_id, username, state, *profile in _by_usernames(columns).all(connection, keys):
        accounts[key] = ListedAccount(account_id, username, state, columns._make(profile))
    return [accounts[key] for key in keys if key in accounts]


def listed(account: AccountRow) -> ListedAccount:
    """An account that was read whole, as one of a list."""
    return ListedAccount(account.id, account.username, account.state, account.profile, account.email)
