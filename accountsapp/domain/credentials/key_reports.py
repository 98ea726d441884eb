"""Keys that somebody found published: dead at once, their owners told."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import api_keys, key_memory
from accountsapp.domain.credentials.named_keys import By, whose
from accountsapp.domain.data import locking
from accountsapp.domain.data.api_key_models import ApiKey, EndedApiKey
from accountsapp.domain.data.key_digests import digests_of
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules.api_keys import hash_of, make_api_key
from accountsapp.domain.store import Store

DEFAULT = "default"
"""What events call the default key."""

TOKENS_AT_ONCE = 500
"""Looked up in one statement."""


def report_each(store: Store, findings: Sequence[tuple[str, str]]) -> list[bool]:
    """End the keys of ours among what was published, each in a transaction of its own: what a failure cuts
    short can be reported again.

    :param findings: what looks like a key, and where it was found (:func:`report`)
    :returns: for each whether it is a key of ours, or was one in the last 90 days
    """
    known = _known_among(store.connection, store.keyring, [token for token, _ in findings])
    return [token in known and _report_apart(store, token, url) for token, url in findings]


def _report_apart(store: Store, token: str, url: str) -> bool:
    with store.apart() as apart:
        return report(apart, token, url)


def _known_among(connection: Connection, keyring: Keyring, tokens: Sequence[str]) -> set[str]:
    """The tokens that are keys of somebody, or were: first those that are, so that none that is ended just
    now is missed.
    """
    known = set()
    for start in range(0, len(tokens), TOKENS_AT_ONCE):
        digests = {
            digest: token
            for token in tokens[start : start + TOKENS_AT_ONCE]
            for digest in digests_of(keyring, token)
        }
        for column in (ApiKey.digest, EndedApiKey.digest):
            rows = connection.scalars(select(column).where(column.in_(digests)))
            known |= {digests[digest] for digest in rows}
    return known


def report(store: Store, token: str, url: str) -> bool:
    """End a key of ours that was published, if it lives; the default one is replaced.

    :param url: where it was found, as the mail says it; empty where that is not known
    :returns: whether it is a living or expired key, or was one in the last 90 days
    """
    owner = whose(store.session.connection(), store.keyring, token)
    if owner is not None:
        account = locking.lock_if_there(store.session, owner.account_id)
        if account is None or account.deletion_asked is not None:
            return False
        row = _row(store, account, token)
        if row is not None:
            _end(store, account, row, token, url)
            return True
    return key_memory.was_ended(store.session, store.keyring, hash_of(token))


def _row(store: Store, account: Account, token: str) -> ApiKey | None:
    """The key as it is now that its account is locked."""
    statement = select(ApiKey).where(
        ApiKey.account_id == account.id, ApiKey.digest.in_(digests_of(store.keyring, token))
    )
    return store.session.scalar(statement.execution_options(populate_existing=True))


def _end(store: Store, account: Account, row: ApiKey, token: str, url: str) -> None:
    """End a key of a locked account, unless it has expired."""
    name = row.name
    if row.public_id is None:
        key_memory.remember_default(store.session, store.keyring, account.id, token)
        api_keys.set_to(store, account, make_api_key())
    elif row.expires is not None and row.expires <= now():
        return
    else:
        key_memory.remove_named(store.session, row)
    store.record(Event.API_KEY_LEAKED, account_id=account.id, key=row.public_id or DEFAULT, by=By.REPORT)
    if account.state == AccountState.ACTIVE:
        store.notify(account, Notice.API_KEY_LEAKED, name=name, url=url)
