"""A registration that waits until its address is confirmed: before that there is no account.

Only a hash of the password is kept, and nothing of it is mailed.
"""

import secrets
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select
from sqlalchemy.orm import Session

from accountsapp.domain.accounts import registration
from accountsapp.domain.clock import now
from accountsapp.domain.data.locking import lock_address, refusing_duplicates
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.registration_models import PendingRegistration
from accountsapp.domain.data.removing import remove_some
from accountsapp.domain.data.usernames import check_username_free
from accountsapp.domain.emails import addresses, changing, claims
from accountsapp.domain.errors import DeadLink, EmailTaken, UsernameTaken
from accountsapp.domain.job_handlers import clears
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules.digests import digest_of
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.store import Store


def ask(store: Store, username: str, email: str, *, password: str, **columns: Any) -> None:
    """Keep a registration until the link in a mail to its address is used.

    Who has asked for a name or an address blocks both until the link expires.

    :param username: one that passed ``usernames.check_new``
    :param email: one that ``emails.parse`` gave
    :param password: one that passed ``Passwords.check``; hashed here, before anything is locked
    :param columns: further ones of the account, of JSON values
    :raises UsernameTaken, EmailTaken: also when somebody else was faster
    """
    password_hash = store.passwords.hash(password)
    session, keys = store.session, (fold(username), key_of(email))
    lock_address(session, keys[1])
    is_same = (PendingRegistration.username_key == keys[0]) | (PendingRegistration.address_key == keys[1])
    session.execute(delete(PendingRegistration).where(is_same, PendingRegistration.expires <= now()))
    check_username_free(session, username)
    claims.check_free(session, email)
    code = secrets.token_urlsafe(24)
    expires = now() + timedelta(seconds=store.settings.links_expire)
    with refusing_duplicates():
        session.add(
            PendingRegistration(
                digest=digest_of(code),
                username=username,
                username_key=keys[0],
                address=email,
                address_key=keys[1],
                password_hash=password_hash,
                columns=columns,
                expires=expires,
            )
        )
        session.flush()
    notices.queue(
        session,
        store.keyring,
        Notice.CONFIRM_REGISTRATION,
        to=email,
        account=None,
        language=store.language,
        page=store.code_pages.get(Notice.CONFIRM_REGISTRATION),
        username=username,
        code=code,
        expires=expires,
    )


def is_awaited(connection: Connection | Session, address_key: str) -> bool:
    """Whether a registration waits for the confirmation of that address."""
    awaited = select(PendingRegistration.id).where(
        PendingRegistration.address_key == address_key, PendingRegistration.expires > now()
    )
    return connection.scalar(awaited) is not None


def find(store: Store, code: str) -> str | None:
    """The username of the registration whose code that is; uses nothing up."""
    username: str | None = store.connection.scalar(
        select(PendingRegistration.username).where(
            PendingRegistration.digest == digest_of(code), PendingRegistration.expires > now()
        )
    )
    return username


def confirm(store: Store, code: str) -> Account:
    """Make the account; its address is proved.

    :raises DeadLink: the code is not good any more, or somebody has the name or the address meanwhile
    """
    used = (
        delete(PendingRegistration)
        .where(PendingRegistration.digest == digest_of(code), PendingRegistration.expires > now())
        .returning(
            PendingRegistration.username,
            PendingRegistration.address,
            PendingRegistration.password_hash,
            PendingRegistration.columns,
        )
    )
    pending = store.session.execute(used.execution_options(synchronize_session=False)).first()
    if pending is None:
        raise DeadLink
    username, address, password_hash, columns = pending
    try:
        account = registration.register(
            store, username, address, password_hash=password_hash, verified=True, **columns
        )
    except (UsernameTaken, EmailTaken):
        raise DeadLink from None
    claims.drop_unproved_copies(store.session, account.id, key_of(address))
    return account


class Confirmable(NamedTuple):
    """What a code would confirm: a registration, or an address of an account.

    :ivar address: None for a registration
    """

    username: str
    address: str | None


def find_any(store: Store, code: object) -> Confirmable | None:
    """What the code would confirm, whatever it was mailed for; uses nothing up."""
    if not isinstance(code, str):
        return None
    username = find(store, code)
    if username is not None:
        return Confirmable(username, None)
    link = changing.find(store, code) or addresses.find_proof(store, code)
    return Confirmable(link.account.username, link.address) if link is not None else None


def confirm_any(store: Store, code: object) -> Confirmable:
    """Confirm whatever the code was mailed for.

    :returns: what that was
    :raises DeadLink: it is not good any more
    """
    confirmable = find_any(store, code)
    if confirmable is None or not isinstance(code, str):
        raise DeadLink
    try:
        if confirmable.address is None:
            confirm(store, code)
        elif changing.find(store, code) is not None:
            changing.confirm(store, code)
        else:
            addresses.confirm(store, code)
    except EmailTaken:
        raise DeadLink from None
    return confirmable


@clears
def clear_expired(session: Session) -> int:
    """Forget some registrations whose link has expired (:func:`remove_some`)."""
    return remove_some(session, PendingRegistration, PendingRegistration.expires <= now())
