"""Mails to those who have no password, with a link to set one: accounts that came from other systems.

Each is a job of its own, due a while after the one before. Who was mailed is a row, so that it can be asked
for again and again: everybody is mailed once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.orm import Session

from accountsapp.domain import jobs
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import IS_THERE, Account, AccountState, EmailAddress, Job, JobState
from accountsapp.domain.data.moved_models import PasswordInvitation
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules.emails import is_nowhere
from accountsapp.domain.store import Store

INVITE = "invite_to_set_password"
"""The name of the job."""
LINK_LIFE = timedelta(days=7)
ACCOUNTS_AT_ONCE = 500
INVITED_STATES = (AccountState.ACTIVE, AccountState.PENDING)

Begin = Callable[[], Any]
"""Begins a transaction and gives its store."""


@dataclass
class Queued:
    """What was queued.

    :ivar mails: how many
    :ivar last: when the last one is due; None without any
    """

    mails: int = 0
    last: datetime | None = None


def invite_all(begin: Begin, *, per_hour: int, again: bool = False) -> Queued:
    """Queue a mail to everybody who can sign in, has no password and was not mailed yet.

    In transactions of some hundred: what was queued is queued if it ends in between.

    :param begin: begins a transaction, as a context that gives its store
    :param per_hour: how many are mailed in an hour, those included that wait already
    :param again: also to those whose last mail is older than its link lived
    """
    queued, after = Queued(), 0
    while True:
        with begin() as store:
            accounts = _accounts_without(store.connection, after, again=again)
            if not accounts:
                return queued
            after = accounts[-1][0]
            _queue(store, accounts, per_hour, queued)


def _accounts_without(connection: Connection, after: int, *, again: bool) -> list[tuple[int, str]]:
    """Id and primary address of the next accounts, by id."""
    is_new = PasswordInvitation.account_id.is_(None)
    statement = (
        select(Account.id, EmailAddress.address)
        .join(EmailAddress, EmailAddress.account_id == Account.id)
        .outerjoin(PasswordInvitation, PasswordInvitation.account_id == Account.id)
        .where(Account.id > after, Account.password_hash.is_(None), Account.state.in_(INVITED_STATES))
        .where(IS_THERE, EmailAddress.primary)
        .where(or_(is_new, PasswordInvitation.sent < now() - LINK_LIFE) if again else is_new)
        .order_by(Account.id)
        .limit(ACCOUNTS_AT_ONCE)
    )
    return [(account_id, address) for account_id, address in connection.execute(statement)]


def _queue(store: Store, accounts: list[tuple[int, str]], per_hour: int, queued: Queued) -> None:
    session = store.session
    reachable = [account_id for account_id, address in accounts if not is_nowhere(address)]
    waiting = set(
        session.scalars(
            select(Job.account_id).where(
                Job.name == INVITE, Job.state == JobState.QUEUED, Job.account_id.in_(reachable)
            )
        )
    )
    delay = _wait_of_last(session)
    for account_id in reachable:
        if account_id in waiting:
            continue
        delay += timedelta(hours=1) / per_hour
        jobs.enqueue(
            session, INVITE, {}, account_id=account_id, unique_key=f"{INVITE}:{account_id}", delay=delay
        )
        queued.mails += 1
        queued.last = now() + delay


def _wait_of_last(session: Session) -> timedelta:
    """How long from now the last mail that is queued waits."""
    last = session.scalar(
        select(func.max(Job.run_at)).where(Job.name == INVITE, Job.state == JobState.QUEUED)
    )
    return max(last - now(), timedelta()) if last is not None else timedelta()


@handles(INVITE)
def send(store: Store, job: LeasedJob) -> None:
    """Mail a link to an account that has no password still, and note that."""
    account = store.lock_if_there(job.account_id)
    if account is None:
        return
    if account.password_hash is not None or account.state not in INVITED_STATES:
        return
    seconds = LINK_LIFE.total_seconds()
    code = links.make(store.session, account, Purpose.RESET, account.primary_email.address, seconds)
    store.notify(account, Notice.SET_PASSWORD, code=code, expires=now() + LINK_LIFE)
    store.record(Event.RECOVERY_SENT, account_id=account.id)
    store.session.merge(PasswordInvitation(account_id=account.id, sent=now()))
