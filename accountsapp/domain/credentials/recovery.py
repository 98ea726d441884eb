"""A forgotten password, and the first one of an invited account.

The mail with a code takes two jobs. The request queues the first one whether or not anybody has the address,
so its time tells nothing; the worker finds out, and only then queues the mail.
"""

import logging
from datetime import timedelta

from sqlalchemy import select

from accountsapp.domain import audit, jobs, sealed_jobs
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials.password_change import set_hash
from accountsapp.domain.data.locking import lock, lock_address, refusing_duplicates
from accountsapp.domain.data.models import IS_TAKEN, Account, AccountState, EmailAddress
from accountsapp.domain.data.proofs import Actor
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.data.usernames import is_username_taken, set_username
from accountsapp.domain.emails import claims
from accountsapp.domain.errors import (
    AccountNotFound,
    DeadLink,
    InvalidUsername,
    InvalidValue,
    InvalidValues,
    TooManyAttempts,
    UsernameTaken,
    WeakPassword,
)
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.keyring import Keyring
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


def ask(store: Store, email: object, *, by_any_address: bool = False) -> None:
    """Ask for a code by mail.

    Whether anybody has the address is found out by the worker, so that the answer is the same for all and
    takes the same time. The account is not touched.

    :param by_any_address: whether every verified address finds its account, and only an active one;
        otherwise the primary address alone does, of a pending account too
    :raises TooManyAttempts: too many requests from the client's address, malformed ones included
    :raises InvalidEmail: not an address
    """
    store.throttle.hit("recovery-address", store.client_network)
    parsed = emails.parse(email)
    counted, key = store.throttle.counted, emails.key_of(parsed)
    try:
        with counted("recovery-burst", key), counted("recovery-mail", key):
            payload = {
                **sealed_jobs.seal(store.keyring, "email", SEALED_FOR, parsed),
                "address": store.client_address,
                "by_any_address": by_any_address,
                "code_pages": dict(store.code_pages),
                "language": store.language,
            }
            jobs.enqueue(store.session, RECOVER, payload)
    except TooManyAttempts:
        log.info("a request for a code was not answered: too many for that address")


def ask_openly(store: Store, email: object) -> bool:
    """As :func:`ask` by any address, but whether somebody has it is told.

    :returns: whether an active account has it
    """
    parsed = emails.parse(email)
    owner_id = claims.owner_id(store.connection, parsed)
    row = store.reader.by_id(owner_id) if owner_id is not None else None
    if row is None or not row.activated:
        store.throttle.hit("recovery-address", store.client_network)
        return False
    ask(store, parsed, by_any_address=True)
    return True


@handles(RECOVER)
def send_code(store: Store, job: LeasedJob) -> None:
    """Mail a code to the stored primary address of the account that was named by one.

    Never to a deactivated account: what the operator deactivated no code revives.
    """
    session, seconds = store.session, store.settings.links_expire
    email = store.keyring.unseal(SEALED_FOR, job.payload["email"])
    by_any = job.payload.get("by_any_address", False)
    is_named = IS_TAKEN if by_any else EmailAddress.primary
    owner = session.scalar(
        select(EmailAddress.account_id).where(EmailAddress.address_key == emails.key_of(email), is_named)
    )
    account = store.lock_if_there(owner)
    if account is None:
        return
    states = (AccountState.ACTIVE,) if by_any else (AccountState.ACTIVE, AccountState.PENDING)
    if account.state not in states:
        return
    store.code_pages, store.language = job.payload.get("code_pages", {}), job.payload.get("language")
    to = account.primary_email.address
    code = links.make(session, account, Purpose.RESET, to, seconds)
    audit.record(session, Event.RECOVERY_SENT, account_id=account.id, address=job.payload.get("address"))
    expires = now() + timedelta(seconds=seconds)
    store.notify(account, Notice.RESET_PASSWORD, code=code, expires=expires)


def reseal(begin: sealed_jobs.Begin, keyring: Keyring) -> int:
    """Seal the waiting requests for a code anew (:func:`sealed_jobs.reseal`)."""
    return sealed_jobs.reseal(begin, keyring, RECOVER, "email", lambda _payload: SEALED_FOR)


def find(store: Store, username: object, code: object) -> LinkRow | None:
    """As :func:`find_by_code`, of the account of that name."""
    link = find_by_code(store, code) if isinstance(username, str) else None
    return link if link is not None and link.account.username_key == fold(str(username)) else None


def find_by_code(store: Store, code: object) -> LinkRow | None:
    """The living code, mailed to what is still the primary address of its account."""
    link = links.find(store.connection, Purpose.RESET, code) if isinstance(code, str) else None
    if link is None or link.account.state == AccountState.DEACTIVATED:
        return None
    return link if link.account.email == link.address else None


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
    :raises InvalidValues: the password, and the new name as well
    """
    link = find(store, username, code)
    if link is None:
        store.passwords.check(password, names=(username if isinstance(username, str) else None,))
        raise DeadLink
    return _use(store, link, password, new_username)


def reset_by_code(store: Store, code: object, password: object) -> str:
    """As :func:`reset`, where the code alone says whose password it is."""
    link = find_by_code(store, code)
    if link is None:
        raise DeadLink
    return _use(store, link, password)


def _use(store: Store, link: LinkRow, password: object, new_username: object = None) -> str:
    checked, chosen_name = _checked(store, link.account, password, new_username)
    password_hash = store.passwords.hash(checked)
    account = _lock_and_consume(store, link)
    store.actor = Actor(account.id)  # who has the code reads the mail of the account
    if chosen_name is not None and account.state == AccountState.PENDING:
        with refusing_duplicates():
            set_username(store.session, account, chosen_name)
            store.session.flush()
    set_hash(store, account, password_hash)
    account.state = AccountState.ACTIVE
    account.primary_email.verified = True
    claims.drop_unproved_copies(store.session, account.id, account.primary_email.address_key)
    store.record(Event.PASSWORD_RESET, account_id=account.id)
    store.notify(account, Notice.PASSWORD_CHANGED)
    store.session.flush()
    return account.username


def _checked(
    store: Store, account: AccountRow, password: object, new_username: object
) -> tuple[str, str | None]:
    """The password and the name that an account is to have; None where it keeps its own."""
    problems: list[InvalidValue] = []
    checked, chosen_name = "", None
    try:
        chosen_name = _chosen_name(store, account, new_username)
    except (InvalidUsername, UsernameTaken) as error:
        problems.append(error)
    try:
        names = (account.username, account.email, account.awaited_email, chosen_name)
        checked = store.passwords.check(password, names=names)
    except WeakPassword as error:
        problems.insert(0, error)
    if len(problems) > 1:
        raise InvalidValues(problems)
    if problems:
        raise problems[0]
    return checked, chosen_name


def _chosen_name(store: Store, account: AccountRow, username: object) -> str | None:
    """The name that a pending account is to have; None where nothing was chosen."""
    if username in (None, ""):
        return None
    if account.state != AccountState.PENDING:
        raise InvalidUsername("Only an invited account may choose its user name here")
    chosen = usernames.check_chosen(username)
    if is_username_taken(store.connection, chosen, but=account.id):
        raise UsernameTaken
    return chosen


def _lock_and_consume(store: Store, link: LinkRow) -> Account:
    """The account and its address, locked; the code is used up."""
    try:
        account = lock(store.session, link.account.id)
    except AccountNotFound:
        raise DeadLink from None
    lock_address(store.session, account.primary_email.address_key)
    if account.state == AccountState.DEACTIVATED or not links.consume(store.session, account, link):
        raise DeadLink
    return account
