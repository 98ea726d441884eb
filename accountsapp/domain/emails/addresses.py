"""The e-mail addresses of an account: listed, added, proved, made primary, removed.

An unproved claim reserves nothing; who proves an address first has it, and unproved copies on other accounts
disappear. Every change locks the accounts it will write to, then the address, then all its rows, each in one
order, so that of simultaneous claims one wins and nobody waits in a circle.
"""

import logging
from contextlib import nullcontext
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, select

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.locking import lock_active, lock_address, refusing_duplicates
from accountsapp.domain.data.models import Account, EmailAddress, Link
from accountsapp.domain.data.proofs import Actor
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.emails import changing, claims, strangers
from accountsapp.domain.errors import (
    DeadLink,
    EmailNotFound,
    InvalidEmail,
    InvalidValue,
    TooManyAttempts,
)
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import LinkRow, Purpose
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.store import Store

log = logging.getLogger(__name__)

MOST_ADDRESSES = 20
"""Of an account."""
PROOF_LIFE = 24 * 3600
"""Seconds that a mailed code works."""
PROOF_PAUSE = timedelta(minutes=10)
"""Between two mails to one address, whoever claims it."""


class EmailRow(NamedTuple):
    """An address of an account."""

    address: str
    verified: bool
    primary: bool


class ProofAsked(NamedTuple):
    """Nothing was changed: the address must be proved first. It is sent a link, but not many."""

    address: str


_LISTING = (
    select(EmailAddress.address, EmailAddress.verified, EmailAddress.primary)
    .where(EmailAddress.account_id == bindparam("account_id"))
    .order_by(EmailAddress.primary.desc(), EmailAddress.id)
)


def listing(connection: Connection, account_id: int) -> list[EmailRow]:
    """The addresses of an account: the primary one first, then oldest first."""
    return [EmailRow._make(row) for row in connection.execute(_LISTING, {"account_id": account_id})]


def add(store: Store, account_id: int, address: str) -> EmailRow:
    """Claim an address: unverified, not primary, and without any mail.

    :param address: one that ``emails.parse`` gave
    :raises InvalidEmail: the account has it, or has too many
    :raises EmailTaken: another account has it
    """
    session = store.session
    account = store.lock(account_id)
    if any(email.address_key == key_of(address) for email in account.emails):
        raise InvalidEmail("You have that e-mail address already.")
    lock_address(session, key_of(address))
    claims.check_free(session, address)
    if len(account.emails) >= MOST_ADDRESSES:
        raise InvalidEmail(f"An account may have at most {MOST_ADDRESSES} e-mail addresses.")
    account.emails.append(EmailAddress(address=address, address_key=key_of(address)))
    session.flush()
    store.record(Event.EMAIL_ADDED, account_id=account_id)
    return EmailRow(address, verified=False, primary=False)


def change(
    store: Store, account_id: int, address: str, *, verify: bool, make_primary: bool, trusted: bool
) -> EmailRow | ProofAsked:
    """Declare an address proved, make it the primary one, or both; whole or not at all.

    :param trusted: whether the caller's word proves an address; without it the address is sent a link
    :returns: the address after it
    :raises EmailNotFound: it is not on the account
    :raises EmailTaken: it is to be verified, and another account has it
    :raises InvalidValue: it is to be primary, and is not verified
    :raises TooManyAttempts: too many mails to strangers
    """
    if verify:
        changing.lock_waiting(store, key_of(address), account_id)
    account = store.lock(account_id)
    email = _find_locked(store, account, address)
    if verify and not email.verified:
        claims.check_free(store.session, email.address, but=account.id)
        if not trusted:
            _ask_for_proof(store, account, email)
            return ProofAsked(email.address)
        if address.lower() != email.address.lower():
            email.address = address  # what was vouched for, and nothing else that has the same key
        _prove(store, account, email)
    if make_primary and not email.primary:
        if not email.verified:
            raise InvalidValue("primary", "Only a verified e-mail address can be the primary one.")
        _make_primary(store, account, email)
    return EmailRow(email.address, email.verified, email.primary)


def ask_to_prove_primary(store: Store, account_id: int) -> bool:
    """Mail a link to the primary address, unless it is proved, or was sent one a moment ago.

    :returns: whether it was still to be proved
    :raises TooManyAttempts: too many mails to strangers
    """
    account = store.lock(account_id)
    email = account.primary_email
    if email.verified:
        return False
    _ask_for_proof(store, account, email, store.settings.links_expire)
    return True


