"""Whose a username is, and giving an account another one."""

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from accountsapp.domain.clock import now
from accountsapp.domain.data.locking import lock_address
from accountsapp.domain.data.models import IS_TAKEN, Account, EmailAddress
from accountsapp.domain.data.registration_models import PendingRegistration
from accountsapp.domain.errors import UsernameTaken
from accountsapp.domain.rules.emails import key_in_name
from accountsapp.domain.rules.folding import fold


def is_username_taken(database: Connection | Session, username: str, *, but: int | None = None) -> bool:
    """Whether another account has the name, case aside, or will have it when its registration is confirmed.

    :param but: the id of an account that may have the name
    """
    key = fold(username)
    if database.scalar(select(Account.id).where(Account.username_key == key)) not in (None, but):
        return True
    awaited = select(PendingRegistration.id).where(
        PendingRegistration.username_key == key, PendingRegistration.expires > now()
    )
    return database.scalar(awaited) is not None


def check_username_free(session: Session, username: str, *, but: int | None = None) -> None:
    """
    :param but: the id of an account that may have the name
    :raises UsernameTaken: it is taken, or another account has it as its primary or a verified address
    """
    if is_username_taken(session, username, but=but):
        raise UsernameTaken
    key = key_in_name(username)
    if key is not None:
        lock_address(session, key)
        is_owner = select(EmailAddress.account_id).where(EmailAddress.address_key == key, IS_TAKEN)
        if session.scalar(is_owner) not in (None, but):
            raise UsernameTaken


def set_username(session: Session, account: Account, username: str) -> None:
    """Give a locked account that name; the caller flushes, in ``refusing_duplicates``.

    :raises UsernameTaken: another account has it
    """
    check_username_free(session, username, but=account.id)
    account.username, account.username_key = username, fold(username)
