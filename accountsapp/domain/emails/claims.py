"""Who has an e-mail address."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from accountsapp.domain.data.locking import lock_address
from accountsapp.domain.data.models import EmailAddress
from accountsapp.domain.rules.folding import fold


def owner_id(session: Session, address: str) -> int | None:
    """The id of the account that has the address as its primary or as a verified one, case aside."""
    return session.scalar(
        select(EmailAddress.account_id).where(
            EmailAddress.address_key == fold(address),
            EmailAddress.verified | EmailAddress.primary,
        )
    )


def drop_unproved_copies(session: Session, account_id: int, address_key: str) -> None:
    """An account has proved the address: unverified further copies on other accounts disappear.

    Waits for those who claim it at this moment; who comes later finds it taken.
    """
    lock_address(session, address_key)
    session.execute(
        delete(EmailAddress)
        .where(
            EmailAddress.address_key == address_key,
            EmailAddress.account_id != account_id,
            ~EmailAddress.verified,
            ~EmailAddress.primary,
        )
        .execution_options(synchronize_session=False)
    )
