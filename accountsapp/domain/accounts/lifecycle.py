"""An account is activated, deactivated, deleted."""

from collections.abc import Collection

from sqlalchemy import update

from accountsapp.domain import audit, jobs
from accountsapp.domain.activity import forgetting
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import password_change
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.errors import StaleCredential
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.pictures import keeping
from accountsapp.domain.rules.emails import is_nowhere
from accountsapp.domain.store import Store
from accountsapp.domain.transfer import archives, move_memory

DELETE_ACCOUNT = "delete_account"
"""The name of the job."""


def activate(store: Store, account_id: int) -> bool:
    """Let a pending or deactivated account sign in.

    :returns: whether it was none that may
    """
    account = store.lock(account_id)
    if account.state == AccountState.ACTIVE:
        return False
    account.state = AccountState.ACTIVE
    store.record(Event.ACTIVATED, account_id=account_id)
    return True


def deactivate(store: Store, account_id: int) -> bool:
    """Lock an account: its sessions and mailed links end, its key is refused until it is active again.

    :returns: whether it was not deactivated before
    """
    account = store.lock(account_id)
    if account.state == AccountState.DEACTIVATED:
        return False
    account.state = AccountState.DEACTIVATED
    password_change.end_credentials(store, account)
    store.record(Event.DEACTIVATED, account_id=account_id)
    return True


def ask_own_deletion(store: Store, row: AccountRow, password: object) -> None:
    """As :func:`ask_deletion`, of one's own account, on one's password.

    :raises WrongPassword: it is another one
    :raises TooManyAttempts: too many wrong ones
    :raises StaleCredential: the password was changed meanwhile
    """
    password_change.check_current(store, row, password)
    if store.lock(row.id).credential_epoch != row.credential_epoch:
        raise StaleCredential
    ask_deletion(store, row.id)


def ask_deletion(store: Store, account_id: int) -> None:
    """Have an account deleted by a job; at once its sessions end and nobody finds it any more.

    :raises AccountNotFound: it is gone, or that was asked for before
    :raises StaleCredential: the same, of the actor's own
    """
    account = store.lock(account_id)
    account.state = AccountState.DEACTIVATED
    account.deletion_asked = now()
    password_change.end_credentials(store, account)
    store.record(Event.DELETION_ASKED, account_id=account_id)
    actor_id = _other_actor(store, account_id)
    address = store.client_address if actor_id is not None else ""
    language = store.language_for(account_id)
    payload = {"of": account_id, "actor_id": actor_id, "address": address, "language": language}
    jobs.enqueue(store.session, DELETE_ACCOUNT, payload, account_id=account_id)


@handles(DELETE_ACCOUNT)
def delete_asked(store: Store, job: LeasedJob) -> None:
    """Erase an account whose deletion was asked for."""
    store.act_for(job.payload["actor_id"], job.payload["address"])
    store.language = job.payload.get("language")
    if store.actor_id not in _lock_concerned(store, job.payload["of"]):
        store.actor = None  # who asked for it has gone himself
    account = locking.lock_if_there(store.session, job.payload["of"], wholly=True)
    if account is not None:
        _tell(store, account)
        _erase(store, account)


def delete(store: Store, account_id: int) -> None:
    """Remove an account and all that is its own; name and addresses are free again, its owner is told.

    What is kept tells nothing of a person: audit rows without account and client address.
    """
    _lock_concerned(store, account_id)
    account = store.lock(account_id, wholly=True)
    _tell(store, account)
    _erase(store, account)


def delete_untold(store: Store, account_id: int) -> None:
    """As :func:`delete`, an account that nobody ever used: nobody is told.

    Who deletes several locks them together before (:func:`locking.lock_together`).
    """
    _erase(store, store.lock(account_id, wholly=True))


def _lock_concerned(store: Store, account_id: int) -> Collection[int]:
    """An account that is to be erased, those that it invited, and who erases it.

    :returns: the ids of those that are there
    """
    invited = locking.are_invited_by(account_id)
    return locking.lock_together(store.session, account_id, store.actor_id, besides=invited)


def _tell(store: Store, account: Account) -> None:
    if not is_nowhere(account.primary_email.address):
        store.notify(account, Notice.ACCOUNT_DELETED)


def _erase(store: Store, account: Account) -> None:
    session, account_id = store.session, account.id
    confirm_everywhere(session)
    session.execute(update(Account).where(Account.invited_by == account.username).values(invited_by=None))
    audit.forget_addresses(session, account_id)
    if account.picture is not None:
        keeping.ask_removal_of_all(session, account_id)
    archives.ask_removal_of_all(session, account_id)
    forgetting.forget(session, account_id)
    move_memory.forget(session, account_id)
    session.delete(account)
    actor_id = _other_actor(store, account_id)
    address = store.client_address if actor_id is not None else None
    audit.record(session, Event.DELETED, actor_id=actor_id, address=address, **store.origin, was=account_id)
    session.flush()


def _other_actor(store: Store, account_id: int) -> int | None:
    """Who deletes, where that is recorded: who deletes his own account leaves neither name nor address."""
    return store.actor_id if store.actor_id != account_id else None
