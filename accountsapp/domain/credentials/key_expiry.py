"""Named keys that expire: their owners are told before, and a while after it they are gone."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from accountsapp.domain import jobs
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import key_memory
from accountsapp.domain.credentials.named_keys import LISTED
from accountsapp.domain.data import removing
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.job_handlers import clears, handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.store import Store

REMIND = "remind_of_expiring_key"
"""The name of the job."""


@clears
def queue_reminders(session: Session) -> int:
    """Queue a reminder of some keys that expire soon, once for each.

    :returns: how many; 0 when there is none left
    """
    due = (
        select(ApiKey)
        .where(ApiKey.remind_at.is_not(None), ApiKey.remind_at <= now())
        .limit(removing.ROWS_AT_ONCE)
        .with_for_update(skip_locked=True, of=ApiKey)
    )
    rows = session.scalars(due).all()
    for row in rows:
        row.remind_at = None
        jobs.enqueue(session, REMIND, {"key": row.id, "of": row.account_id}, account_id=row.account_id)
    session.flush()
    return len(rows)


@handles(REMIND)
def remind(store: Store, job: LeasedJob) -> None:
    """Tell the owner of a key that it expires, if both are active."""
    row = store.session.get(ApiKey, job.payload["key"])
    if row is None or row.retiring or row.expires is None or row.expires <= now():
        return
    account = store.session.get_one(Account, row.account_id)
    if account.state == AccountState.ACTIVE:
        store.notify(account, Notice.API_KEY_EXPIRING, name=row.name, expires=row.expires)


@clears
def clear_expired(session: Session) -> int:
    """Remove some named keys that expired over 30 days ago; it is remembered that there were any.

    :returns: how many; 0 when there is none left
    """
    # The accounts too: who deletes one locks it before its keys.
    statement = (
        select(ApiKey)
        .join(Account, Account.id == ApiKey.account_id)
        .where(ApiKey.expires <= now() - LISTED)
        .limit(removing.ROWS_AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True, of=[Account, ApiKey])
    )
    rows = session.scalars(statement).all()
    if rows:
        key_memory.remove_named(session, *rows)
    return len(rows)
