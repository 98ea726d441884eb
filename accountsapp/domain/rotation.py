"""After a new first value of ``accountsapp.secret``: everything that an older one sealed is sealed anew.

Short batches, each row compared before it is set: sign-in goes on, a key that is reset meanwhile is not lost,
and what was interrupted is finished by running it again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from accountsapp.domain.credentials import jwt_keys, recovery
from accountsapp.domain.credentials.api_keys import owner_of
from accountsapp.domain.data.models import ApiKey, Base
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.mailing import notices
from accountsapp.domain.rules.api_keys import DIGEST_PURPOSE
from accountsapp.domain.store import Store
from accountsapp.domain.transfer.writing import Write

KEYS_AT_ONCE = 500

_keys = Base.metadata.tables[ApiKey.__tablename__]
_RESEAL = (
    update(_keys)
    .where(_keys.c.account_id == bindparam("of"), _keys.c.digest == bindparam("old_digest"))
    .values(digest=bindparam("new_digest"), sealed=bindparam("sealed"), secret_id=bindparam("secret_id"))
)


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
    for rows in _pages(store):
        changes = []
        for row in rows:
            try:
                changes.append(_resealed(store, row))
            except SealError:
                rotated.unreadable += 1
        if changes:
            rotated.api_keys += write(partial(_apply, changes=changes))
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


def _pages(store: Store) -> Iterator[Sequence[Any]]:
    last = 0
    while True:
        rows = store.connection.execute(
            select(_keys.c.account_id, _keys.c.digest, _keys.c.sealed)
            .where(_keys.c.secret_id != store.keyring.secret_id, _keys.c.account_id > last)
            .order_by(_keys.c.account_id)
            .limit(KEYS_AT_ONCE)
        ).all()
        if not rows:
            return
        yield rows
        last = rows[-1].account_id


def _resealed(store: Store, row: Any) -> dict[str, Any]:
    owner = owner_of(row.account_id)
    api_key = store.keyring.unseal(owner, row.sealed)
    return {
        "of": row.account_id,
        "old_digest": row.digest,
        "new_digest": store.keyring.digest(DIGEST_PURPOSE, api_key),
        "sealed": store.keyring.seal(owner, api_key),
        "secret_id": store.keyring.secret_id,
    }


def _apply(connection: Connection, changes: list[dict[str, Any]]) -> int:
    return connection.execute(_RESEAL, changes).rowcount
