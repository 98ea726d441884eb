"""Export: accounts as records (``docs/operate.rst``, "The account record"), streamed.

What is written here, :mod:`accountsapp.domain.transfer.importing` reads.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, or_, select

from accountsapp.domain.accounts import preferences
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials.api_keys import owner_of
from accountsapp.domain.credentials.key_memory import owner_of_hash
from accountsapp.domain.credentials.named_keys import LISTED
from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey
from accountsapp.domain.data.models import IS_THERE, Account, AccountState, Base, EmailAddress
from accountsapp.domain.errors import AccountNotFound
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules import key_scopes
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.privacy import Privacy
from accountsapp.domain.store import Store
from accountsapp.domain.transfer.fields import iso_text
from accountsapp.domain.transfer.record import COLUMNS

ACCOUNTS_AT_ONCE = 1000
"""Accounts read at once."""

_accounts = Base.metadata.tables[Account.__tablename__]
_emails = Base.metadata.tables[EmailAddress.__tablename__]
_keys = Base.metadata.tables[ApiKey.__tablename__]


def record_export(store: Store, account_ids: Collection[int]) -> None:
    """Record that secrets are exported, before the first one leaves.

    :param account_ids: of the accounts; none for all there are
    """
    if account_ids:
        for account_id in account_ids:
            store.record(Event.EXPORTED, account_id=account_id)
    else:
        store.record(Event.EXPORTED, accounts="all")


def export_all(engine: Engine, keyring: Keyring | None = None) -> Iterator[dict[str, Any]]:
    """Every account's record by id, all as they were at one moment.

    :param engine: gives autocommit connections
    :param keyring: adds the password hash, the default key in clear and the SHA-256 of the named ones; None
        leaves the secrets out
    :raises SealError: an API key was sealed under a secret that is not given any more
    """
    with _snapshot(engine) as connection:
        last = 0
        while rows := connection.execute(
            select(_accounts)
            .where(_accounts.c.id > last, IS_THERE)
            .order_by(_accounts.c.id)
            .limit(ACCOUNTS_AT_ONCE)
        ).all():
            yield from _records(connection, rows, keyring)
            last = rows[-1].id


def export_named(
    engine: Engine, usernames: Iterable[str], keyring: Keyring | None = None
) -> Iterator[dict[str, Any]]:
    """The records of these accounts, in this order, as :func:`export_all`; unknown names give none."""
    with _snapshot(engine) as connection:
        for username in usernames:
            statement = select(_accounts).where(_accounts.c.username_key == fold(username), IS_THERE)
            yield from _records(connection, connection.execute(statement).all(), keyring)


def export_one(connection: Connection, account_id: int) -> dict[str, Any]:
    """The record of an account, without secrets.

    :raises AccountNotFound: there is none of that id
    """
    rows = connection.execute(select(_accounts).where(_accounts.c.id == account_id, IS_THERE)).all()
    for record in _records(connection, rows, None):
        return record
    raise AccountNotFound


def export_some(
    connection: Connection, account_ids: Collection[int], keyring: Keyring
) -> dict[int, dict[str, Any]]:
    """The records of accounts with their secrets, by id; those that are gone are not among them."""
    statement = select(_accounts).where(_accounts.c.id.in_(account_ids), IS_THERE)
    rows = connection.execute(statement).all()
    return {row.id: record for row, record in zip(rows, _records(connection, rows, keyring), strict=True)}


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection on which every statement sees the same moment; it blocks no writer."""
    with engine.connect() as connection:
        begin = (
            "BEGIN" if engine.dialect.name == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )
        connection.exec_driver_sql(begin)
        try:
            yield connection
        finally:
            connection.exec_driver_sql("ROLLBACK")


def _records(connection: Connection, rows: Any, keyring: Keyring | None) -> Iterator[dict[str, Any]]:
    ids = [row.id for row in rows]
    addresses: dict[int, list[dict[str, Any]]] = {account_id: [] for account_id in ids}
    for row in connection.execute(
        select(_emails)
        .where(_emails.c.account_id.in_(ids))
        .order_by(_emails.c.is_primary.desc(), _emails.c.address_key)
    ):
        addresses[row.account_id].append(
            {"email": row.address, "verified": row.verified, "primary": row.is_primary}
        )
    named_keys = _named_keys(connection, ids, keyring)
    preferred = preferences.of_accounts(connection, ids)
    sealed: dict[int, str] = {}
    if keyring is not None:
        statement = select(_keys.c.account_id, _keys.c.sealed).where(_keys.c.account_id.in_(ids), IS_DEFAULT)
        sealed = {row.account_id: row.sealed for row in connection.execute(statement)}
    for row in rows:
        record = {key: _json(getattr(row, key)) for key in COLUMNS}
        if row.account_privacy == Privacy.CUSTOM:
            # A record has no place for what is shared field by field, so nothing is.
            record["account_privacy"] = Privacy.PRIVATE.value
        record["emails"] = addresses[row.id]
        record["activated"] = row.state == AccountState.ACTIVE
        record["api_keys"] = named_keys[row.id]
        rarely_set = {"preferences": preferred[row.id].values, "social_links": preferred[row.id].links}
        record |= {key: value for key, value in rarely_set.items() if value}
        portal_key = record.pop("ckan_api")
        if keyring is not None and portal_key is not None:
            record["ckan_api"] = portal_key
        if keyring is not None:
            if row.password_hash is not None:
                record["password_hash"] = row.password_hash
            if row.id in sealed:
                record["api_key"] = keyring.unseal(owner_of(row.id), sealed[row.id])
        yield record


def _named_keys(
    connection: Connection, account_ids: list[int], keyring: Keyring | None
) -> dict[int, list[dict[str, Any]]]:
    """The named keys of each account, oldest first, as long as they are listed."""
    statement = (
        select(_keys)
        .where(_keys.c.account_id.in_(account_ids), _keys.c.public_id.is_not(None))
        .where(or_(_keys.c.expires.is_(None), _keys.c.expires > now() - LISTED))
        .order_by(_keys.c.created, _keys.c.id)
    )
    records: dict[int, list[dict[str, Any]]] = {account_id: [] for account_id in account_ids}
    for row in connection.execute(statement):
        record = {
            "name": row.name,
            "scopes": key_scopes.of_stored(row.scopes),
            "created": iso_text(row.created),
            "expires": _json(row.expires),
        }
        if keyring is not None:
            record["key_sha256"] = keyring.unseal(owner_of_hash(row.account_id), row.sealed)
        records[row.account_id].append(record)
    return records


def _json(value: Any) -> Any:
    return iso_text(value) if isinstance(value, datetime) else value
