"""How a credential of each kind is ended alone, also while a request that it proved is under way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import jwt
from sqlalchemy import Connection

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials import api_keys, jwt_keys, named_keys, password_change, sessions
from accountsapp.domain.credentials.named_keys import By
from accountsapp.domain.oauth import clients, tokens
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder

OTHER_PASSWORD = "another battery horse"


def end_key(store: Store, holder: Holder) -> None:
    """A default key is replaced, a named one revoked."""
    owner = named_keys.whose(store.connection, store.keyring, holder.person.api_key)
    assert owner is not None
    if owner.key_id is None:
        api_keys.reset(store, holder.person.id)
    else:
        named_keys.revoke(store, holder.person.id, owner.key_id, By.CLI)


def end_session(store: Store, holder: Holder) -> None:
    store.lock(holder.person.id)
    sessions.end(store.session, holder.cookie)


def end_token(store: Store, holder: Holder) -> None:
    tokens.revoke_by_hand(store, holder.token)


def client_of(holder: Holder) -> str:
    """The public name of the client that has the signed token."""
    claims: dict[str, str] = jwt.decode(holder.signed_token, options={"verify_signature": False})
    return claims["azp"]


def end_client(store: Store, holder: Holder) -> None:
    clients.revoke(store, client_of(holder))


def end_signing_key(store: Store, holder: Holder) -> None:
    jwt_keys.issue(store, holder.person.id)


def change_password(store: Store, holder: Holder) -> None:
    password_change.set_by_operator(store, holder.person.id, OTHER_PASSWORD)


def set_password_again(store: Store, holder: Holder) -> None:
    """The same one, which is good for what comes later alone."""
    password_change.set_by_operator(store, holder.person.id, holder.person.password)


def deactivate(store: Store, holder: Holder) -> None:
    lifecycle.deactivate(store, holder.person.id)


End = Callable[[Store, Holder], None]
ALONE: dict[str, End] = {
    "api_key": end_key,
    "x-api-key": end_key,
    "proxied api_key": end_key,
    "basic": set_password_again,
    "bearer": end_token,
    "signed token": end_client,
    "session header": end_session,
    "jwt": end_signing_key,
    "session": end_session,
    "requested session": end_session,
}
"""By kind of credential."""


def end(stores: Process, kind: str, holder: Holder) -> None:
    """End the credential of that kind."""
    assert kind in ALONE, (
        f"say in ALONE of accountsapp.testing.endings how a {kind!r} is ended, "
        f"as ALONE[{kind!r}] = end_key for an API key"
    )
    with stores.transaction() as store:
        ALONE[kind](store, holder)


@contextmanager
def before_change(stores: Process, happen: Callable[[], None]) -> Iterator[None]:
    """Has something happen once, after a request was let in and before it begins to change anything.

    Meanwhile no use of a key is noted, which would be written at any time.
    """
    stores.key_uses.write()
    connections = stores.database.write_connections
    take, is_due = connections.take, [True]

    def take_later() -> Connection:
        if is_due:
            is_due.clear()
            happen()
        return take()

    no_uses = patch.object(stores.key_uses, "add", return_value=False)
    with no_uses, patch.object(connections, "take", take_later):
        yield