def remove(store: Store, account_id: int, address: str) -> None:
    """Take an address from an account.

    :raises EmailNotFound: it is not on the account
    :raises InvalidEmail: it is the primary one
    """
    session = store.session
    account = store.lock(account_id)
    email = _find(account, address)
    if email.primary:
        raise InvalidEmail("The primary e-mail address cannot be removed.")
    account.emails.remove(email)
    links.void_proofs(session, [email.address_key], Link.account_id == account_id)
    session.flush()
    store.record(Event.EMAIL_REMOVED, account_id=account_id)


def find_proof(store: Store, code: str) -> LinkRow | None:
    """The living code of a mailed link, if the account still has the address as it was written to, and it is
    nobody else's.
    """
    link = links.find(store.connection, Purpose.VERIFY_EMAIL, code)
    if link is None:
        return None
    is_verified = store.connection.scalar(
        select(EmailAddress.verified).where(
            EmailAddress.account_id == link.account.id, EmailAddress.address == link.address
        )
    )
    if is_verified is not False or claims.is_taken(store.connection, link.address, but=link.account.id):
        return None
    return link


def confirm(store: Store, code: str) -> AccountRow:
    """Prove an address by the code that was mailed to it.

    :returns: the account
    :raises DeadLink: the code is not good any more
    :raises EmailTaken: another account has the address now
    """
    link = links.find(store.connection, Purpose.VERIFY_EMAIL, code)
    if link is None:
        raise DeadLink
    changing.lock_waiting(store, link.address_key, link.account.id)
    account = lock_active(store.session, link.account.id)
    store.actor = Actor(account.id)  # who has the code reads the mail of the account
    try:
        email = _find_locked(store, account, link.address_key)
    except EmailNotFound:
        raise DeadLink from None
    if email.address != link.address:
        raise DeadLink
    claims.check_free(store.session, email.address, but=account.id)
    if not links.consume(store.session, account, link):
        raise DeadLink
    if not email.verified:
        _prove(store, account, email)
    return link.account


def _find(account: Account, address: str) -> EmailAddress:
    for email in account.emails:
        if email.address_key == key_of(address):
            return email
    raise EmailNotFound


def _find_locked(store: Store, account: Account, address: str) -> EmailAddress:
    """The account's row of the address, as it is now; nobody else changes whose the address is meanwhile."""
    email = _find(account, address)
    lock_address(store.session, email.address_key)
    store.session.scalars(
        select(EmailAddress)
        .where(EmailAddress.address_key == email.address_key)
        .order_by(EmailAddress.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return email


def _prove(store: Store, account: Account, email: EmailAddress) -> None:
    session = store.session
    claims.drop_unproved_copies(session, account.id, email.address_key)
    with refusing_duplicates():
        email.verified = True
        session.flush()
    changing.void_pending_of_others(store, account.id, email.address_key)
    store.record(Event.EMAIL_VERIFIED, account_id=account.id)


def _make_primary(store: Store, account: Account, email: EmailAddress) -> None:
    session = store.session
    former = account.primary_email
    former.primary = False
    session.flush()  # before the next one: at no time are there two
    email.primary = True
    session.flush()
    changing.drop(store, account)
    links.void(session, account.id, Purpose.RESET)
    store.record(Event.EMAIL_CHANGED, account_id=account.id)
    store.notify(account, Notice.EMAIL_CHANGED, to=former.address, new_address=email.address)


def _ask_for_proof(store: Store, account: Account, email: EmailAddress, seconds: float = PROOF_LIFE) -> None:
    """Mail a link, unless the address was sent one a moment ago, whoever asked, that still lives.

    One that has died is replaced at once: it was used, its address removed, or the password of its account
    changed. That is told by the rows of codes, and by the throttle, which outlives deleted accounts too.

    :param seconds: how long the link works
    :raises TooManyAttempts: too many mails to strangers; looked at first, so that it tells nothing of others
    """
    strangers.check(store, account.id)
    moment = now()
    recent = store.session.scalars(
        select(and_(Link.expires > moment, Link.credential_epoch == Account.credential_epoch))
        .join(Account, Account.id == Link.account_id)
        .where(
            Link.purpose == Purpose.VERIFY_EMAIL,
            Link.address_key == email.address_key,
            Link.created > moment - PROOF_PAUSE,
        )
    ).all()
    if any(recent):
        return
    counted, key = store.throttle.counted, email.address_key
    pause = nullcontext() if recent else counted("verify-mail", key)
    try:
        with pause, counted("verify-mails", key), strangers.counted(store, account.id):
            code = links.make(store.session, account, Purpose.VERIFY_EMAIL, email.address, seconds)
            expires = moment + timedelta(seconds=seconds)
            store.notify(account, Notice.VERIFY_EMAIL, to=email.address, code=code, expires=expires)
    except TooManyAttempts:
        log.info("no link was mailed: another one was a moment ago")
