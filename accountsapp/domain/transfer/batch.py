"""Writes a batch of account records inside one transaction: new accounts in bulk, changes one by one.

A record whose name, address or API key is another account's is refused; the others of its batch are written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError

from accountsapp.domain.clock import now
from accountsapp.domain.credentials.api_keys import sealed_key
from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey
from accountsapp.domain.data.locking import duplicate_of
from accountsapp.domain.data.models import (
    IS_TAKEN,
    NO_PENDING_EMAIL,
    Account,
    AccountState,
    Base,
    EmailAddress,
    Link,
)
from accountsapp.domain.data.prepared import PreparedForMany, PreparedInsert
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.errors import DomainError, InvalidValue
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules.api_keys import make_api_key
from accountsapp.domain.transfer import preference_records
from accountsapp.domain.transfer.known import Item, Known, KnownAccount
from accountsapp.domain.transfer.named_keys import remember_default, write_change, write_new
from accountsapp.domain.transfer.record import COLUMNS, AccountRecord, EmailRecord, columns

_accounts = Base.metadata.tables[Account.__tablename__]
_emails = Base.metadata.tables[EmailAddress.__tablename__]
_keys = Base.metadata.tables[ApiKey.__tablename__]
_links = Base.metadata.tables[Link.__tablename__]

_NEW: dict[str, Any] = {"version": 1, "credential_epoch": 0, "n_contributions": 0}
"""What every new account has."""
_INSERT_ACCOUNTS = PreparedInsert(
    _accounts, (*COLUMNS, "username_key", "password_hash", "state", "created", *_NEW)
)
_IDS = PreparedForMany(
    lambda names: select(_accounts.c.username_key, _accounts.c.id).where(_accounts.c.username_key.in_(names))
)
_INSERT_ADDRESSES = PreparedInsert(
    _emails, ("account_id", "address", "address_key", "verified", "is_primary", "created")
)
_INSERT_KEYS = PreparedInsert(_keys, ("account_id", "digest", "sealed", "secret_id", "created", "retiring"))
_WAITING = PreparedForMany(
    lambda keys: select(_accounts.c.id).where(
        _accounts.c.pending_email_key.in_(
            select(_emails.c.address_key).where(_emails.c.address_key.in_(keys), IS_TAKEN)
        )
    )
)
"""The accounts for which one of those addresses is pending that somebody has by now."""
_AWAITING = PreparedForMany(
    lambda keys: select(_accounts.c.id).where(_accounts.c.pending_email_key.in_(keys))
)
"""The accounts for which one of those addresses is pending."""
_CHANGE = update(_accounts).where(_accounts.c.id == bindparam("of")).values(version=_accounts.c.version + 1)
_CHANGE_EPOCH = _CHANGE.values(credential_epoch=_accounts.c.credential_epoch + 1)


@dataclass
class Result:
    """Of one batch; made anew when its transaction is tried again."""

    created: int = 0
    updated: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    """The accounts that were updated."""

    def refuse(self, item: Item, error: DomainError) -> None:
        self.refused.append((item.line, str(error)))


class BatchWriter:
    """
    :param most_keys: active named keys that an account may have
    :param update_existing: change accounts that exist; otherwise an existing username is refused
    """

    def __init__(self, keyring: Keyring, *, most_keys: int, update_existing: bool) -> None:
        self._keyring = keyring
        self._most_keys = most_keys
        self._update_existing = update_existing

    def write(self, connection: Connection, items: list[Item]) -> Result:
        """Write what can be written, in the order of the items.

        At first without safeguards; when somebody else is faster with a name, an address or a key, once
        more with a savepoint around each record.
        """
        self._lock_together(connection, items)
        if self._update_existing:  # it may deactivate, and take keys and rights away
            confirm_everywhere(connection)
        known = partial(Known, connection, items, for_update=self._update_existing)
        try:
            with connection.begin_nested():
                return self._write(items, _Attempt(connection, self._keyring, known()))
        except (IntegrityError, DataError):
            return self._write(items, _CarefulAttempt(connection, self._keyring, known()))

    def _lock_together(self, connection: Connection, items: list[Item]) -> None:
        """Lock the accounts that wait for an address of the batch, with those that are changed, in the order
        of their ids. There is seldom one; on SQLite who writes is alone anyway.
        """
        if connection.dialect.name != "postgresql":
            return
        keys = [key for item in items for key in item.addresses_by_key]
        waiting = [number for (number,) in _AWAITING.all(connection, keys)]
        if waiting:
            names = [item.username_key for item in items] if self._update_existing else []
            concerned = _accounts.c.id.in_(waiting) | _accounts.c.username_key.in_(names)
            locked = select(_accounts.c.id).where(concerned).order_by(_accounts.c.id)
            connection.execute(locked.with_for_update(key_share=True)).all()

    def _write(self, items: list[Item], attempt: "_Attempt") -> Result:
        known, result = attempt.known, attempt.result
        new: list[Item] = []
        for item in items:
            if known.is_pending(item) and self._update_existing:
                attempt.insert(new)
                new = []
            account = known.account(item)
            conflict = known.conflict(item, may_exist=self._update_existing, most_keys=self._most_keys)
            if conflict is not None:
                result.refuse(item, conflict)
            elif account is not None:
                attempt.change(item, account)
            elif not item.addresses:
                result.refused.append((item.line, "email: is required"))
            else:
                known.expect(item)
                new.append(item)
        attempt.insert(new)
        attempt.void_pending([key for item in items for key in item.addresses_by_key])
        return result


class _Attempt:
    """Writes a batch: as much as can be in one statement, and nothing at all if the database refuses one."""

    def __init__(self, connection: Connection, keyring: Keyring, known: Known) -> None:
        self.known = known
        self.result = Result()
        self._connection = connection
        self._keyring = keyring

    def insert(self, items: list[Item]) -> None:
        """Make the accounts of these records."""
        if not items:
            return
        written = self._insert_all(items)
        named_keys = write_new(
            self._connection,
            self._keyring,
            (
                (account_id, key)
                for item, (account_id, _) in zip(items, written, strict=True)
                for key in item.keys.named
            ),
        )
        self.result.created += len(items)
        for item, (account_id, digest) in zip(items, written, strict=True):
            state = _first_state(item.record)
            self.known.written(item, account_id, state, digest, named_keys.get(account_id, []))

    def change(self, item: Item, account: KnownAccount) -> None:
        """Change what the record names of an account that is there (and locked)."""
        change = _change_of(item, account, self.known.addresses_of(account.id))
        self._connection.execute(
            _CHANGE_EPOCH if change.ends_sessions else _CHANGE, {"of": account.id, **change.columns}
        )
        if change.addresses is not None:
            present = self.known.addresses_of(account.id)
            _change_addresses(self._connection, account.id, present, change.addresses)
        if change.ends_links:
            self._connection.execute(delete(_links).where(_links.c.account_id == account.id))
        preference_records.write(self._connection, [(account.id, item.record)], are_new=False)
        self._change_key(item, account.id)
        if item.keys.named:
            self._change_named_keys(item, account)
        account.state, account.password_hash = change.columns["state"], change.columns["password_hash"]
        self.known.changed(item, account, change.addresses)
        self.result.updated += 1
        self.result.changed.add(account.id)

    def void_pending(self, address_keys: list[str]) -> None:
        """An address that somebody has by now is not pending at another account any more."""
        waiting = [number for (number,) in _WAITING.all(self._connection, address_keys)]
        if waiting:
            is_waiting = _accounts.c.id.in_(waiting)
            self._connection.execute(update(_accounts).where(is_waiting).values(NO_PENDING_EMAIL))

    def _insert_all(self, items: list[Item]) -> list[tuple[int, bytes]]:
        """Returns the id and the default key's digest of each."""
        moment = now()
        rows = [
            {
                **columns(item.record),
                "username_key": item.username_key,
                "password_hash": item.password_hash,
                "state": _first_state(item.record),
                "created": moment,
                **_NEW,
            }
            for item in items
        ]
        _INSERT_ACCOUNTS.run(self._connection, rows)
        names = [item.username_key for item in items]
        ids: dict[str, int] = {row[0]: row[1] for row in _IDS.all(self._connection, names)}
        addresses = [
            {**_address_values(key, address), "account_id": ids[item.username_key], "created": moment}
            for item in items
            for key, address in item.addresses_by_key.items()
        ]
        _INSERT_ADDRESSES.run(self._connection, addresses)
        records = ((ids[item.username_key], item.record) for item in items)
        preference_records.write(self._connection, records, are_new=True)
        key_rows = [self._key_values(item, ids[item.username_key]) for item in items]
        _INSERT_KEYS.run(self._connection, key_rows)
        return [(row["account_id"], row["digest"]) for row in key_rows]

    def _key_values(self, item: Item, account_id: int) -> dict[str, Any]:
        api_key = item.record.api_key or make_api_key()
        return {
            "account_id": account_id,
            "created": now(),
            "retiring": False,
            **sealed_key(self._keyring, account_id, api_key),
        }

    def _change_key(self, item: Item, account_id: int) -> None:
        """Give the account the record's default key; another one that it had is remembered, and its row gone.

        The row of the same one, written by an older secret, stays: by it the key is looked at again when a
        change begins.
        """
        if item.record.api_key is None:
            return
        present = self.known.digest_of(account_id)
        if present == item.keys.default[0]:
            return
        is_former = and_(_keys.c.account_id == account_id, IS_DEFAULT)
        if present in item.keys.default:
            sealed = sealed_key(self._keyring, account_id, item.record.api_key)
            self._connection.execute(update(_keys).where(is_former), sealed)
            return
        if present is not None:
            remember_default(self._connection, self._keyring, account_id)
            self._connection.execute(delete(_keys).where(is_former))
        _INSERT_KEYS.run(self._connection, [self._key_values(item, account_id)])

    def _change_named_keys(self, item: Item, account: KnownAccount) -> None:
        change = self.known.key_change(item, account)
        after = write_change(self._connection, self._keyring, account.id, change)
        self.known.keys_changed(account, change, after)


