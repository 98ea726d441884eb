"""Accounts of a list, read by their names without what would prove them."""

from collections.abc import Iterable
from functools import cache

from sqlalchemy import Connection, select

from accountsapp.domain.data.models import IS_THERE, Account
from accountsapp.domain.data.prepared import PreparedForMany
from accountsapp.domain.data.reads import Columns, P, column_of
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.text import is_storable

_username_key = Account.__table__.c.username_key


@cache
def _by_usernames(columns: Columns) -> PreparedForMany:
    accounts = select(*map(column_of, columns._fields), _username_key).where(IS_THERE)
    return PreparedForMany(lambda keys: accounts.where(_username_key.in_(keys)))


def by_usernames(connection: Connection, usernames: Iterable[str], columns: type[P]) -> list[P]:
    """The accounts of these names, case aside, each once, in this order; unknown names give none.

    :param columns: a NamedTuple class whose fields are columns of the account
    """
    keys = [key for key in dict.fromkeys(map(fold, usernames)) if is_storable(key)]
    rows = {values[-1]: values for values in _by_usernames(columns).all(connection, keys)}
    return [columns._make(rows[key][:-1]) for key in keys if key in rows]
