"""After a new first value of ``accountsapp.secret``: everything that an older one sealed is sealed anew.

Short batches, each row compared before it is set: sign-in goes on, a key that is reset meanwhile is not lost,
and what was interrupted is finished by running it again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, Table, Update, bindparam, literal, select, update

from accountsapp.domain.credentials import jwt_keys, recovery
from accountsapp.domain.credentials.api_keys import owner_of
from accountsapp.domain.credentials.key_memory import owner_of_hash, sealed_hash
from accountsapp.domain.data.api_key_models import ApiKey, EndedApiKey
from accountsapp.domain.data.models import Base
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.mailing import notices
from accountsapp.domain.rules.api_keys import DIGEST_PURPOSE
from accountsapp.domain.store import Store
from accountsapp.domain.transfer.writing import Write

KEYS_AT_ONCE = 500

_keys = Base.metadata.tables[ApiKey.__tablename__]
_ended = Base.metadata.tables[EndedApiKey.__tablename__]


@dataclass
class Rotated:
    """How many were sealed anew, and how many could not be: no given secret opens them."""

    api_keys: int = 0
    jwt_keys: int = 0
    mails: int = 0
    unreadable: int = 0


def rotate(store: Store, write: Write) -> Rotated:
    """Seal with the present secret whatever an older one sealed.

    :param store: its keyring has the present secret first and the older ones after it
    :param write: runs one transaction
    """
    rotated = Rotated()
    living = select(_keys.c.id, _keys.c.account_id, _keys.c.digest, _keys.c.sealed, _keys.c.public_id)
    rotated.api_keys, rotated.unreadable = _reseal_rows(store, write, _keys, living)
    # Nothing works by them, so they are not counted.
    ended = select(_ended.c.id, _ended.c.account_id, _ended.c.digest, _ended.c.sealed, literal("ended"))
    _reseal_rows(store, write, _ended, ended)
    resealed = jwt_keys.reseal(store)
    rotated.jwt_keys = resealed.keys
    rotated.unreadable += resealed.unreadable
    rotated.mails = notices.reseal(store.begin, store.keyring) + recovery.reseal(store.begin, store.keyring)
    return rotated


def opens_nothing(connection: Connection, keyring: Keyring) -> bool:
    """Whether API keys are stored, and none by a secret of the keyring: it belongs to other data."""
    ours = select(_keys.c.account_id).where(_keys.c.secret_id.in_(keyring.secret_ids)).limit(1)
    if connection.execute(ours).first() is not None:
        return False
    return connection.execute(select(_keys.c.account_id).limit(1)).first() is not None


def _reseal_rows(store: Store, write: Write, table: Table, rows_of: Select[Any]) -> tuple[int, int]:
    """Seal the rows of a table anew.

    :param rows_of: selects id, account, digest, seal, and the public id where the digest is that of a hash
    :returns: how many were, and how many no given secret opens
    """
    statement = (
        update(table)
        .where(table.c.id == bindparam("of"), table.c.digest == bindparam("old_digest"))
        .values(digest=bindparam("new_digest"), sealed=bindparam("sealed"), secret_id=bindparam("secret_id"))
    )
    resealed = unreadable = 0
    for rows in _pages(store, table, rows_of):
        changes = []
        for row in rows:
            try:
                changes.append(_resealed(store, *row))
            except SealError:
                unreadable += 1
        if changes:
            resealed += write(partial(_apply, statement=statement, changes=changes))
    return resealed, unreadable


def _pages(store: Store, table: Table, rows_of: Select[Any]) -> Iterator[Sequence[Any]]:
    last = 0
    while True:
        rows = store.connection.execute(
            rows_of.where(table.c.secret_id != store.keyring.secret_id, table.c.id > last)
            .order_by(table.c.id)
            .limit(KEYS_AT_ONCE)
        ).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _resealed(
    store: Store, row_id: int, account_id: int, digest: bytes, sealed: str, public_id: str | None
) -> dict[str, Any]:
    """
    :raises SealError: no given secret opens it
    """
    keyring = store.keyring
    if public_id is None:
        owner = owner_of(account_id)
        api_key = keyring.unseal(owner, sealed)
        values: dict[str, Any] = {
            "digest": keyring.digest(DIGEST_PURPOSE, api_key),
            "sealed": keyring.seal(owner, api_key),
            "secret_id": keyring.secret_id,
        }
    else:
        key_hash = keyring.unseal(owner_of_hash(account_id), sealed)
        values = sealed_hash(keyring, account_id, key_hash)
    return {"of": row_id, "old_digest": digest, "new_digest": values.pop("digest"), **values}


def _apply(connection: Connection, statement: Update, changes: list[dict[str, Any]]) -> int:
    return connection.execute(statement, changes).rowcount