class _CarefulAttempt(_Attempt):
    """Writes record by record: one that the database refuses is refused alone."""

    def insert(self, items: list[Item]) -> None:
        for item in items:
            with self._refusing(item):
                super().insert([item])

    def change(self, item: Item, account: KnownAccount) -> None:
        with self._refusing(item):
            super().change(item, account)

    @contextmanager
    def _refusing(self, item: Item) -> Iterator[None]:
        try:
            with self._connection.begin_nested():
                yield
        except (IntegrityError, DataError) as error:
            self.result.refuse(item, _refusal_of(error))


class _Change(NamedTuple):
    """What a record changes of an account.

    :ivar addresses: what it has then, folded; None if they stay
    """

    columns: dict[str, Any]
    addresses: dict[str, EmailRecord] | None
    ends_sessions: bool
    ends_links: bool


def _change_of(item: Item, account: KnownAccount, present: dict[str, EmailRecord]) -> _Change:
    keys = item.record.model_fields_set
    values = {name: value for name, value in columns(item.record).items() if name in keys}
    del values["username"]
    values["password_hash"] = item.password_hash or account.password_hash
    values["state"] = account.state
    if "activated" in keys:
        values["state"] = _next_state(account.state, activated=item.record.activated)
    is_locked = values["state"] == AccountState.DEACTIVATED != account.state
    ends_sessions = is_locked or values["password_hash"] != account.password_hash
    after = _addresses_after(present, item)
    ends_links = ends_sessions or after is not None
    if ends_links:
        values |= NO_PENDING_EMAIL
    return _Change(values, after, ends_sessions, ends_links)


