"""A person registers, as the operator lets people: at once, after a confirmation, or not at all."""

from collections.abc import Iterator
from typing import Any

from accountsapp.domain.accounts import confirming, registration
from accountsapp.domain.credentials import signin
from accountsapp.domain.data.usernames import is_username_taken
from accountsapp.domain.emails import claims, strangers
from accountsapp.domain.errors import (
    EmailTaken,
    InvalidValue,
    RegistrationClosed,
    UsernameTaken,
    WeakPassword,
)
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.store import Store


def problems(
    store: Store, *, username: str | None, email: str | None, password: object
) -> Iterator[InvalidValue]:
    """All that stands against a registration with those values, beside the rules of each.

    :param username, email: None where it broke its own rule already
    """
    yield from taken(store, username=username, email=email)
    if email is not None and confirming.is_awaited(store.connection, key_of(email)):
        yield EmailTaken()
    try:
        store.passwords.check(password, names=(username, email))
    except WeakPassword as error:
        yield error


def taken(
    store: Store, *, username: str | None, email: str | None, but: int | None = None
) -> Iterator[InvalidValue]:
    """Which of these another account has.

    :param username, email: None is not looked at
    :param but: the id of an account that may have them
    """
    if username is not None and is_username_taken(store.connection, username, but=but):
        yield UsernameTaken()
    if email is not None and claims.is_taken(store.connection, email, but=but):
        yield EmailTaken()


def sign_up(
    store: Store, username: str, email: str, *, password: str, former: str | None = None, **columns: Any
) -> str | None:
    """Register somebody who is signed in then; or, where registrations are confirmed, mail a link.

    :param username, email, password: without :func:`problems`
    :param former: the value of the session that the new one takes the place of
    :param columns: further ones of the account, of JSON values
    :returns: the value of the session's cookie; None where the address is to be confirmed first
    :raises RegistrationClosed: nobody may register
    :raises UsernameTaken, EmailTaken: somebody else was faster
    :raises TooManyAttempts: too many registrations, or mails to strangers, from the client's address
    """
    check_open(store)
    with store.throttle.counted("registration", store.client_network):
        if store.settings.registration == "confirm":
            with strangers.counted_by_client(store):
                confirming.ask(store, username, email, password=password, **columns)
            return None
        account = registration.register(store, username, email, password=password, **columns)
        return signin.sign_in(store, store.reread(account.id), former=former)


def check_open(store: Store) -> None:
    """
    :raises RegistrationClosed: nobody may register
    """
    if store.settings.registration == "closed":
        raise RegistrationClosed
