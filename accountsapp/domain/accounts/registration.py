"""An account is made."""

import secrets
from typing import Any

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import api_keys
from accountsapp.domain.data.locking import lock_address, refusing_duplicates
from accountsapp.domain.data.models import Account, EmailAddress
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.data.usernames import check_username_free
from accountsapp.domain.emails import changing, claims
from accountsapp.domain.errors import InvalidEmail
from accountsapp.domain.rules.api_keys import make_api_key
from accountsapp.domain.rules.emails import key_of, parse
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.store import Store

NOBODYS = ""
"""The key of no address, for which nobody waits."""


def begin(store: Store, email: object) -> None:
    """The first step of making an account for somebody else: who does it is looked at again
    (:meth:`Store.check_actor`), and locked together with the accounts that wait for its address.

    :param email: as a client sent it; one that is none is told later
    """
    try:
        address_key = key_of(parse(email))
    except InvalidEmail:
        address_key = NOBODYS
    changing.lock_waiting(store, address_key)
    store.check_actor()


def register(
    store: Store,
    username: str,
    email: str,
    *,
    password: str | None = None,
    password_hash: str | None = None,
    api_key: str | None = None,
    verified: bool = False,
    event: Event = Event.REGISTERED,
    **columns: Any,
) -> Account:
    """Make an account with an API key and one primary address.

    :param username: one that passed ``usernames.check_new`` (or another rule of the caller's)
    :param email: one that ``emails.parse`` gave
    :param password: one that passed ``Passwords.check``; hashed here, before anything is locked
    :param password_hash: of a password that was hashed before
    :param api_key: kept as given; made if absent
    :param event: how the audit names it
    :param columns: further ones of the account
    :raises UsernameTaken, EmailTaken, ApiKeyTaken: also when somebody else was faster
    """
    if password is not None:
        password_hash = store.passwords.hash(password)
    session, address_key = store.session, key_of(email)
    changing.lock_waiting(store, address_key)
    lock_address(session, address_key)
    check_username_free(session, username)
    claims.check_free(session, email)
    account = Account(
        username=username,
        username_key=fold(username),
        password_hash=password_hash,
        **{"signup": now(), **columns},
    )
    account.emails = [EmailAddress(address=email, address_key=address_key, verified=verified, primary=True)]
    with refusing_duplicates():
        session.add(account)
        session.flush()
    api_keys.set_to(store, account, api_key or make_api_key())
    changing.void_pending_of_others(store, account.id, address_key)
    store.record(event, account_id=account.id)
    return account


def add_with_random_password(store: Store, username: str, email: str) -> tuple[AccountRow, str]:
    """Make an active account with a verified address, for an administrator; no mail.

    :returns: the account and its password, which is never shown again
    :raises UsernameTaken, EmailTaken: as :func:`register`
    """
    password = secrets.token_urlsafe(15)
    password_hash = store.passwords.hash(password)
    begin(store, email)
    account = register(store, username, email, password_hash=password_hash, verified=True)
    claims.drop_unproved_copies(store.session, account.id, key_of(email))
    return store.reread(account.id), password
