"""Whose a username is, and giving an account another one."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from accountsapp.domain.data.locking import lock_address
from accountsapp.domain.data.models import IS_TAKEN, Account, EmailAddress
from accountsapp.domain.errors import UsernameTaken
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.rules.folding import fold


def check_username_free(session: Session, username: str, *, but: int | None = None) -> None:
    """
    :param but: the id of an account that may have the name
    :raises UsernameTaken: another account has it, case aside, or has it as its primary or a verified address
    """
    owner_id = session.scalar(select(Account.id).where(Account.username_key == fold(username)))
    if owner_id not in (None, but):
        raise UsernameTaken
    if "@" in username:
        key = key_of(username)
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
