"""Columns of one account, locked and changed by plain statements.

An object of the account, as :mod:`locking` gives, costs more than all else that a small change does.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from accountsapp.domain.data.locking import check_states
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.prepared import Prepared, PreparedUpdate

_table = Account.__table__
_STATEMENTS = 256
"""Sets of columns whose statements are kept: a client may name any."""


def lock(
    connection: Connection, account_id: int, actor_id: int | None, columns: Collection[str]
) -> dict[str, Any]:
    """As :func:`locking.lock_for`.

    :returns: what these columns have now, and some others
    :raises StaleCredential: the actor was deactivated or deleted since he was proved
    :raises AccountNotFound: the account is gone, or is to be deleted
    """
    names, statement = _locking(tuple(sorted(columns)))
    values = statement.first(connection, account_id=account_id)
    present = dict(zip(names, values, strict=True)) if values is not None else {}
    is_there = values is not None and present["deletion_asked"] is None
    check_states(connection, account_id, actor_id, present["state"] if is_there else None)
    return present


def change(
    connection: Connection, account_id: int, former: Mapping[str, Any], columns: Mapping[str, Any]
) -> None:
    """Give columns of a locked account other values, as one version of it; none where all have them already.

    :param former: what they have now
    :raises IntegrityError: another account has what only one may have
    """
    changed = {name: value for name, value in columns.items() if value != former[name]}
    if changed:
        statement = _changing(tuple(sorted(changed)))
        statement.run(connection, {**changed, "account_id": account_id})


@lru_cache(_STATEMENTS)
def _locking(columns: tuple[str, ...]) -> tuple[list[str], Prepared]:
    names = [*dict.fromkeys(("state", "deletion_asked", *columns))]
    statement = select(*(_table.c[name] for name in names)).where(_table.c.id == bindparam("account_id"))
    return names, Prepared(statement.with_for_update(key_share=True))


@lru_cache(_STATEMENTS)
def _changing(columns: tuple[str, ...]) -> PreparedUpdate:
    values = {name: bindparam(name, type_=_table.c[name].type) for name in columns}
    statement = update(Account).where(_table.c.id == bindparam("account_id"))
    return PreparedUpdate(statement.values(version=_table.c.version + 1, **values))
