"""The places where an account is signed in, for its owner to see and to end."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, select

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import sessions
from accountsapp.domain.credentials.sessions import LIFE_UNUSED, LONGEST_LIFE
from accountsapp.domain.data.models import Account, SignInSession
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.rules.digests import digest_of
from accountsapp.domain.store import Store

MOST_LISTED = 100
"""Of one account, those that were used last."""


class OwnSession(NamedTuple):
    """One living session.

    :ivar last_used: to the hour (:data:`sessions.TOUCH_PAUSE`)
    :ivar address: the client's, when the session began
    :ivar is_current: whether it is the one that asks
    """

    id: int
    created: datetime
    last_used: datetime
    address: str | None
    is_current: bool


_LISTING = (
    select(
        SignInSession.id,
        SignInSession.created,
        SignInSession.last_used,
        SignInSession.address,
        (SignInSession.digest == bindparam("digest")).label("is_current"),
    )
    .join(Account, Account.id == SignInSession.account_id)
    .where(
        SignInSession.account_id == bindparam("account_id"),
        SignInSession.credential_epoch == Account.credential_epoch,
        SignInSession.last_used > bindparam("used_after"),
        SignInSession.created > bindparam("created_after"),
    )
    .order_by((SignInSession.digest == bindparam("digest")).desc(), SignInSession.last_used.desc())
    .order_by(SignInSession.id.desc())
    .limit(MOST_LISTED)
)


def listing(connection: Connection, account_id: int, value: str | None) -> list[OwnSession]:
    """The living sessions of the account: the one that asks, then the others by their last use.

    :param value: of the session cookie that asks
    """
    moment = now()
    values = {
        "account_id": account_id,
        "digest": digest_of(value or ""),
        "used_after": moment - LIFE_UNUSED,
        "created_after": moment - LONGEST_LIFE,
    }
    return [OwnSession(*row) for row in connection.execute(_LISTING, values)]


def end(store: Store, account_id: int, session_id: int) -> None:
    """End one session of the account; an id that none of its sessions has changes nothing."""
    store.lock(account_id)
    confirm_everywhere(store.session)
    ended = delete(SignInSession).where(
        SignInSession.id == session_id, SignInSession.account_id == account_id
    )
    if store.session.scalar(ended.returning(SignInSession.id)) is not None:
        store.record(Event.SIGNED_OUT, account_id=account_id)


def end_others(store: Store, account_id: int, value: str) -> None:
    """End every session of the account but the one that asks.

    :param value: of its session cookie
    """
    store.lock(account_id)
    sessions.end_all(store.session, account_id, but=value)
    store.record(Event.SIGNED_OUT, account_id=account_id, which="others")
