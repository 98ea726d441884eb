"""A forgotten password, and the first one of an invited account (Bookie contract 2.2).

The mail with a code takes two jobs. The request queues the first one whether or not anybody has the address,
so its time tells nothing; the worker finds out, and only then queues the mail.
"""

import logging
from datetime import timedelta
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from accountsapp.domain import audit, jobs
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials.password_change import set_hash
from accountsapp.domain.data.locking import lock, lock_address, refusing_duplicates
from accountsapp.domain.data.models import Account, AccountState, EmailAddress, Job, JobState
from accountsapp.domain.emails import claims
from accountsapp.domain.errors import (
    AccountNotFound,
    DeadLink,
    InvalidUsername,
    TooManyAttempts,
    UsernameTaken,
)
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import LinkRow, Purpose
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules import emails, usernames
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.store import Store

log = logging.getLogger(__name__)

RECOVER = "recover"
"""The name of the job that answers a request for a code."""
SEALED_FOR = "recovery"


def path_of(username: str, code: str) -> str:
    """The path of the page where a code is used."""
    return f"/recovery/{quote(username, safe='')}/reset/{code}"


def ask(store: Store, email: object) -> None:
    """Ask for a code by mail.

    Whether anybody has the address is found out by the worker, so that the answer is the same for all and
    takes the same time. The account is not touched.

    :raises TooManyAttempts: too many requests from the client's address, malformed ones included
    :raises InvalidEmail: not an address
    """
    store.throttle.hit("recovery-address", store.client_address)
    parsed = emails.parse(email)
    counted, key = store.throttle.counted, fold(parsed)
    try:
        with counted("recovery-burst", key), counted("recovery-mail", key):
            payload = {**_seal(store.keyring, parsed), "address": store.client_address}
            jobs.enqueue(store.session, RECOVER, payload)
    except TooManyAttempts:
        log.info("a request for a code was not answered: too many for that address")


@handles(RECOVER)
def send_code(store: Store, job: LeasedJob) -> None:
    """Mail a code to the account whose primary address was named.

    Only to an active or a pending account: what the operator deactivated no code revives.
    """
    session, seconds = store.session, store.settings.links_expire
    email = store.keyring.unseal(SEALED_FOR, job.payload["email"])
    owner = session.scalar(
        select(EmailAddress.account_id).where(EmailAddress.address_key == fold(email), EmailAddress.primary)
    )
    if owner is None:
        return
    account = store.lock(owner)
    if account.state not in (AccountState.ACTIVE, AccountState.PENDING):
        return
    to = account.primary_email.address
    code = links.make(session, account, Purpose.RESET, to, seconds)
    audit.record(session, Event.RECOVERY_SENT, account_id=account.id, address=job.payload.get("address"))
    expires = now() + timedelta(seconds=seconds)
    store.notify(account, Notice.RESET_PASSWORD, path=path_of(account.username, code), expires=expires)


def reseal(session: Session, keyring: Keyring) -> int:
    """Seal anew, with the present secret, every request for a code that an older one sealed.

    Also one that was given up: the operator may have it tried again. One that no given secret opens stays.

    :returns: how many
    """
    kept = select(Job).where(Job.name == RECOVER, Job.state != JobState.DONE)
    resealed = 0
    for job in session.scalars(kept.with_for_update()):
        if job.payload["secret_id"] != keyring.secret_id:
            try:
                email = keyring.unseal(SEALED_FOR, job.payload["email"])
            except SealError:
                continue
            job.payload = {**job.payload, **_seal(keyring, email)}
            resealed += 1
    return resealed


def _seal(keyring: Keyring, email: str) -> dict[str, str]:
    return {"secret_id": keyring.secret_id, "email": keyring.seal(SEALED_FOR, email)}


def find(store: Store, username: object, code: object) -> LinkRow | None:
    """The living code of the account of that name, mailed to what is still its primary address."""
    if not isinstance(username, str) or not isinstance(code, str):
        return None
    link = links.find(store.connection, Purpose.RESET, code)
    if link is None or link.account.username_key != fold(username):
        return None
    if link.account.state == AccountState.DEACTIVATED:
        return None
    return link if fold(link.account.email) == link.address_key else None


def reset(
    store: Store,
    username: object,
    code: object,
    password: object,
    *,
    new_username: object = None,
) -> str:
    """Set a password by a mailed code: the account is active, its address proved, its sessions end.

    A refusal does not use the code up.

    :param new_username: for a pending account, which was made with its address as name
    :returns: the account's username after it
    :raises WeakPassword: the password is refused
    :raises DeadLink: unknown account, or a code that is not good
    :raises InvalidUsername, UsernameTaken: the new name cannot be had
    """
    store.passwords.check(password, names=(username if isinstance(username, str) else None,))
    link = find(store, username, code)
    if link is None:
        raise DeadLink
    checked = store.passwords.check(
        password, names=(link.account.username, link.account.email, link.account.awaited_email)
    )
    name = None
    if new_username not in (None, ""):
        if link.account.state != AccountState.PENDING:
            raise InvalidUsername("Only an invited account may choose its user name here")
        name = usernames.check_chosen(new_username)
        store.passwords.check(checked, names=(name,))
    password_hash = store.passwords.hash(checked)
    session = store.session
    try:
        account = lock(session, link.account.id)
    except AccountNotFound:
        raise DeadLink from None
    lock_address(session, account.primary_email.address_key)
    if account.state == AccountState.DEACTIVATED or not links.consume(session, account, link):
        raise DeadLink
    store.actor_id = account.id  # who has the code reads the mail of the account
    if name is not None and account.state == AccountState.PENDING:
        _rename(store, account, name)
    set_hash(store, account, password_hash)
    account.state = AccountState.ACTIVE
    account.primary_email.verified = True
    claims.drop_unproved_copies(session, account.id, account.primary_email.address_key)
    store.record(Event.PASSWORD_RESET, account_id=account.id)
    store.notify(account, Notice.PASSWORD_CHANGED)
    session.flush()
    return account.username


def _rename(store: Store, account: Account, username: str) -> None:
    key = fold(username)
    taken = store.session.scalar(
        select(Account.id).where(Account.username_key == key, Account.id != account.id)
    )
    if taken is not None:
        raise UsernameTaken
    account.username, account.username_key = username, key
    with refusing_duplicates():
        store.session.flush()
