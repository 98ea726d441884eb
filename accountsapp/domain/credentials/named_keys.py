"""The named keys of an account: one a device or a program, with less power, an end and a switch of its own.

None of this is for somebody whom a key has proved, but :func:`replace` and :func:`end`: for the key that he
holds and for no other.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import Connection, or_, select

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now, whole_second
from accountsapp.domain.credentials import key_memory
from accountsapp.domain.data.api_key_models import DEFAULT_FIRST, ApiKey
from accountsapp.domain.data.key_digests import digests_of, digests_of_hash
from accountsapp.domain.data.locking import refusing_duplicates
from accountsapp.domain.data.models import IS_THERE, Account
from accountsapp.domain.errors import KeyNameTaken, NotRotatable, StaleCredential, TooManyKeys, UnknownKey
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules import key_names, key_scopes
from accountsapp.domain.rules.api_keys import hash_of, make_api_key, shown_prefix
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.store import Store

DEFAULT_LIFETIME = timedelta(days=365)
SHORTEST_DAYS, LONGEST_DAYS = 1, 3650
"""Of a lifetime that is asked for."""
LONGEST_OVERLAP_HOURS = 168
LISTED = timedelta(days=30)
"""For which an expired key is still listed."""
REMINDER = timedelta(days=7)
"""How long before the end its owner is told."""

Row = ApiKey | sqlalchemy.Row[*tuple[Any, ...]]
"""A key, whole or as columns of that table."""


class KeyState(StrEnum):
    """What a named key is good for now."""

    ACTIVE = "active"
    RETIRING = "retiring"
    """Another key has taken its place; it works until it expires."""
    EXPIRED = "expired"


class By(StrEnum):
    """On which way something is done to a key, as events say it."""

    PAGE = "page"
    CLI = "cli"
    HOLDER = "holder"
    """By the key itself."""
    REPORT = "report"
    """Because somebody reported it as published."""


class NamedKey(NamedTuple):
    """What is shown of a named key."""

    id: str
    name: str
    scopes: tuple[str, ...] | None
    """In the order of :data:`key_scopes.SCOPES`; None for all that the account may."""
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    last_used_in: str | None
    prefix: str | None
    state: KeyState


class NewKey(NamedTuple):
    """A named key with the key itself, which nobody can be shown again."""

    key: NamedKey
    api_key: str


class Rotation(NamedTuple):
    """As :class:`NewKey`, and the key whose place it takes: its ``expires`` says when that one ends."""

    key: NamedKey
    api_key: str
    replaced: NamedKey


class KeyOwner(NamedTuple):
    """Whose a key is."""

    account_id: int
    key_id: str | None
    """None for the default key."""


def listing(connection: Connection, account_id: int) -> list[NamedKey]:
    """The named keys of an account, oldest first; expired ones for 30 days."""
    moment = now()
    columns = ApiKey.__table__.c
    statement = (
        select(ApiKey.__table__)
        .where(columns.account_id == account_id, columns.public_id.is_not(None))
        .where(or_(columns.expires.is_(None), columns.expires > moment - LISTED))
        .order_by(columns.created, columns.id)
    )
    return [_shown(row, moment) for row in connection.execute(statement)]


def whose(connection: Connection, keyring: Keyring, api_key: str) -> KeyOwner | None:
    """Whose a key is, a default or a named one, living or expired."""
    statement = (
        select(ApiKey.account_id, ApiKey.public_id)
        .join(Account, Account.id == ApiKey.account_id)
        .where(ApiKey.digest.in_(digests_of(keyring, api_key)), IS_THERE)
        .order_by(DEFAULT_FIRST)
    )
    row = connection.execute(statement).first()
    return KeyOwner._make(row) if row is not None else None


def add(
    store: Store,
    account_id: int,
    *,
    name: str,
    scopes: Collection[str] | None,
    lifetime: timedelta | None,
    by: By,
    most: int,
) -> NewKey:
    """Make a named key.

    :param scopes: in any order; None for all that the account may
    :param lifetime: None for no end
    :param most: active named keys that an account may have
    :raises InvalidValue: ``name`` or ``scopes``
    :raises KeyNameTaken: a living key of the account has that name, case aside
    :raises TooManyKeys: the account has ``most`` already
    :raises AccountNotFound: it is gone
    """
    name = key_names.parse(name)
    granted = key_scopes.ordered(scopes) if scopes is not None else None
    api_key, moment = make_api_key(), whole_second(now())
    row = _draft(store.keyring, account_id, api_key)
    row.name, row.scopes, row.created = name, key_scopes.stored(granted), moment
    row.expires = moment + lifetime if lifetime is not None else None
    row.remind_at = reminder_of(row.expires)
    account = store.lock(account_id)
    living = check_name_free(store, account_id, name)
    if sum(not other.retiring for other in living) >= most:
        raise TooManyKeys(most)
    _insert(store, row)
    store.record(Event.API_KEY_ADDED, account_id=account_id, key=row.public_id, by=by)
    store.notify(account, Notice.API_KEY_ADDED, name=name)
    return NewKey(_shown(row, moment), api_key)


def check_name_free(store: Store, account_id: int, name: str) -> Sequence[ApiKey]:
    """
    :returns: the living named keys of the account
    :raises KeyNameTaken: one of them has that name, case aside
    """
    moment = now()
    living = [other for other in _rows(store, account_id) if _state(other, moment) != KeyState.EXPIRED]
    if any(fold(other.name or "") == fold(name) for other in living):
        raise KeyNameTaken
    return living


def revoke(store: Store, account_id: int, key_id: str, by: By) -> NamedKey:
    """End a named key; it is dead with the commit.

    :raises UnknownKey: the account has none of that id
    :raises AccountNotFound: it is gone
    """
    store.lock(account_id)
    row = _row(store, account_id, key_id)
    shown = _shown(row, now())
    key_memory.remove_named(store.session, row)
    store.record(Event.API_KEY_REVOKED, account_id=account_id, key=key_id, by=by)
    return shown


def rotate(store: Store, account_id: int, key_id: str, overlap: timedelta, by: By) -> Rotation:
    """Make a key of the same name, scopes and lifetime in the place of another one.

    :param overlap: for which the other one works on; none at all ends it with the commit
    :raises UnknownKey: the account has none of that id
    :raises NotRotatable: it has expired or is retiring, or its name has a retiring key already
    :raises AccountNotFound: it is gone
    """
    api_key = make_api_key()
    row = _draft(store.keyring, account_id, api_key)
    account = store.lock(account_id)
    former, moment = _row(store, account_id, key_id), whole_second(now())
    if _state(former, moment) != KeyState.ACTIVE or _has_retiring_namesake(store, former, moment):
        raise NotRotatable
    row.name, row.scopes, row.created = former.name, former.scopes, moment
    row.expires = moment + (former.expires - former.created) if former.expires is not None else None
    row.remind_at = reminder_of(row.expires)
    end = moment + overlap
    former.expires = min(former.expires, end) if former.expires is not None else end
    former.retiring, former.remind_at = True, None
    replaced = _shown(former, moment)
    if not overlap:
        key_memory.remove_named(store.session, former)
    _insert(store, row)
    store.record(Event.API_KEY_ROTATED, account_id=account_id, key=key_id, new=row.public_id, by=by)
    store.notify(account, Notice.API_KEY_ROTATED, name=row.name)
    return Rotation(_shown(row, moment), api_key, replaced)


def replace(store: Store, account_id: int, presented: str) -> NewKey:
    """A new key in the place of the one that its holder presented, good for the same and until the same
    moment; the presented one is dead with the commit.

    :raises StaleCredential: it was ended or has expired since it was checked, or the account is locked
    """
    api_key = make_api_key()
    row = _draft(store.keyring, account_id, api_key)
    account = store.lock(account_id)
    former, moment = _presented(store, account_id, presented), whole_second(now())
    row.name, row.scopes, row.created = former.name, former.scopes, moment
    row.expires, row.retiring, row.remind_at = former.expires, former.retiring, former.remind_at
    key_memory.remove_named(store.session, former)
    _insert(store, row)
    store.record(
        Event.API_KEY_REPLACED,
        account_id=account_id,
        key=former.public_id,
        new=row.public_id,
        by=By.HOLDER,
    )
    store.notify(account, Notice.API_KEY_REPLACED, name=row.name)
    return NewKey(_shown(row, moment), api_key)


def end(store: Store, account_id: int, presented: str) -> NamedKey:
    """End the key that its holder presented; it is dead with the commit.

    :raises StaleCredential: it was ended or has expired since it was checked, or the account is locked
    """
    account = store.lock(account_id)
    row = _presented(store, account_id, presented)
    shown = _shown(row, now())
    key_memory.remove_named(store.session, row)
    store.record(Event.API_KEY_REVOKED, account_id=account_id, key=row.public_id, by=By.HOLDER)
    store.notify(account, Notice.API_KEY_ENDED, name=row.name)
    return shown


def reminder_of(expires: datetime | None) -> datetime | None:
    """When the owner of a key that is made now is told that it expires; None if he is not."""
    if expires is None or expires - REMINDER <= now():
        return None
    return expires - REMINDER


def make_key_id() -> str:
    """A new id of a named key, which says nothing of the key."""
    return secrets.token_hex(8)


def _draft(keyring: Keyring, account_id: int, api_key: str) -> ApiKey:
    return ApiKey(
        account_id=account_id,
        public_id=make_key_id(),
        prefix=shown_prefix(api_key),
        retiring=False,
        **key_memory.sealed_hash(keyring, account_id, hash_of(api_key)),
    )


def _insert(store: Store, row: ApiKey) -> None:
    store.session.add(row)
    with refusing_duplicates():
        store.session.flush()


def _rows(store: Store, account_id: int) -> Sequence[ApiKey]:
    """The named keys of a locked account as they are now."""
    statement = select(ApiKey).where(ApiKey.account_id == account_id, ApiKey.public_id.is_not(None))
    return store.session.scalars(statement.execution_options(populate_existing=True)).all()


def _row(store: Store, account_id: int, key_id: str) -> ApiKey:
    """
    :raises UnknownKey: there is none of that id that is listed
    """
    oldest = now() - LISTED
    for row in _rows(store, account_id):
        if row.public_id == key_id and (row.expires is None or row.expires > oldest):
            return row
    raise UnknownKey


def _presented(store: Store, account_id: int, presented: str) -> ApiKey:
    """
    :raises StaleCredential: it is no living named key of the account any more
    """
    digests, moment = digests_of_hash(store.keyring, hash_of(presented)), now()
    for row in _rows(store, account_id):
        if row.digest in digests and _state(row, moment) != KeyState.EXPIRED:
            return row
    raise StaleCredential


def _has_retiring_namesake(store: Store, row: ApiKey, moment: datetime) -> bool:
    return any(
        fold(other.name or "") == fold(row.name or "") and _state(other, moment) == KeyState.RETIRING
        for other in _rows(store, row.account_id)
    )


def _state(row: Row, moment: datetime) -> KeyState:
    if row.expires is not None and row.expires <= moment:
        return KeyState.EXPIRED
    return KeyState.RETIRING if row.retiring else KeyState.ACTIVE


def _shown(row: Row, moment: datetime) -> NamedKey:
    return NamedKey(
        id=row.public_id or "",
        name=row.name or "",
        scopes=key_scopes.of_stored(row.scopes),
        created=row.created,
        expires=row.expires,
        last_used=row.last_used,
        last_used_in=row.last_used_in,
        prefix=row.prefix,
        state=_state(row, moment),
    )
