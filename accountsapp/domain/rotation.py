"""After a new first value of ``accountsapp.secret``: everything that an older one sealed is sealed anew.

Short batches, each row compared before it is set: sign-in goes on, a key that is reset meanwhile is not lost,
and what was interrupted is finished by running it again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Update,
    bindparam,
    literal,
    not_,
    or_,
    select,
    update,
)

from accountsapp.domain.credentials import jwt_keys, recovery
from accountsapp.domain.credentials.api_keys import owner_of
from accountsapp.domain.credentials.key_memory import owner_of_hash
from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey, EndedApiKey
from accountsapp.domain.data.key_digests import digests_of_hash
from accountsapp.domain.data.models import Base
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.mailing import notices
from accountsapp.domain.rules.api_keys import DIGEST_PURPOSE, HASH_PURPOSE, hash_of
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


def rotate(store: Store, write: Write, rotated: Rotated | None = None) -> Rotated:
    """Seal with the present secret whatever an older one sealed.

    :param store: its keyring has the present secret first and the older ones after it
    :param write: runs one transaction
    :param rotated: counts on while it goes on
    """
    rotated = rotated if rotated is not None else Rotated()
    # Of the default keys all are opened: what they are found by may be of before there were named ones.
    living = _rows_of(_keys, _keys.c.public_id).where(or_(_is_older(_keys, store.keyring), IS_DEFAULT))
    for resealed, unreadable in _reseal_rows(store, write, _keys, living):
        rotated.api_keys += resealed
        rotated.unreadable += unreadable
    # Nothing works by them, so they are not counted.
    ended = _rows_of(_ended, literal("ended")).where(_is_older(_ended, store.keyring))
    for _ in _reseal_rows(store, write, _ended, ended):
        continue
    jwts = jwt_keys.reseal(store)
    rotated.jwt_keys = jwts.keys
    rotated.unreadable += jwts.unreadable
    rotated.mails = notices.reseal(store.begin, store.keyring) + recovery.reseal(store.begin, store.keyring)
    return rotated


def opens_nothing(connection: Connection, keyring: Keyring) -> bool:
    """Whether API keys are stored, and none by a secret of the keyring: it belongs to other data."""
    ours = select(_keys.c.account_id).where(_keys.c.secret_id.in_(keyring.secret_ids)).limit(1)
    if connection.execute(ours).first() is not None:
        return False
    return connection.execute(select(_keys.c.account_id).limit(1)).first() is not None


def _is_older(table: Table, keyring: Keyring) -> ColumnElement[bool]:
    """Whether an older secret sealed the row."""
    return table.c.secret_id != keyring.secret_id


def _rows_of(table: Table, public_id: ColumnElement[str | None]) -> Select[Any]:
    """Selects the rows of a table.

    :param public_id: None where the key itself is sealed, not its hash
    """
    columns = (table.c.id, table.c.account_id, table.c.digest, table.c.sealed, table.c.secret_id)
    return select(*columns, public_id.label("public_id")).order_by(table.c.id).limit(KEYS_AT_ONCE)


def _reseal_rows(store: Store, write: Write, table: Table, rows_of: Select[Any]) -> Iterator[tuple[int, int]]:
    """Seal the rows of a table anew.

    :returns: after each batch, how many of it were, and how many of it no given secret opens
    """
    statement = (
        update(table)
        .where(table.c.id == bindparam("of"), table.c.digest == bindparam("old_digest"))
        .values(digest=bindparam("new_digest"), sealed=bindparam("sealed"), secret_id=bindparam("secret_id"))
    )
    for rows in _pages(store, table, rows_of):
        unreadable = 0
        opened = []
        for row in rows:
            try:
                opened.append(_open(store.keyring, row))
            except SealError:
                unreadable += 1
        changes = _changes(store, opened)
        resealed = write(partial(_apply, statement=statement, changes=changes)) if changes else 0
        yield resealed, unreadable


def _pages(store: Store, table: Table, rows_of: Select[Any]) -> Iterator[Sequence[Any]]:
    last = 0
    while rows := store.connection.execute(rows_of.where(table.c.id > last)).all():
        yield rows
        last = rows[-1].id


class _Opened(NamedTuple):
    """A row whose seal was opened.

    :ivar owner: for whom it was sealed
    :ivar value: what was sealed, a default key itself or the hash of another one
    :ivar key_hash: SHA-256 of the key in hex
    """

    row: Any
    owner: str
    value: str
    key_hash: str

    @property
    def is_default(self) -> bool:
        return self.row.public_id is None


def _open(keyring: Keyring, row: Any) -> _Opened:
    """
    :raises SealError: no given secret opens it
    """
    if row.public_id is None:
        owner = owner_of(row.account_id)
        api_key = keyring.unseal(owner, row.sealed)
        return _Opened(row, owner, api_key, hash_of(api_key))
    owner = owner_of_hash(row.account_id)
    key_hash = keyring.unseal(owner, row.sealed)
    return _Opened(row, owner, key_hash, key_hash)


def _changes(store: Store, keys: list[_Opened]) -> list[dict[str, Any]]:
    """What sets the rows that are not as they are to be."""
    keyring, changes = store.keyring, []
    named = _named_digests(store, [key for key in keys if key.is_default])
    for key in keys:
        if key.is_default and not named.isdisjoint(digests_of_hash(keyring, key.key_hash)):
            digest = keyring.digest(DIGEST_PURPOSE, key.value)
        else:
            digest = keyring.digest(HASH_PURPOSE, key.key_hash)
        if (key.row.secret_id, key.row.digest) != (keyring.secret_id, digest):
            sealed = keyring.seal(key.owner, key.value)
            changes.append(
                {
                    "of": key.row.id,
                    "old_digest": key.row.digest,
                    "new_digest": digest,
                    "sealed": sealed,
                    "secret_id": keyring.secret_id,
                }
            )
    return changes


def _named_digests(store: Store, keys: list[_Opened]) -> set[bytes]:
    """The digests of named keys that are the same strings as these default ones, which an import by hash can
    have brought about: each of the two goes on being found by its own.
    """
    digests = [digest for key in keys for digest in digests_of_hash(store.keyring, key.key_hash)]
    statement = select(_keys.c.digest).where(_keys.c.digest.in_(digests), not_(IS_DEFAULT))
    return set(store.connection.scalars(statement)) if digests else set()


def _apply(connection: Connection, statement: Update, changes: list[dict[str, Any]]) -> int:
    return connection.execute(statement, changes).rowcount
