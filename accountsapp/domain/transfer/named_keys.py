"""What an import makes of the keys of an account, and how the named ones are written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from accountsapp.domain.clock import now, whole_second
from accountsapp.domain.credentials.api_keys import owner_of
from accountsapp.domain.credentials.key_memory import sealed_hash
from accountsapp.domain.credentials.named_keys import make_key_id, reminder_of
from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey, EndedApiKey
from accountsapp.domain.data.key_digests import digests_of, digests_of_hash
from accountsapp.domain.data.models import Base
from accountsapp.domain.data.prepared import PreparedInsert
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.rules import key_scopes
from accountsapp.domain.rules.api_keys import hash_of, shown_prefix
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.transfer.key_records import KeyRecord, retiring_of

_keys = Base.metadata.tables[ApiKey.__tablename__]
_ended = Base.metadata.tables[EndedApiKey.__tablename__]

_INSERT = PreparedInsert(
    _keys,
    (
        "account_id",
        "public_id",
        "prefix",
        "name",
        "scopes",
        "created",
        "expires",
        "retiring",
        "remind_at",
        "digest",
        "sealed",
        "secret_id",
    ),
)
_UPDATE = update(_keys).where(_keys.c.digest == bindparam("of_digest"))
_REMEMBER = insert(_ended)


class PresentKey(NamedTuple):
    """A named key that an account has; its digest is its identity."""

    digest: bytes
    sealed: str
    secret_id: str
    name_key: str
    expires: datetime | None
    retiring: bool

    def is_living(self, moment: datetime) -> bool:
        return self.expires is None or self.expires > moment

    def is_active(self, moment: datetime) -> bool:
        return self.is_living(moment) and not self.retiring


@dataclass(frozen=True)
class GivenKey:
    """A named key of a record, with its secret.

    :ivar key_hash: SHA-256 of the key, in lower-case hex
    :ivar digests: those that a row of it may have, the one that is written first
    :ivar retiring: whether it is the old half of a rotation
    """

    record: KeyRecord
    key_hash: str
    digests: list[bytes]
    retiring: bool

    def is_active(self, moment: datetime) -> bool:
        return self.record.is_living(moment) and not self.retiring


class GivenKeys(NamedTuple):
    """The keys of a record.

    :ivar default: the digests that a row of its default key may have, as :attr:`GivenKey.digests`; none where
        a key is to be made
    :ivar named: those that have a secret
    """

    default: list[bytes]
    named: list[GivenKey]

    @property
    def named_digests(self) -> list[bytes]:
        """Those of the named ones."""
        return [digest for key in self.named for digest in key.digests]


def given_keys(keyring: Keyring, default: str | None, records: list[KeyRecord]) -> GivenKeys:
    """
    :param default: the default key in clear
    """
    digests = digests_of(keyring, default) if default is not None else []
    if not records:
        return GivenKeys(digests, [])
    retiring = retiring_of(records, now())
    named = [
        GivenKey(
            record,
            key_hash,
            digests_of(keyring, record.api_key)
            if record.api_key is not None
            else digests_of_hash(keyring, key_hash),
            any(record is other for other in retiring),
        )
        for record in records
        if (key_hash := record.key_hash) is not None
    ]
    return GivenKeys(digests, named)


@dataclass(frozen=True)
class KeyChange:
    """What becomes of the named keys of an account.

    :ivar kept: stay as they are
    :ivar removed: living ones whose name another one has now
    :ivar changed: present ones that are given once more
    :ivar added: new ones
    """

    kept: list[PresentKey]
    removed: list[PresentKey]
    changed: list[tuple[PresentKey, GivenKey]]
    added: list[GivenKey]

    def exceeds(self, most: int) -> bool:
        """Whether more keys than so many are active after it, and more than before it."""
        moment = now()
        ended = sum(key.is_active(moment) for key in (*self.removed, *(key for key, _ in self.changed)))
        begun = sum(key.is_active(moment) for key in (*self.added, *(key for _, key in self.changed)))
        unchanged = sum(key.is_active(moment) for key in self.kept)
        return unchanged + begun > most and begun > ended


def change_of(present: Sequence[PresentKey], keys: Iterable[GivenKey]) -> KeyChange:
    """What the given keys make of those that an account has."""
    moment = now()
    by_digest = {digest: key for key in keys for digest in key.digests}
    names = {key.record.name_key for key in keys}
    changed = [(key, by_digest[key.digest]) for key in present if key.digest in by_digest]
    others = [key for key in present if key.digest not in by_digest]
    removed = [key for key in others if key.is_living(moment) and key.name_key in names]
    return KeyChange(
        kept=[key for key in others if key not in removed],
        removed=removed,
        changed=changed,
        added=[key for key in keys if not any(key is again for _, again in changed)],
    )


def read_present(connection: Connection, account_ids: Sequence[int]) -> dict[int, list[PresentKey]]:
    """The named keys of accounts."""
    present: dict[int, list[PresentKey]] = {account_id: [] for account_id in account_ids}
    columns = (
        _keys.c.digest,
        _keys.c.sealed,
        _keys.c.secret_id,
        _keys.c.name,
        _keys.c.expires,
        _keys.c.retiring,
    )
    statement = select(_keys.c.account_id, *columns).where(
        _keys.c.account_id.in_(account_ids), _keys.c.public_id.is_not(None)
    )
    for account_id, digest, sealed, secret_id, name, *rest in connection.execute(statement):
        present[account_id].append(PresentKey(digest, sealed, secret_id, fold(name), *rest))
    return present


def write_new(
    connection: Connection, keyring: Keyring, keys: Iterable[tuple[int, GivenKey]]
) -> dict[int, list[PresentKey]]:
    """Insert keys of accounts.

    :returns: the same, by account
    """
    rows = [_row(keyring, account_id, key) for account_id, key in keys]
    _INSERT.run(connection, rows)
    present: dict[int, list[PresentKey]] = {}
    for row in rows:
        present.setdefault(row["account_id"], []).append(_present(row))
    return present


def write_change(
    connection: Connection, keyring: Keyring, account_id: int, change: KeyChange
) -> list[PresentKey]:
    """Write what becomes of the keys of a locked account; those that are removed are remembered.

    :returns: what the account has after it
    """
    if change.removed:
        digests = [key.digest for key in change.removed]
        connection.execute(delete(_keys).where(_keys.c.account_id == account_id, _keys.c.digest.in_(digests)))
        ended = {"account_id": account_id, "ended": now()}
        connection.execute(
            _REMEMBER,
            [
                {**ended, "digest": key.digest, "sealed": key.sealed, "secret_id": key.secret_id}
                for key in change.removed
            ],
        )
    after = list(change.kept)
    for present, entry in change.changed:
        values = _values(entry)
        connection.execute(_UPDATE, {"of_digest": present.digest, **values})
        after.append(
            present._replace(
                name_key=entry.record.name_key, expires=values["expires"], retiring=entry.retiring
            )
        )
    added = write_new(connection, keyring, ((account_id, entry) for entry in change.added))
    return after + added.get(account_id, [])


def remember_default(connection: Connection, keyring: Keyring, account_id: int) -> None:
    """Remember the default key of a locked account, which is replaced, if a secret that is given opens it."""
    sealed = connection.scalar(select(_keys.c.sealed).where(_keys.c.account_id == account_id, IS_DEFAULT))
    try:
        api_key = keyring.unseal(owner_of(account_id), sealed or "")
    except SealError:
        return
    values = sealed_hash(keyring, account_id, hash_of(api_key))
    connection.execute(_REMEMBER, {"account_id": account_id, "ended": now(), **values})


def _row(keyring: Keyring, account_id: int, entry: GivenKey) -> dict[str, Any]:
    api_key = entry.record.api_key
    return {
        "account_id": account_id,
        "public_id": make_key_id(),
        "prefix": shown_prefix(api_key) if api_key is not None else None,
        **_values(entry),
        **sealed_hash(keyring, account_id, entry.key_hash),
    }


def _values(entry: GivenKey) -> dict[str, Any]:
    """The columns that a record sets."""
    record = entry.record
    expires = whole_second(record.expires) if record.expires is not None else None
    scopes = tuple(record.scopes) if record.scopes is not None else None
    return {
        "name": record.name,
        "scopes": key_scopes.stored(scopes),
        "created": whole_second(record.created or now()),
        "expires": expires,
        "retiring": entry.retiring,
        "remind_at": reminder_of(expires) if not entry.retiring else None,
    }


def _present(row: dict[str, Any]) -> PresentKey:
    return PresentKey(
        row["digest"], row["sealed"], row["secret_id"], fold(row["name"]), row["expires"], row["retiring"]
    )
