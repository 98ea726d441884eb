"""Accounts: made, changed, locked and deleted, whatever the API.

Every change locks the account row first, re-reads it, checks, then changes. Nothing here commits.
"""

import secrets
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy import update as update_rows
from sqlalchemy.orm import Session

from accountsapp.domain import audit, keyring
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import sessions
from accountsapp.domain.data.locking import lock, lock_active, lock_address, refusing_duplicates
from accountsapp.domain.data.models import Account, AccountState, ApiKey, EmailAddress
from accountsapp.domain.data.reads import API_KEY, AccountRow, by_id, sealed_api_key
from accountsapp.domain.emails import changing, claims
from accountsapp.domain.errors import (
    AccountNotFound,
    ApiKeyTaken,
    EmailTaken,
    InvalidValue,
    StaleCredential,
    UsernameTaken,
    WrongPassword,
)
from accountsapp.domain.mailing import links, notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.text import has_control_characters
from accountsapp.domain.store import Store
from accountsapp.domain.unset import UNSET, Unset

LONGEST_NAME = 255


def parse_name(name: object) -> str | None:
    """A full name, trimmed; the empty one is None.

    :raises InvalidValue: not a string, over 255 characters, or control characters in it
    """
    if not isinstance(name, str):
        raise InvalidValue("name", "The name must be a text.")
    name = name.strip()
    if len(name) > LONGEST_NAME:
        raise InvalidValue("name", f"The name may have at most {LONGEST_NAME} characters.")
    if has_control_characters(name):
        raise InvalidValue("name", "The name has characters that are not allowed.")
    return name or None


def register(
    store: Store,
    username: str,
    email: str,
    *,
    name: str | None = None,
    password: str | None = None,
    api_key: str | None = None,
    verified: bool = False,
    state: AccountState = AccountState.ACTIVE,
    signup: datetime | None = None,
    event: Event = Event.REGISTERED,
    actor_id: int | None = None,
    **fields: Any,
) -> Account:
    """Make an account with an API key and one primary address.

    :param username: one that passed ``usernames.check_new`` (or another rule of the caller's)
    :param email: one that ``emails.parse`` gave
    :param password: one that passed ``Passwords.check``; hashed here, before anything is locked
    :param api_key: kept as given; made if absent
    :param event: how the audit names it
    :param actor_id: who does it, if it is another account
    :param fields: further columns of the account
    :raises UsernameTaken, EmailTaken, ApiKeyTaken: also when somebody else was faster
    """
    password_hash = store.passwords.hash(password) if password is not None else None
    session = store.session
    changing.lock_waiting(session, fold(email))
    lock_address(session, fold(email))
    _check_free(session, username, email)
    account = Account(
        username=username,
        username_key=fold(username),
        name=name,
        password_hash=password_hash,
        state=state,
        signup=signup or now(),
        **fields,
    )
    account.emails = [EmailAddress(address=email, address_key=fold(email), verified=verified, primary=True)]
    with refusing_duplicates():
        session.add(account)
        session.flush()
    set_api_key(store, account, api_key or keyring.make_api_key())
    changing.void_pending_of_others(store, account.id, fold(email))
    store.record(event, account_id=account.id, actor_id=actor_id)
    return account


def add_with_random_password(
    store: Store, username: str, email: str, *, actor_id: int
) -> tuple[AccountRow, str]:
    """Make an active account with a verified address, for an administrator; no mail.

    :returns: the account and its password, which is never shown again
    :raises UsernameTaken, EmailTaken: as :func:`register`
    """
    password = secrets.token_urlsafe(15)
    account = register(store, username, email, password=password, verified=True, actor_id=actor_id)
    claims.drop_unproved_copies(store.session, account.id, fold(email))
    return by_id(store.session.connection(), account.id), password


def _check_free(session: Session, username: str, email: str) -> None:
    if session.scalar(select(Account.id).where(Account.username_key == fold(username))) is not None:
        raise UsernameTaken
    if claims.owner_id(session, email) is not None:
        raise EmailTaken


def set_api_key(store: Store, account: Account, api_key: str) -> str:
    """Give a locked (or new) account its one API key; an older one is dead with the commit.

    :raises ApiKeyTaken: another account has it
    """
    present, *older = store.keyring.digests(API_KEY, api_key)
    taken = select(ApiKey.account_id).where(ApiKey.digest.in_(older), ApiKey.account_id != account.id)
    if older and store.session.scalar(taken) is not None:
        raise ApiKeyTaken
    sealed = {
        "digest": present,
        "sealed": store.keyring.seal(owner_of(account.id), api_key),
        "secret_id": store.keyring.secret_id,
        "created": now(),
    }
    with refusing_duplicates():
        if account.api_key is None:
            account.api_key = ApiKey(**sealed)
        else:
            for column, value in sealed.items():
                setattr(account.api_key, column, value)
        store.session.flush()
    return api_key


def owner_of(account_id: int) -> str:
    """The owner for whom an account's secrets are sealed."""
    return f"account:{account_id}"


def reveal_api_key(store: Store, row: AccountRow, presented: str | None = None) -> str | None:
    """The account's API key in clear, for its owner.

    :param presented: the key that the caller holds, if that is its credential: who holds an old one must not
        be shown the one that has just replaced it
    :raises StaleCredential: ``presented`` is not the account's key any more
    """
    sealed = sealed_api_key(store.latest, row.id)
    api_key = store.keyring.unseal(owner_of(row.id), sealed) if sealed is not None else None
    if presented is not None and api_key != presented:
        raise StaleCredential
    return api_key


