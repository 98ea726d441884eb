"""A new e-mail address: asked for, pending, confirmed.

Until it is confirmed, sign-in and recovery go on with the old one, so a stolen key or a typing error
does not hand over the mailbox that resets the password.

The mail with the code takes two jobs. The request queues the first one whoever has the address, so its time
tells nothing; the worker finds out whether somebody has it, and only then queues the mail.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from accountsapp.domain import jobs
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.locking import lock_active, lock_address, lock_together, refusing_duplicates
from accountsapp.domain.data.models import NO_PENDING_EMAIL, Account, EmailAddress, Link
from accountsapp.domain.data.proofs import Actor
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.emails import claims
from accountsapp.domain.errors import DeadLink
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import LinkRow, Purpose
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.store import Store

CONFIRM = "confirm_email"
"""The name of the job that mails a code to the new address."""
SAME_REQUEST = timedelta(minutes=1)
"""Who asks again within it for the pending address has lost the answer or pressed twice: no other mail."""


def is_change(account: AccountRow, address: str) -> bool:
    """Whether the address is another one than the account shows now."""
    return key_of(address) != key_of(account.shown_email)


def may_ask_again(store: Store, account: AccountRow) -> bool:
    """Whether an address that waits was asked for long enough ago to be a request of its own."""
    expires = account.pending_email_expires
    if account.awaited_email is None or expires is None:
        return False
    return expires - timedelta(seconds=store.settings.links_expire) + SAME_REQUEST <= now()


def awaited(account: Account) -> str | None:
    """The address that was asked for, as long as its confirmation can still come."""
    expires = account.pending_email_expires
    return account.pending_email if expires is not None and expires > now() else None


def drop(store: Store, account: Account) -> None:
    """Forget the pending address of a locked account; its link is dead."""
    account.forget_pending_email()
    links.void(store.session, account.id, Purpose.CHANGE_EMAIL)


def ask(store: Store, account: AccountRow, address: str, *, again: bool = False) -> Mapping[str, Any]:
    """Ask for a new address of a locked account; where it becomes the pending one, :func:`announce` follows.

    The address shown now, in any case, changes nothing; the primary one drops the pending one.

    :param account: as it is now
    :param address: one that ``emails.parse`` gave
    :param again: whether the pending address, asked for once more, is mailed a new link in place of the older
    :returns: the columns that the account is to be given
    """
    if not again and not is_change(account, address):
        return {}
    links.void(store.session, account.id, Purpose.CHANGE_EMAIL)
    if key_of(address) == key_of(account.email):
        return NO_PENDING_EMAIL
    expires = now() + timedelta(seconds=store.settings.links_expire)
    return {
        "pending_email": address,
        "pending_email_key": key_of(address),
        "pending_email_expires": expires,
    }


def announce(store: Store, account: Account) -> None:
    """Tell a locked account at its primary address which one it asked for, and have that one mailed a code.

    Whether another account has it is found out by the worker, so that the answer is the same and takes the
    same time: then there is simply no link.
    """
    expires = account.pending_email_expires
    if expires is None:
        raise ValueError("no address is pending")
    store.record(Event.EMAIL_ASKED, account_id=account.id)
    store.notify(account, Notice.EMAIL_CHANGE_REQUESTED, new_address=account.pending_email)
    payload = {
        "until": expires.isoformat(),
        "code_pages": dict(store.code_pages),
        "language": store.language_for(account.id),
    }
    jobs.enqueue(store.session, CONFIRM, payload, account_id=account.id)


@handles(CONFIRM)
def send_link(store: Store, job: LeasedJob) -> None:
    """Mail a code to the new address, if the account still waits for it and nobody has it."""
    account = store.lock_if_there(job.account_id)
    if account is None:
        return
    address, until = awaited(account), account.pending_email_expires
    if address is None or until is None or until != datetime.fromisoformat(job.payload["until"]):
        return
    if claims.is_taken(store.session, address, but=account.id):
        return
    seconds = (until - now()).total_seconds()
    store.code_pages, store.language = job.payload.get("code_pages", {}), job.payload.get("language")
    code = links.make(store.session, account, Purpose.CHANGE_EMAIL, address, seconds)
    store.notify(account, Notice.CONFIRM_EMAIL, to=address, code=code, expires=until)


def find(store: Store, code: str) -> LinkRow | None:
    """The living code, if its account still waits for that address and nobody else has it."""
    link = links.find(store.connection, Purpose.CHANGE_EMAIL, code)
    if link is None or not link.account.awaited_email:
        return None
    if link.account.awaited_email != link.address:
        return None
    return link if not claims.is_taken(store.connection, link.address, but=link.account.id) else None


def confirm(store: Store, code: str) -> AccountRow:
    """Make the pending address the primary and verified one; the old one leaves the account.

    :returns: the account before it
    :raises DeadLink: the code is not good any more
    :raises EmailTaken: somebody else was faster
    """
    link = find(store, code)
    if link is None:
        raise DeadLink
    session = store.session
    lock_waiting(store, link.address_key, link.account.id)
    account = lock_active(session, link.account.id)
    store.actor = Actor(account.id)  # who has the code reads the mail of the account
    lock_address(session, link.address_key)
    address = awaited(account)
    if address != link.address or not links.consume(session, account, link):
        raise DeadLink
    claims.check_free(session, link.address, but=account.id)
    former_address = account.primary_email.address
    _replace_primary(session, account, link.address)
    account.forget_pending_email()
    links.void(session, account.id, Purpose.RESET, Purpose.CHANGE_EMAIL)
    dead_keys = (key_of(former_address), link.address_key)
    links.void_proofs(session, dead_keys, Link.account_id == account.id)
    void_pending_of_others(store, account.id, link.address_key)
    claims.drop_unproved_copies(session, account.id, link.address_key)
    store.record(Event.EMAIL_CHANGED, account_id=account.id)
    for to in (former_address, link.address):
        store.notify(account, Notice.EMAIL_CHANGED, to=to, new_address=link.address)
    return link.account


def _replace_primary(session: Session, account: Account, address: str) -> None:
    """The address, which may be a further one already, is the primary and a verified one, in the spelling
    that was proved; the old one goes.

    :raises EmailTaken: somebody else was faster
    """
    email = next((email for email in account.emails if email.address_key == key_of(address)), None)
    with refusing_duplicates():
        account.emails.remove(account.primary_email)
        session.flush()  # before the next one: at no time are there two
        if email is None:
            email = EmailAddress(address_key=key_of(address))
            account.emails.append(email)
        email.address = address
        email.primary = email.verified = True
        session.flush()


def lock_waiting(store: Store, address_key: str, account_id: int | None = None) -> None:
    """Lock the accounts that wait for the address (:func:`lock_together`): who takes it will write to all of
    them.

    :param account_id: of the one who takes it, if it is there
    """
    waiting = Account.pending_email_key == address_key
    lock_together(store.session, account_id, store.actor_id, besides=waiting)


def void_pending_of_others(store: Store, account_id: int, address_key: str) -> None:
    """An account has the address now: that others had asked for it is void, and so are their links."""
    others = Account.id.in_(
        select(Account.id).where(Account.pending_email_key == address_key, Account.id != account_id)
    )
    store.session.execute(
        delete(Link)
        .where(
            Link.purpose == Purpose.CHANGE_EMAIL,
            Link.account_id.in_(select(Account.id).where(others)),
        )
        .execution_options(synchronize_session=False)
    )
    store.session.execute(
        update(Account).where(others).values(NO_PENDING_EMAIL).execution_options(synchronize_session=False)
    )
