"""Keys with which the clients of an account sign tokens of their own (HMAC): one for each account.

A key has a public name and a secret. The secret is kept sealed and shown once. Like a session a key carries
the credential epoch of its account.
"""

import secrets
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.jwt_models import JwtKey, UsedJwt
from accountsapp.domain.data.locking import lock_active
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.prepared import Prepared
from accountsapp.domain.data.proofs import SIGNING_KEY, Proof
from accountsapp.domain.data.reads import AccountRow, Columns, selection_of
from accountsapp.domain.data.removing import remove_some
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.job_handlers import clears
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.rules.digests import digest_of
from accountsapp.domain.rules.text import is_storable
from accountsapp.domain.store import Store

SECRET_BYTES = 32
"""What RFC 7518 3.2 demands of a key for HMAC-SHA256; written as twice as many hex digits."""
KEYS_AT_ONCE = 500


class Issued(NamedTuple):
    """A new key, as its holder has to know it."""

    key: str
    secret: str


class SigningKey(NamedTuple):
    """A living key and its account, in whatever state.

    :ivar proof: by which it is looked at again
    """

    account: AccountRow
    secret: str
    proof: Proof


def issue(store: Store, account_id: int) -> Issued:
    """A new key for an active account; its older one is dead with the commit.

    :returns: the secret too, which is never shown again
    :raises AccountNotFound: the account is gone
    :raises StaleCredential: it is not active
    """
    session = store.session
    account = lock_active(session, account_id)
    confirm_everywhere(session)
    issued = Issued(f"user:{account_id}:{secrets.token_hex(8)}", secrets.token_hex(SECRET_BYTES))
    session.merge(
        JwtKey(
            account_id=account_id,
            key=issued.key,
            sealed=store.keyring.seal(_owner(account_id, issued.key), issued.secret),
            secret_id=store.keyring.secret_id,
            credential_epoch=account.credential_epoch,
            created=now(),
        )
    )
    store.record(Event.JWT_KEY_ISSUED, account_id=account_id)
    session.flush()
    return issued


def find(store: Store, key: str) -> SigningKey | None:
    """The living key of that name.

    :raises SealError: no given secret opens it
    """
    if not is_storable(key):
        return None
    values = _statement(store.columns).first(store.connection, key=key)
    if values is None:
        return None
    selection = selection_of(store.columns)
    account = selection.row(values)
    store.reader.remember(account)
    (sealed,) = selection.after(values)
    secret = store.keyring.unseal(_owner(account.id, key), sealed)
    return SigningKey(account, secret, Proof(SIGNING_KEY, key))


@cache
def _statement(columns: Columns | None) -> Prepared:
    accounts: Select[Any] = selection_of(columns).statement
    return Prepared(
        accounts.add_columns(JwtKey.sealed)
        .join(
            JwtKey,
            (JwtKey.account_id == Account.id) & (JwtKey.credential_epoch == Account.credential_epoch),
        )
        .where(JwtKey.key == bindparam("key"))
    )


def use_once(store: Store, key: str, token_id: str, *, until: datetime, by: str) -> bool:
    """Use a token that may be used once, in a transaction of its own, so that it stays used whatever becomes
    of the request.

    :param until: when the token has expired for everybody
    :param by: names the request, which may be tried again
    :returns: whether nobody else has used it
    """
    digest = digest_of(f"{key}\0{token_id}")
    try:
        with store.begin() as session:
            session.add(UsedJwt(digest=digest, used_by=by, expires=until))
    except IntegrityError:
        user = store.connection.scalar(select(UsedJwt.used_by).where(UsedJwt.digest == digest))
        return user == by
    return True


@clears
def clear_used(session: Session) -> int:
    """Forget some used tokens that have expired (:func:`remove_some`)."""
    return remove_some(session, UsedJwt, UsedJwt.expires < now())


class Resealed(NamedTuple):
    """How many keys were sealed anew, and how many no given secret opens."""

    keys: int
    unreadable: int


def reseal(store: Store) -> Resealed:
    """Seal with the present secret what an older one sealed, some hundred keys a transaction."""
    keyring, last, keys, unreadable = store.keyring, 0, 0, 0
    statement = select(JwtKey).where(JwtKey.secret_id != keyring.secret_id)
    statement = statement.order_by(JwtKey.account_id).limit(KEYS_AT_ONCE).with_for_update()
    while True:
        with store.begin() as session:
            rows = session.scalars(statement.where(JwtKey.account_id > last)).all()
            for row in rows:
                is_done = _reseal(keyring, row)
                keys, unreadable = keys + is_done, unreadable + (not is_done)
            if not rows:
                return Resealed(keys, unreadable)
            last = rows[-1].account_id


def _reseal(keyring: Keyring, row: JwtKey) -> bool:
    """Returns whether a secret that is given opens it."""
    owner = _owner(row.account_id, row.key)
    try:
        secret = keyring.unseal(owner, row.sealed)
    except SealError:
        return False
    row.sealed, row.secret_id = keyring.seal(owner, secret), keyring.secret_id
    return True


def _owner(account_id: int, key: str) -> str:
    """For whom a secret is sealed."""
    return f"jwt:{account_id}:{key}"
