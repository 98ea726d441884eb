"""A new password, and what it ends."""

from accountsapp.domain.audit import Event
from accountsapp.domain.credentials import sessions
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.emails import changing
from accountsapp.domain.errors import (
    AccountNotFound,
    StaleCredential,
    WrongPassword,
)
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.store import Store


def change(store: Store, account_id: int, *, current: object, new: object) -> AccountRow:
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
    store.throttle.check("password", row.username_key, store.client_network)
    password = check_new(store, row, new)
    check_current(store, row, current)
    new_hash = store.passwords.hash(password)
    account = store.lock(account_id)
    if account.credential_epoch != row.credential_epoch:
        store.roll_back()
        store.record_apart(Event.PASSWORD_WRONG, account_id=account_id)
        raise WrongPassword
    set_hash(store, account, new_hash)
    store.record(Event.PASSWORD_CHANGED, account_id=account_id)
    store.notify(account, Notice.PASSWORD_CHANGED)
    return store.reread(account_id)


def check_new(store: Store, row: AccountRow, password: object) -> str:
    """
    :raises WeakPassword: it cannot be a new password of the account
    """
    return store.passwords.check(password, names=(row.username, row.email, row.awaited_email))


def check_current(store: Store, row: AccountRow, password: object) -> None:
    """
    :raises WrongPassword: it is not the account's present password, or there is none
    :raises TooManyAttempts: too many wrong ones
    """
    known_hash = store.reader.password_hash(row.id)
    with store.throttle.guess(row.username_key, store.client_network):
        if not store.passwords.verify(password, known_hash, store.client_network):
            store.record_apart(Event.PASSWORD_WRONG, account_id=row.id)
            raise WrongPassword


def change_in_session(
    store: Store, account_id: int, *, current: object, new: object, value: str, form: str
) -> str | None:
    """As :func:`change`, by somebody who is signed in: his own other sessions end, and this one gets a new
    value.

    :param value: of his session
    :param form: what forms of that session carry, hashed: they go on working
    :returns: the new value; None where the account is another one's, whose sessions are not the actor's
    """
    forms = [*sessions.former_forms(store.connection, value), form]
    change(store, account_id, current=current, new=new)
    if account_id != store.actor_id:
        return None
    account = store.lock(account_id)
    return sessions.replace(store.session, account, store.client_address or None, forms)


def set_hash(store: Store, account: Account, password_hash: str) -> None:
    """Put a new password into a locked account and end what the old one had opened."""
    account.password_hash = password_hash
    end_credentials(store, account)


def end_credentials(store: Store, account: Account) -> None:
    """End the sessions, mailed links and pending address of a locked account; its API key stays."""
    confirm_everywhere(store.session)
    account.credential_epoch += 1
    changing.drop(store, account)
    links.void(store.session, account.id)
    sessions.end_all(store.session, account.id)


def set_by_operator(store: Store, account_id: int, password: object) -> None:
    """Set a password on the operator's word; its owner is told.

    :raises WeakPassword: it is refused
    """
    row = store.reader.by_id(account_id)
    if row is None:
        raise AccountNotFound
    password_hash = store.passwords.hash(check_new(store, row, password))
    account = store.lock(account_id)
    set_hash(store, account, password_hash)
    store.record(Event.PASSWORD_CHANGED, account_id=account_id)
    store.notify(account, Notice.PASSWORD_CHANGED)