def reset_api_key(store: Store, account_id: int, *, presented: str | None = None) -> str:
    """A new API key in place of the old one.

    :param presented: the key that the caller holds, if that is its credential: of any number of
        simultaneous resets with one key exactly one succeeds
    :returns: the new key
    :raises StaleCredential: ``presented`` is not the account's key any more, or the account is locked
    """
    account = lock_active(store.session, account_id)
    if presented is not None and (
        account.api_key is None or account.api_key.digest not in store.keyring.digests(API_KEY, presented)
    ):
        raise StaleCredential
    api_key = set_api_key(store, account, keyring.make_api_key())
    store.record(Event.API_KEY_RESET, account_id=account_id, actor_id=account_id)
    tell(store, account, Notice.API_KEY_RESET)
    return api_key


def update(
    store: Store, row: AccountRow, *, name: str | None | Unset = UNSET, email: str | Unset = UNSET
) -> AccountRow:
    """Change what was given of an account's name and address; a new address waits for its confirmation.

    :param row: the account as it was read
    :param name: one that ``parse_name`` gave
    :param email: one that ``emails.parse`` gave
    :returns: the account after it
    :raises TooManyAttempts: too many new addresses
    """
    changes_email = not isinstance(email, Unset) and changing.is_change(row, email)
    with store.throttle.counted("email-change", row.id) if changes_email else nullcontext():
        account = lock_active(store.session, row.id)
        if not isinstance(name, Unset):
            account.name = name
        if not isinstance(email, Unset):
            changing.ask(store, account, email)
        store.session.flush()
        return by_id(store.session.connection(), row.id)


def change_password(store: Store, account_id: int, *, current: object, new: object) -> AccountRow:
    """Change a password whose present one is known; ends sessions, mailed links and a pending address.

    bcrypt runs before the row is locked; the credential epoch, which every new password raises, must be the
    same then, so that of simultaneous changes one succeeds.

    :returns: the account after it
    :raises WeakPassword: the new one is refused
    :raises WrongPassword: the current one is wrong, or the account has none
    :raises TooManyAttempts: too many wrong ones
    """
    row = store.reader.by_id(account_id)
    if row is None:
        raise StaleCredential
    store.throttle.check("password", row.username_key, store.client_address)
    password = store.passwords.check(new, names=(row.username, row.email, row.awaited_email))
    known_hash = store.reader.password_hash(account_id)
    with store.throttle.guess(row.username_key, store.client_address):
        if not store.passwords.verify(current, known_hash):
            store.record_apart(Event.PASSWORD_WRONG, account_id=account_id, actor_id=account_id)
            raise WrongPassword
    new_hash = store.passwords.hash(password)
    account = lock_active(store.session, account_id)
    if account.credential_epoch != row.credential_epoch:
        store.session.rollback()
        store.record_apart(Event.PASSWORD_WRONG, account_id=account_id, actor_id=account_id)
        raise WrongPassword
    set_password_hash(store, account, new_hash)
    store.record(Event.PASSWORD_CHANGED, account_id=account_id, actor_id=account_id)
    tell(store, account, Notice.PASSWORD_CHANGED)
    store.session.flush()
    return by_id(store.session.connection(), account_id)


def set_password_hash(store: Store, account: Account, password_hash: str) -> None:
    """Put a new password into a locked account and end what the old one had opened."""
    account.password_hash = password_hash
    end_credentials(store, account)


def end_credentials(store: Store, account: Account) -> None:
    """End the sessions, mailed links and pending address of a locked account; its API key stays."""
    account.credential_epoch += 1
    changing.drop(store, account)
    links.void(store.session, account.id)
    sessions.end_all(store.session, account.id)


def tell(store: Store, account: Account, notice: Notice) -> None:
    """Queue a mail to the primary address that says what happened to the account."""
    notices.queue(
        store.session,
        store.keyring,
        notice,
        to=account.primary_email.address,
        account=account,
        username=account.username,
    )


def set_password(store: Store, account_id: int, password: object) -> None:
    """Set a password on the operator's word.

    :raises WeakPassword: it is refused
    """
    row = store.reader.by_id(account_id)
    if row is None:
        raise AccountNotFound
    password_hash = store.passwords.hash(
        store.passwords.check(password, names=(row.username, row.email, row.awaited_email))
    )
    set_password_hash(store, lock(store.session, account_id), password_hash)
    store.record(Event.PASSWORD_CHANGED, account_id=account_id)


def activate(store: Store, account_id: int) -> None:
    """Let a pending or deactivated account sign in."""
    lock(store.session, account_id).state = AccountState.ACTIVE
    store.record(Event.ACTIVATED, account_id=account_id)


def deactivate(store: Store, account_id: int) -> None:
    """Lock an account: its sessions and mailed links end, its key is refused until it is active again."""
    account = lock(store.session, account_id)
    account.state = AccountState.DEACTIVATED
    end_credentials(store, account)
    store.record(Event.DEACTIVATED, account_id=account_id)


def delete(store: Store, account_id: int, *, actor_id: int | None = None) -> None:
    """Remove an account and all that is its own; the name and the addresses are free again.

    What is kept tells nothing of a person: audit rows without account and client address.

    :param actor_id: the administrator who does it, if somebody else does
    """
    session = store.session
    account = lock(session, account_id, wholly=True)
    session.execute(
        update_rows(Account).where(Account.invited_by == account.username).values(invited_by=None)
    )
    audit.forget_addresses(session, account_id)
    session.delete(account)
    # Whoever deletes his own account leaves no address; an administrator does.
    address = store.client_address if actor_id is not None else None
    audit.record(session, Event.DELETED, actor_id=actor_id, address=address, was=account_id)
    session.flush()
