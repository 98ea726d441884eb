"""Signing in with a password: one operation for every API that takes one."""

from sqlalchemy import select, update

from accountsapp.domain import sessions
from accountsapp.domain.audit import Event
from accountsapp.domain.errors import InactiveAccount, StaleCredential, WrongPassword
from accountsapp.domain.folding import fold
from accountsapp.domain.locking import lock_active
from accountsapp.domain.models import Account, AccountState, EmailAddress
from accountsapp.domain.reads import AccountRow
from accountsapp.domain.store import Store
from accountsapp.domain.text import is_storable


def authenticate(store: Store, identifier: str, password: object, *, by_email: bool = True) -> AccountRow:
    """The active account with that name and password.

    Costs one bcrypt check whether or not the account exists; wrong ones are throttled by account and client
    address, for all doors together. A good hash of a lower cost is made anew.

    :param identifier: a username or, with ``by_email``, what a person typed: a primary or verified address,
        tried first, or a username, white space around it aside
    :raises WrongPassword: no such account, no password, or another one
    :raises InactiveAccount: the password is right, but the account is not active
    :raises TooManyAttempts: too many wrong ones
    :raises Busy: too many checks at once
    """
    row = _find(store, identifier, by_email)
    return _check(store, row, row.username_key if row else fold(identifier.strip()), password)


def authenticate_remembered(store: Store, username: str, password: str) -> AccountRow:
    """As :func:`authenticate`, by name alone, for a caller who presents the password with every request.

    One that was right less than a minute ago costs no check, and of simultaneous requests with one password
    one is checked for all.
    """
    row = _find(store, username, by_email=False)
    if row is None:
        return _check(store, None, fold(username), password)
    # Looked at first, or a password that is remembered could be guessed without end.
    store.throttle.check("password-address", store.client_address)
    store.throttle.check("password", row.username_key, store.client_address)
    if store.remembered.knows(row, password):
        return row
    with store.passwords.admission(), store.remembered.turn(row, password):
        if not store.remembered.knows(row, password):
            _check(store, row, row.username_key, password)
            store.remembered.remember(row, password)
    return row


def _check(store: Store, row: AccountRow | None, throttled_as: str, password: object) -> AccountRow:
    known_hash = store.reader.password_hash(row.id) if row is not None else None
    with store.throttle.guess(throttled_as, store.client_address):
        if not store.passwords.verify(password, known_hash) or row is None or known_hash is None:
            _record_failure(store, row)
            raise WrongPassword
    if row.state != AccountState.ACTIVE:
        _record_failure(store, row)
        raise InactiveAccount
    if isinstance(password, str) and store.passwords.needs_rehash(known_hash):
        _rehash(store, row, password, known_hash)
    return row


def sign_in(store: Store, row: AccountRow) -> str:
    """Begin a session for an account that just proved itself.

    :returns: the value of the session cookie
    :raises StaleCredential: it was locked, or its password changed, since it proved itself
    """
    account = lock_active(store.session, row.id)
    if account.credential_epoch != row.credential_epoch:
        raise StaleCredential
    store.record(Event.SIGNED_IN, account_id=row.id, actor_id=row.id)
    value = sessions.begin(store.session, account, store.client_address or None)
    store.session.flush()
    return value


def _find(store: Store, identifier: str, by_email: bool) -> AccountRow | None:
    if not is_storable(identifier):
        return None
    if not by_email:
        return store.reader.by_username(identifier)
    typed = identifier.strip()
    if "@" in typed:
        owner = store.connection.execute(
            select(EmailAddress.account_id).where(
                EmailAddress.address_key == fold(typed),
                EmailAddress.verified | EmailAddress.primary,
            )
        ).scalar()
        if owner is not None:
            return store.reader.by_id(owner)
    return store.reader.by_username(identifier) or store.reader.by_username(typed)


def _record_failure(store: Store, row: AccountRow | None) -> None:
    store.record_apart(Event.SIGN_IN_FAILED, account_id=row.id if row is not None else None)


def _rehash(store: Store, row: AccountRow, password: str, known_hash: str) -> None:
    stronger = store.passwords.hash(password)
    with store.begin() as session:
        session.execute(
            update(Account)
            .where(Account.id == row.id, Account.password_hash == known_hash)
            .values(password_hash=stronger)
        )
