"""Columns of one account, locked and changed by plain statements.

An object of the account, as :mod:`locking` gives, costs more than all else that a small change does.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select, update

from accountsapp.domain.data.locking import lock_with
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.prepared import Prepared, PreparedUpdate
from accountsapp.domain.data.proofs import (
    NO_RIGHTS,
    RIGHTS,
    Actor,
    Kind,
    Proof,
    Rights,
    check_account,
    check_proof,
)
from accountsapp.domain.errors import AccountNotFound, StaleCredential

_table = Account.__table__
_STATEMENTS = 256
"""Sets of columns whose statements are kept: a client may name any."""


def lock(
    connection: Connection, account_id: int, actor: Actor | None, columns: Collection[str]
) -> dict[str, Any]:
    """As :func:`locking.lock_for`; what proved the owner is looked at in the statement that locks.

    Not where it can be narrowed: who waited for the account would be shown it as it was before.

    :returns: what these columns have now, and some others
    :raises StaleCredential: the actor was deactivated or deleted since he was proved, or what proved him was
        ended
    :raises AuthorityChanged: the actor has lost a right, or what proved him is not good for the same any more
    :raises AccountNotFound: the account is gone, or is to be deleted
    """
    if actor is not None and actor.account_id == account_id:
        has_rights = actor.rights is not None
        proof = actor.proof if actor.proof is not None and actor.proof.terms is None else None
        present = _lock(connection, account_id, (*columns, *RIGHTS) if has_rights else columns, proof)
        if present is None:
            raise StaleCredential
        rights = Rights(*(present[name] for name in RIGHTS)) if has_rights else NO_RIGHTS
        check_account(actor, present["state"], present["credential_epoch"], rights)
        if proof is not actor.proof:
            check_proof(connection, actor)
        return present
    present = lock_with(connection, account_id, actor, partial(_lock, connection, account_id, columns))
    if present is None:
        raise AccountNotFound
    return present


def _lock(
    connection: Connection, account_id: int, columns: Collection[str], proof: Proof | None = None
) -> dict[str, Any] | None:
    """None where the account is gone, or is to be deleted, or does not have the credential any more."""
    if proof is None:
        names, statement = _locking(tuple(sorted(columns)), None)
        values = statement.first(connection, account_id=account_id)
    else:
        names, statement = _locking(tuple(sorted(columns)), proof.kind)
        values = statement.first(connection, account_id=account_id, credential=proof.value)
    if values is None:
        return None
    present = dict(zip(names, values, strict=True))
    return present if present["deletion_asked"] is None else None


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
def _locking(columns: tuple[str, ...], kind: Kind | None) -> tuple[list[str], Prepared]:
    """
    :param kind: of the credential that the account must have; its row is locked after the account's, without
        which PostgreSQL would show it as it was before it waited
    """
    names = [*dict.fromkeys(("state", "credential_epoch", "deletion_asked", *columns))]
    statement = select(*(_table.c[name] for name in names)).where(_table.c.id == bindparam("account_id"))
    statement = statement.with_for_update(key_share=True, of=_table)
    if kind is not None:
        statement = statement.join(kind.table, and_(kind.account_id == _table.c.id, *kind.conditions))
        statement = statement.suffix_with(f"FOR KEY SHARE OF {kind.table.name}", dialect="postgresql")
    return names, Prepared(statement)


@lru_cache(_STATEMENTS)
def _changing(columns: tuple[str, ...]) -> PreparedUpdate:
    values = {name: bindparam(name, type_=_table.c[name].type) for name in columns}
    statement = update(Account).where(_table.c.id == bindparam("account_id"))
    return PreparedUpdate(statement.values(version=_table.c.version + 1, **values))
