"""An account is activated, deactivated, deleted."""

from sqlalchemy import update

from accountsapp.domain import audit
from accountsapp.domain.activity import forgetting
from accountsapp.domain.audit import Event
from accountsapp.domain.credentials import password_change
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.pictures import keeping
from accountsapp.domain.store import Store


def activate(store: Store, account_id: int) -> None:
    """Let a pending or deactivated account sign in."""
    store.lock(account_id).state = AccountState.ACTIVE
    store.record(Event.ACTIVATED, account_id=account_id)


def deactivate(store: Store, account_id: int) -> None:
    """Lock an account: its sessions and mailed links end, its key is refused until it is active again."""
    account = store.lock(account_id)
    account.state = AccountState.DEACTIVATED
    password_change.end_credentials(store, account)
    store.record(Event.DEACTIVATED, account_id=account_id)


def delete(store: Store, account_id: int) -> None:
    """Remove an account and all that is its own; the name and the addresses are free again.

    What is kept tells nothing of a person: audit rows without account and client address.
    """
    session = store.session
    account = store.lock(account_id, wholly=True)
    session.execute(update(Account).where(Account.invited_by == account.username).values(invited_by=None))
    audit.forget_addresses(session, account_id)
    if account.picture is not None:
        keeping.ask_removal_of_all(session, account_id)
    forgetting.forget(session, account_id)
    session.delete(account)
    # Whoever deletes his own account leaves neither name nor address; an administrator does.
    actor_id = store.actor_id if store.actor_id != account_id else None
    address = store.client_address if actor_id is not None else None
    audit.record(session, Event.DELETED, actor_id=actor_id, address=address, **store.origin, was=account_id)
    session.flush()