def _addresses_after(present: dict[str, EmailRecord], item: Item) -> dict[str, EmailRecord] | None:
    """The addresses that the record means, folded; None when it changes none.

    ``email`` alone takes the place of the primary one; ``emails`` that of all.
    """
    if not item.addresses:
        return None
    after = item.addresses_by_key
    if item.record.email is not None:
        after = {key: address for key, address in present.items() if not address.primary} | after
    return after if after != present else None


def _change_addresses(
    connection: Connection, account_id: int, present: dict[str, EmailRecord], after: dict[str, EmailRecord]
) -> None:
    of_account = _emails.c.account_id == account_id
    former = [key for key in present if key not in after]
    if former:
        connection.execute(delete(_emails).where(of_account, _emails.c.address_key.in_(former)))
    # The present primary address must step down before another one can take its place.
    for key, address in sorted(after.items(), key=lambda pair: pair[1].primary):
        values = _address_values(key, address)
        if key not in present:
            connection.execute(insert(_emails), {"account_id": account_id, **values})
        elif address != present[key]:
            connection.execute(update(_emails).where(of_account, _emails.c.address_key == key), values)


def _address_values(key: str, address: EmailRecord) -> dict[str, Any]:
    return {
        "address": address.email,
        "address_key": key,
        "verified": address.verified,
        "is_primary": address.primary,
    }


def _first_state(record: AccountRecord) -> AccountState:
    if record.activated:
        return AccountState.ACTIVE
    return AccountState.PENDING if record.last_login is None else AccountState.DEACTIVATED


def _next_state(state: str, *, activated: bool) -> str:
    """A pending account stays pending; an active one that is switched off is locked: no code revives it."""
    if activated:
        return AccountState.ACTIVE
    return AccountState.DEACTIVATED if state == AccountState.ACTIVE else state


def _refusal_of(error: IntegrityError | DataError) -> DomainError:
    refusal = duplicate_of(error) if isinstance(error, IntegrityError) else None
    return refusal or InvalidValue("", "the database cannot store it")
