"""Who has an e-mail address."""

from sqlalchemy import Connection, delete, select
from sqlalchemy.orm import Session

from accountsapp.domain.data.locking import lock_address
from accountsapp.domain.data.models import IS_TAKEN, Account, EmailAddress, Link
from accountsapp.domain.errors import EmailTaken
from accountsapp.domain.mailing import links
from accountsapp.domain.rules.emails import key_of, spellings_of


def owner_id(database: Connection | Session, address: str) -> int | None:
    """The id of the account that has the address as its primary or as a verified one."""
    statement = select(EmailAddress.account_id).where(EmailAddress.address_key == key_of(address), IS_TAKEN)
    account_id: int | None = database.scalar(statement)
    return account_id


def is_taken(database: Connection | Session, address: str, *, but: int | None = None) -> bool:
    """Whether another account has the address, as its primary, as a verified one, or as its username.

    :param but: the id of an account that may have it
    """
    if owner_id(database, address) not in (None, but):
        return True
    named = database.scalars(select(Account.id).where(Account.username_key.in_(spellings_of(address))))
    return any(account_id != but for account_id in named)


def check_free(database: Connection | Session, address: str, *, but: int | None = None) -> None:
    """
    :param but: the id of an account that may have the address
    :raises EmailTaken: :func:`is_taken`
    """
    if is_taken(database, address, but=but):
        raise EmailTaken


def drop_unproved_copies(session: Session, account_id: int, address_key: str) -> None:
    """An account has proved the address: unverified further copies on other accounts disappear, and so do the
    links that would prove them.

    Waits for those who claim it at this moment; who comes later finds it taken.
    """
    lock_address(session, address_key)
    links.void_proofs(session, [address_key], Link.account_id != account_id)
    session.execute(
        delete(EmailAddress)
        .where(
            EmailAddress.address_key == address_key,
            EmailAddress.account_id != account_id,
            ~IS_TAKEN,
        )
        .execution_options(synchronize_session=False)
    )
