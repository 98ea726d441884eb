"""Mailed one-time links: a random code of which only the hash is kept.

A code is bound to its purpose, its account, the address it was mailed to and the account's credential epoch.
It proves that spelling of the address, and no other one that is merely found under the same key.
Looking at it changes nothing (mail scanners open links); using it ends it.
"""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, select, update
from sqlalchemy.orm import Session

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, Link
from accountsapp.domain.data.reads import AccountRow, selection_of
from accountsapp.domain.data.removing import remove_some
from accountsapp.domain.job_handlers import clears
from accountsapp.domain.rules.digests import digest_of
from accountsapp.domain.rules.emails import key_of

ENDED = datetime(1970, 1, 1, tzinfo=UTC)
"""When a code expired that was used or voided and whose row is kept: long ago, whatever a clock says."""
ROW_LIFE = timedelta(days=60)
"""How long a code's row is kept at least: when the last was sent decides when a pending account is stale."""


class Purpose(StrEnum):
    """What a code is good for, and nothing else."""

    RESET = "reset"
    """Set a password; activates a pending account."""
    CHANGE_EMAIL = "change e-mail"
    """Make the pending address the primary one."""
    VERIFY_EMAIL = "verify e-mail"
    """Prove an address that the account has."""


class LinkRow(NamedTuple):
    """A living code and its account."""

    digest: bytes
    purpose: str
    address: str
    address_key: str
    account: AccountRow


def make(session: Session, account: Account, purpose: Purpose, address: str, seconds: float) -> str:
    """Make a code; an older one of the same purpose, account and (to verify) address is dead.

    :param address: where it is mailed to
    :param seconds: how long it works
    :returns: the code: 192 random bits, of ``A-Z a-z 0-9 - _``
    """
    older = delete(Link).where(Link.account_id == account.id, Link.purpose == purpose)
    if purpose is Purpose.VERIFY_EMAIL:
        older = older.where(Link.address_key == key_of(address))
    session.execute(older)
    code = secrets.token_urlsafe(24)
    session.add(
        Link(
            digest=digest_of(code),
            purpose=purpose,
            account_id=account.id,
            credential_epoch=account.credential_epoch,
            address=address,
            address_key=key_of(address),
            expires=now() + timedelta(seconds=seconds),
        )
    )
    session.flush()
    return code


_ACCOUNTS = selection_of(None)
_FIND: Select[Any] = _ACCOUNTS.statement.add_columns(
    Link.digest, Link.purpose, Link.address, Link.address_key, Link.expires
).join(
    Link,
    (Link.account_id == Account.id)
    & (Link.credential_epoch == Account.credential_epoch)
    & (Link.digest == bindparam("digest"))
    & (Link.purpose == bindparam("purpose")),
)


def find(connection: Connection, purpose: Purpose, code: str) -> LinkRow | None:
    """The living code of that purpose; uses nothing up."""
    row = connection.execute(_FIND, {"digest": digest_of(code), "purpose": purpose}).first()
    if row is None:
        return None
    digest, found_purpose, address, address_key, expires = _ACCOUNTS.after(row)
    if expires <= now():
        return None
    return LinkRow(digest, found_purpose, address, address_key, _ACCOUNTS.row(row))


def is_out(connection: Connection, account_id: int) -> bool:
    """Whether a code that proves an address of the account was mailed, works and was not used."""
    statement = (
        select(Link.id)
        .join(Account, Account.id == Link.account_id)
        .where(
            Link.account_id == account_id,
            Link.credential_epoch == Account.credential_epoch,
            Link.purpose.in_((Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)),
            Link.expires > now(),
        )
        .limit(1)
    )
    return connection.scalar(statement) is not None


def consume(session: Session, account: Account, link: LinkRow) -> bool:
    """Use a code of a locked account up.

    :returns: False if it was used, replaced or voided since it was found
    """
    if link.account.credential_epoch != account.credential_epoch:
        return False
    # By its digest: SQLite gives the id of a deleted row to the next one.
    used = update(Link).where(Link.digest == link.digest, Link.expires > ENDED).values(expires=ENDED)
    used = used.execution_options(synchronize_session=False)
    return session.scalar(used.returning(Link.id)) is not None


def void(session: Session, account_id: int, *purposes: Purpose) -> None:
    """End outstanding codes of the account, of those purposes or all.

    The rows of those that prove addresses stay: they say when an address was written to last.
    """
    voided = (Link.account_id == account_id, Link.purpose.in_(purposes or tuple(Purpose)))
    is_proof = Link.purpose == Purpose.VERIFY_EMAIL
    ending = update(Link).where(*voided, is_proof).values(expires=ENDED)
    session.execute(ending.execution_options(synchronize_session=False))
    session.execute(delete(Link).where(*voided, ~is_proof))


def void_proofs(session: Session, address_keys: Collection[str], account: ColumnElement[bool]) -> None:
    """End outstanding codes that prove one of these addresses; their rows stay, as with :func:`void`.

    :param account: of a :class:`Link`: on which accounts
    """
    ending = (
        update(Link)
        .where(Link.purpose == Purpose.VERIFY_EMAIL, Link.address_key.in_(address_keys), account)
        .values(expires=ENDED)
    )
    session.execute(ending.execution_options(synchronize_session=False))


@clears
def clear_old(session: Session) -> int:
    """Forget some codes that were made over 60 days ago and do not live any more (:func:`remove_some`)."""
    moment = now()
    return remove_some(session, Link, Link.created < moment - ROW_LIFE, Link.expires <= moment)
