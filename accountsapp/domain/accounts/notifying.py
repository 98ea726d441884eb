"""What an account wants to be notified about: chosen by itself, or switched off from a mail."""

from collections.abc import Mapping

from sqlalchemy import Select, select

from accountsapp.domain.accounts.profile import record_edited
from accountsapp.domain.data.models import Account, AccountState, EmailAddress
from accountsapp.domain.errors import BadProof, InvalidValue
from accountsapp.domain.mailing import unsubscribing
from accountsapp.domain.rules.notifications import MANDATORY, Notification, notification, notifications
from accountsapp.domain.store import Store


def choose(store: Store, account_id: int, choices: Mapping[str, bool]) -> list[Notification]:
    """Switch kinds of notifications on or off; the others stay as they are.

    :param choices: by name, each one that :func:`check_optional` let pass
    :returns: all kinds after it
    :raises AccountNotFound: the account is gone
    """
    account = store.lock(account_id)
    _set(account, choices)
    store.session.flush()
    record_edited(store, account_id)
    return notifications(account.notifications)


def check_optional(name: str, field: str) -> None:
    """
    :param field: how the error calls it
    :raises InvalidValue: no such kind, or one that cannot be switched off
    """
    if name not in MANDATORY:
        raise InvalidValue(field, "There is no such notification.")
    if MANDATORY[name]:
        raise InvalidValue(field, "This notification is mandatory.")


def check_proof(store: Store, token: str, digest: str) -> int:
    """
    :param token: of a link that was mailed, with its ``digest``
    :returns: the id of the account that it is for
    :raises BadProof: it was not made by us, or no active account has that primary address
    """
    address_key = unsubscribing.check(store.keyring, token, digest)
    account_id: int | None = store.latest.scalar(_owner_of(address_key)) if address_key is not None else None
    if account_id is None:
        raise BadProof
    return account_id


def unsubscribe(store: Store, token: str, digest: str, name: str) -> Notification:
    """Switch one kind off, for who has a mail of it: without signing in, and as often as one likes.

    :raises BadProof: as :func:`check_proof`
    :raises InvalidValue: no such kind, or one that cannot be switched off
    """
    account_id = check_proof(store, token, digest)
    check_optional(name, "notification")
    account = store.lock(account_id)
    check_proof(store, token, digest)
    _set(account, {name: False})
    store.session.flush()
    return notification(account.notifications, name)


def _set(account: Account, choices: Mapping[str, bool]) -> None:
    changed = {name: enabled for name, enabled in choices.items() if _is_enabled(account, name) != enabled}
    if changed:
        account.notifications = {**account.notifications, **changed}


def _is_enabled(account: Account, name: str) -> bool:
    return notification(account.notifications, name).enabled


def _owner_of(address_key: str) -> Select[int]:
    is_it = (EmailAddress.address_key == address_key) & EmailAddress.primary
    is_active = Account.state == AccountState.ACTIVE
    return select(Account.id).join(EmailAddress).where(is_it, is_active)
