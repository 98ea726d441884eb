"""What is remembered of accounts that came from another system, so that they can be taken again.

Of each value its digest is kept. So it is known what changed over there, and what changed here since.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, Base
from accountsapp.domain.data.moved_models import MovedAccount
from accountsapp.domain.data.prepared import PreparedForMany, PreparedInsert
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.transfer.fields import iso_text

if TYPE_CHECKING:
    from accountsapp.domain.transfer.record import AccountRecord

NAME_PURPOSE = "moved-name"
VALUE_PURPOSE = "moved-value"
"""Purposes under which digests of names and of secret values are made."""
SECRETS = frozenset({"password", "password_hash", "api_key", "api_keys"})
ADDRESSES = frozenset({"email", "emails"})
WHOLE = "row"
"""The key of the digest of a whole row."""
RARELY_SET = frozenset({"preferences", "social_links"})
"""Exported only where they are not empty."""

_sorted_json = json.JSONEncoder(sort_keys=True).encode

_accounts = Base.metadata.tables[Account.__tablename__]
_moved = Base.metadata.tables[MovedAccount.__tablename__]

_READ = PreparedForMany(
    lambda digests: select(
        _moved.c.digest, _moved.c.account_id, _moved.c.credential_epoch, _moved.c.fields
    ).where(_moved.c.digest.in_(digests))
)
_SOURCES = PreparedForMany(
    lambda names: (
        select(_accounts.c.username_key, _moved.c.source)
        .join(_moved, _moved.c.account_id == _accounts.c.id)
        .where(_accounts.c.username_key.in_(names))
    )
)
_WRITTEN = PreparedForMany(
    lambda names: select(_accounts.c.username_key, _accounts.c.id, _accounts.c.credential_epoch).where(
        _accounts.c.username_key.in_(names)
    )
)
_INSERT = PreparedInsert(_moved, ("digest", "source", "account_id", "credential_epoch", "fields", "moved"))
_FORGET = update(_moved).values(fields={})


@dataclass
class Moved:
    """An account that was taken before."""

    digest: bytes
    account_id: int | None
    credential_epoch: int
    fields: dict[str, str]


class Memory:
    """
    :param source: names the other system: the same name there is the same account here
    """

    def __init__(self, keyring: Keyring, source: str) -> None:
        self._keyring = keyring
        self._source = source

    def digests_of_name(self, username: object) -> list[bytes]:
        """Those under which an account of just that name can be remembered, the present one first."""
        return self._keyring.digests(NAME_PURPOSE, f"{self._source}\0{username}")

    def read(self, connection: Connection, digests: Iterable[bytes]) -> dict[bytes, Moved]:
        """What is remembered under some of these digests."""
        return {row[0]: Moved(*row) for row in _READ.all(connection, list(digests))}

    def is_marked(self, moved: Moved, text: bytes) -> bool:
        """Whether a row is just as it was when it was taken last.

        :param text: all of it
        """
        return moved.fields.get(WHOLE) in self._secret_digests(text.decode())

    def fields_of(self, record: "AccountRecord", text: bytes | None = None) -> dict[str, str]:
        """The digests of what a record says, by its key; one and several addresses are ``emails``.

        :param text: of the whole row, whose digest is to be among them
        """
        fields = {WHOLE: self._secret_digest(text.decode())} if text is not None else {}
        for key in record.model_fields_set:
            value = _stored(record, key)
            if key in ADDRESSES:
                fields["emails"] = _digest_of(_addresses_of(record))
            elif key in SECRETS:
                if value:
                    fields[key] = self._secret_digest(_json_of(record, key))
            elif value is not None:
                fields[key] = _digest_of(value)
        return fields

    def is_same(self, key: str, digest: str | None, value: Any) -> bool:
        """Whether a value, as a record in JSON has it, is the one of that digest; nothing is that of none."""
        if digest is None:
            return not value
        if value is None and key not in RARELY_SET:
            return False
        if key in SECRETS:
            return bool(value) and digest in self._secret_digests(value)
        if key in RARELY_SET:
            value = value or {}
        if key == "emails":
            value = [[item["email"], item["verified"], item["primary"]] for item in value]
        return digest == _digest_of(value)

    def _secret_digest(self, value: Any) -> str:
        return self._keyring.digest(VALUE_PURPOSE, _secret_text(value))[:8].hex()

    def _secret_digests(self, value: Any) -> list[str]:
        """Those that a value can have been remembered under, the one that is written first."""
        digests = self._keyring.digests(VALUE_PURPOSE, _secret_text(value))
        return [digest[:8].hex() for digest in digests]

    def changed_there(self, before: Mapping[str, str], record: "AccountRecord") -> dict[str, Any]:
        """The values of a record, as JSON has them, that are others than when it was taken last."""
        changed = {}
        fields = self.fields_of(record)
        for name in record.model_fields_set:
            key = "emails" if name in ADDRESSES else name
            if before.get(key) == fields.get(key):
                continue
            value = _json_of(record, key)
            if not self.is_same(key, before.get(key), value):
                changed[key] = value
        return changed

    def names_in_use(self, connection: Connection, username_keys: Iterable[str]) -> set[str]:
        """Which of these folded names are those of accounts that came from the same system."""
        sources = _SOURCES.all(connection, list(username_keys))
        return {username_key for username_key, source in sources if source == self._source}

    def write(self, connection: Connection, taken: Collection[Moved], *, known: Collection[bytes]) -> None:
        """Remember accounts that were taken.

        :param known: the digests of those that were remembered before
        """
        rows = [
            {
                "digest": item.digest,
                "source": self._source,
                "account_id": item.account_id,
                "credential_epoch": item.credential_epoch,
                "fields": item.fields,
                "moved": now(),
            }
            for item in taken
        ]
        _INSERT.run(connection, [row for row in rows if row["digest"] not in known])
        again = [{"of": row.pop("digest"), **row} for row in rows if row["digest"] in known]
        if again:
            connection.execute(update(_moved).where(_moved.c.digest == bindparam("of")), again)


def read_epochs(connection: Connection, account_ids: Collection[int]) -> dict[int, int]:
    """The credential epoch of accounts, which are locked."""
    statement = select(_accounts.c.id, _accounts.c.credential_epoch).where(_accounts.c.id.in_(account_ids))
    statement = statement.order_by(_accounts.c.id).with_for_update(key_share=True)
    return {row.id: row.credential_epoch for row in connection.execute(statement)}


def read_written(connection: Connection, username_keys: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Id and credential epoch of accounts by their folded names."""
    rows = _WRITTEN.all(connection, list(username_keys))
    return {username_key: (account_id, epoch) for username_key, account_id, epoch in rows}


