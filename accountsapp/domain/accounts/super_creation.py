"""An account made by a program that may sign in as it: whatever is not given is made up."""

import secrets
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from sqlalchemy import select

from accountsapp.domain.accounts import registration
from accountsapp.domain.audit import Event
from accountsapp.domain.credentials import sessions
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.data.usernames import check_username_free
from accountsapp.domain.emails import claims
from accountsapp.domain.errors import FxaIdTaken, InvalidUsername, InvalidValue, InvalidValues
from accountsapp.domain.rules import emails, fxa_ids, permission_groups, usernames
from accountsapp.domain.rules.permission_groups import Group
from accountsapp.domain.store import Store

Value = TypeVar("Value")

NOBODYS_DOMAIN = "super-created.invalid"
"""Of addresses that are made up: under a name where nothing is delivered (RFC 2606)."""


class SuperCreated(NamedTuple):
    """A new account, and the session that was begun for it."""

    account: AccountRow
    display_name: str
    fxa_id: str | None
    group: Group | None
    session: str


def create(store: Store, *, username: object, email: object, fxa_id: object, group: object) -> SuperCreated:
    """Make an active account without a password, and begin a session of it.

    Values are as a client sends them; None has it made up, or left out.

    :raises InvalidValues: each that breaks a rule or is taken
    """
    registration.begin(store, email)
    errors: list[InvalidValue] = []

    def checked(check: Callable[[object], Value], value: object) -> Value | None:
        try:
            return check(value) if value is not None else None
        except InvalidValue as error:
            errors.append(error)
            return None

    digits = secrets.token_hex(4)
    name = checked(lambda value: _free_username(store, value), username)
    address = checked(lambda value: _free_email(store, value), email)
    mozilla_id = checked(lambda value: _free_fxa_id(store, value), fxa_id)
    member_of = checked(permission_groups.parse, group)
    if errors:
        raise InvalidValues(errors)
    name = name or f"super-created-{digits}"
    account = registration.register(
        store,
        name,
        address or f"{name}@{NOBODYS_DOMAIN}",
        event=Event.SUPER_CREATED,
        display_name=f"Super Created {digits}",
        fxa_id=mozilla_id,
        permissions=[member_of.permission] if member_of is not None else [],
    )
    value = sessions.begin(store.session, account, store.client_address or None)
    row = store.reread(account.id)
    return SuperCreated(row, f"Super Created {digits}", mozilla_id, member_of, value)


def _free_username(store: Store, username: object) -> str:
    if not isinstance(username, str):
        raise InvalidUsername("This must be a text.")
    check_username_free(store.session, usernames.check_new(username))
    return username


def _free_email(store: Store, email: object) -> str:
    address = emails.parse(email, dotted=True, keep_case=True)
    claims.check_free(store.session, address)
    return address


def _free_fxa_id(store: Store, value: object) -> str:
    fxa_id = fxa_ids.parse(value)
    if store.session.scalar(select(Account.id).where(Account.fxa_id == fxa_id)) is not None:
        raise FxaIdTaken
    return fxa_id
