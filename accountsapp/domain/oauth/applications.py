"""The OAuth clients that have access to an account, for the account's owner to see and to end."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.oauth_models import OAuthClient, OAuthGrant
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.oauth import clients, grants
from accountsapp.domain.oauth.scopes import Scope, in_order
from accountsapp.domain.store import Store


class Application(NamedTuple):
    """A client that has access to an account."""

    client_id: str
    name: str
    scopes: list[Scope]
    since: datetime


_LISTING = (
    select(OAuthClient.client_id, OAuthClient.name, OAuthGrant.scope, OAuthGrant.created)
    .join(OAuthGrant, OAuthGrant.client_id == OAuthClient.id)
    .join(Account, Account.id == OAuthGrant.account_id)
    .where(
        OAuthGrant.account_id == bindparam("account_id"),
        OAuthGrant.credential_epoch == Account.credential_epoch,
        OAuthClient.revoked.is_(None),
        grants.is_living(),
    )
    .order_by(func.lower(OAuthClient.name), OAuthClient.id, OAuthGrant.id)
)


def listing(connection: Connection, account_id: int) -> list[Application]:
    """The clients that have access to the account now, with all that their grants allow."""
    rows = connection.execute(_LISTING, {"account_id": account_id, "moment": now()})
    by_client: dict[str, Application] = {}
    for client_id, name, scope, created in rows:
        earlier = by_client.get(client_id)
        scopes = in_order([*scope.split(), *(earlier.scopes if earlier else ())])
        since = min(created, earlier.since) if earlier else created
        by_client[client_id] = Application(client_id, name, scopes, since)
    return list(by_client.values())


def withdraw(store: Store, account_id: int, client_id: str) -> None:
    """End everything that an account granted a client.

    :param client_id: the public name; one that no client has changes nothing
    """
    client = clients.find(store.connection, client_id)
    if client is None:
        return
    session = store.session
    store.lock(account_id)
    confirm_everywhere(session)
    store.record(Event.ACCESS_WITHDRAWN, account_id=account_id)
    session.execute(
        delete(OAuthGrant)
        .where(OAuthGrant.account_id == account_id, OAuthGrant.client_id == client.id)
        .execution_options(synchronize_session=False)
    )