def forget(session: Session, account_id: int) -> None:
    """Keep of an account that is being deleted no more than that it came from elsewhere and is gone."""
    session.execute(_FORGET.where(_moved.c.account_id == account_id))


def _secret_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _json_of(record: "AccountRecord", key: str) -> Any:
    """A value as an exported record has it."""
    if key == "emails":
        return [
            {"email": email, "verified": verified, "primary": primary}
            for email, verified, primary in _addresses_of(record)
        ]
    if key == "api_keys":
        return record.model_dump(mode="json", include={key})[key]
    value = _stored(record, key)
    return iso_text(value) if isinstance(value, datetime) else value


def _stored(record: "AccountRecord", key: str) -> Any:
    if key == "language_proficiencies":
        return [{"code": item.code} for item in record.language_proficiencies]
    return getattr(record, key)


def _addresses_of(record: "AccountRecord") -> list[list[Any]]:
    """In the order of an export."""
    ordered = record.addresses
    if len(ordered) > 1:
        ordered = sorted(ordered, key=lambda item: (not item.primary, key_of(item.email)))
    return [[item.email, item.verified, item.primary] for item in ordered]


def _digest_of(value: Any) -> str:
    if isinstance(value, str):
        text = value
    elif isinstance(value, datetime):
        text = iso_text(value)
    elif value is None or isinstance(value, int):
        text = f"\0{value}"
    else:
        text = f"\0{_sorted_json(value)}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
