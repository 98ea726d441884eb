"""The default API key of an account: set, shown to its owner, reset."""

from typing import Any

from sqlalchemy import and_, not_, select

from accountsapp.domain.audit import Event
from accountsapp.domain.credentials import key_memory
from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey
from accountsapp.domain.data.key_digests import digests_of
from accountsapp.domain.data.locking import refusing_duplicates
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.reads import AccountRow, sealed_api_key
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.errors import (
    ApiKeyTaken,
    StaleCredential,
)
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules.api_keys import HASH_PURPOSE, hash_of, make_api_key
from accountsapp.domain.store import Store


def set_to(store: Store, account: Account, api_key: str) -> str:
    """Give a locked (or new) account its default key; an older one is dead with the commit.

    A new key is a new row: the row of a key is there as long as the key is good.

    :raises ApiKeyTaken: another account has it, or it is a named key of this one
    """
    _, *further = digests_of(store.keyring, api_key)
    is_own = and_(ApiKey.account_id == account.id, IS_DEFAULT)
    taken = select(ApiKey.account_id).where(ApiKey.digest.in_(further), not_(is_own))
    if store.session.scalar(taken) is not None:
        raise ApiKeyTaken
    former = _row(store, account.id)
    if former is not None:
        confirm_everywhere(store.session)
        store.session.delete(former)
        store.session.flush()
    sealed = sealed_key(store.keyring, account.id, api_key)
    with refusing_duplicates():
        store.session.add(ApiKey(account_id=account.id, **sealed))
        store.session.flush()
    return api_key


def owner_of(account_id: int) -> str:
    """The owner for whom an account's secrets are sealed."""
    return f"account:{account_id}"


def sealed_key(keyring: Keyring, account_id: int, api_key: str) -> dict[str, Any]:
    """Digest, seal and secret of a default key: what its row is found by and shown from."""
    return {
        "digest": keyring.digest(HASH_PURPOSE, hash_of(api_key)),
        "sealed": keyring.seal(owner_of(account_id), api_key),
        "secret_id": keyring.secret_id,
    }


def reveal(
    store: Store, row: AccountRow, presented: str | None = None, *, session: str | None = None
) -> str | None:
    """The account's API key in clear, for its owner.

    :param row: as it was when the owner was proved: who has lost the account since must not be shown the key
        that its owner has just made
    :param presented: the key that the caller holds, if that is its credential: who holds an old one must not
        be shown the one that has just replaced it
    :param session: the value of the session's cookie, if that is the caller's credential: it may have been
        ended alone, before the key was replaced
    :raises StaleCredential: ``presented`` is not the account's key any more, or the session was ended, or all
        credentials were
    """
    sealed = sealed_api_key(store.latest, row.id, row.credential_epoch, session)
    api_key = store.keyring.unseal(owner_of(row.id), sealed) if sealed is not None else None
    if presented is not None and api_key != presented:
        raise StaleCredential
    return api_key


def reset(store: Store, account_id: int, *, presented: str | None = None) -> str:
    """A new API key in place of the old one.

    :param presented: the key that the caller holds, if that is its credential: of any number of
        simultaneous resets with one key exactly one succeeds
    :returns: the new key
    :raises StaleCredential: ``presented`` is not the account's key any more, or the account is locked
    """
    account = store.lock(account_id)
    former = _row(store, account_id)
    if presented is not None and (
        former is None or former.digest not in digests_of(store.keyring, presented)
    ):
        raise StaleCredential
    if former is not None:
        _remember(store, former, presented)
    api_key = set_to(store, account, make_api_key())
    store.record(Event.API_KEY_RESET, account_id=account_id)
    store.notify(account, Notice.API_KEY_RESET)
    return api_key


def _row(store: Store, account_id: int) -> ApiKey | None:
    """The default key of a locked account as it is now."""
    statement = select(ApiKey).where(ApiKey.account_id == account_id, IS_DEFAULT)
    return store.session.scalar(statement.execution_options(populate_existing=True))


def _remember(store: Store, former: ApiKey, presented: str | None) -> None:
    """Remember a key that is being replaced, if a secret that is given opens it."""
    try:
        api_key = presented or store.keyring.unseal(owner_of(former.account_id), former.sealed)
    except SealError:
        return
    key_memory.remember_default(store.session, store.keyring, former.account_id, api_key)
