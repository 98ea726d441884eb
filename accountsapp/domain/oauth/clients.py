"""OAuth clients: made and ended by the operator, never by themselves."""

import hmac
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, Select, bindparam, delete, select

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.locking import lock_if_there
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.oauth_models import OAuthClient, OAuthGrant
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.errors import ClientNotFound, ClientRevokedAlready, InvalidValue
from accountsapp.domain.oauth.redirect_uris import fits, is_of_origin
from accountsapp.domain.oauth.scopes import DEFAULT, Scope
from accountsapp.domain.rules.digests import digest_of
from accountsapp.domain.rules.text import has_control_characters
from accountsapp.domain.store import Store

SECRET_PREFIX = "accs_"  # noqa: S105
LONGEST_NAME = 100
LONGEST_URI = 2000
_NETLOC = re.compile(r"[A-Za-z0-9.:\[\]_~%-]*")
NEVER_REDIRECTED_TO = ("javascript", "data", "vbscript", "file", "about", "blob")
"""Schemes that a browser would run or show instead of going there."""


class ClientRow(NamedTuple):
    """A client, as the protocol sees it."""

    id: int
    client_id: str
    name: str
    secret_digest: bytes | None
    redirect_uris: tuple[str, ...]
    scopes: tuple[Scope, ...]
    owner_id: int | None
    owner: str | None
    """The owner's username."""
    is_resource_server: bool
    """Whether it may look at any living token."""
    created: datetime
    revoked: datetime | None

    @property
    def is_confidential(self) -> bool:
        """Whether it can keep a secret, and has one."""
        return self.secret_digest is not None

    def has_secret(self, secret: str) -> bool:
        """Whether that is its secret."""
        return self.secret_digest is not None and hmac.compare_digest(digest_of(secret), self.secret_digest)

    def may_be_answered_at(self, uri: str) -> bool:
        """Whether that is one of its redirect URIs."""
        return any(fits(registered, uri) for registered in self.redirect_uris)


def parse_name(name: str) -> str:
    """
    :raises InvalidValue: empty, over 100 characters, or control characters in it
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or has_control_characters(name):
        raise InvalidValue("name", f"A client's name has 1 to {LONGEST_NAME} printable characters.")
    return name


def parse_redirect_uri(uri: str) -> str:
    """A URI that browsers may be sent to (RFC 6749 3.1.2: absolute, without a fragment).

    :raises InvalidValue: it is none
    """
    refusal = InvalidValue("redirect_uri", "A redirect URI is absolute and has no fragment.")
    if len(uri) > LONGEST_URI or not uri.isascii() or not uri.isprintable() or set(' "<>\\^`{|}#') & set(uri):
        raise refusal
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refusal from None
    if not parts.scheme or parts.scheme in NEVER_REDIRECTED_TO or parts.username is not None:
        raise refusal
    if parts.scheme in ("http", "https") and not host:
        raise refusal
    if not (parts.netloc or parts.path) or not _NETLOC.fullmatch(parts.netloc):
        raise refusal
    return uri


def register(
    store: Store,
    name: str,
    *,
    redirect_uris: Sequence[str] = (),
    scopes: Sequence[Scope] = (),
    confidential: bool = False,
    resource_server: bool = False,
    owner_id: int | None = None,
) -> tuple[OAuthClient, str | None]:
    """Let a program in.

    :param scopes: what it may ask for; with none given :data:`scopes.DEFAULT`
    :param confidential: it can keep a secret; otherwise PKCE is required of it
    :param resource_server: it is shown tokens of others, and may look at any living one; only with a secret
    :param owner_id: whose account it acts for by itself
    :returns: the client, and its secret if it is confidential: shown now and never again
    :raises InvalidValue: name or a redirect URI is not acceptable, or a resource server is not confidential
    """
    if resource_server and not confidential:
        raise InvalidValue("resource_server", "A resource server is a confidential client.")
    secret = SECRET_PREFIX + secrets.token_urlsafe(32) if confidential else None
    client = OAuthClient(
        client_id=secrets.token_hex(16),
        name=parse_name(name),
        secret_digest=digest_of(secret) if secret is not None else None,
        redirect_uris=[parse_redirect_uri(uri) for uri in dict.fromkeys(redirect_uris)],
        scopes=[scope.value for scope in Scope if scope in (scopes or DEFAULT)],
        owner_id=owner_id,
        is_resource_server=resource_server,
    )
    store.session.add(client)
    store.session.flush()
    store.record(Event.CLIENT_ADDED, account_id=owner_id, client=client.client_id)
    return client, secret


_CLIENTS: Select[Any] = select(
    OAuthClient.id,
    OAuthClient.client_id,
    OAuthClient.name,
    OAuthClient.secret_digest,
    OAuthClient.redirect_uris,
    OAuthClient.scopes,
    OAuthClient.owner_id,
    Account.username,
    OAuthClient.is_resource_server,
    OAuthClient.created,
    OAuthClient.revoked,
).outerjoin(Account, Account.id == OAuthClient.owner_id)
_FIND = _CLIENTS.where(OAuthClient.client_id == bindparam("client_id"), OAuthClient.revoked.is_(None))


def find(connection: Connection, client_id: str) -> ClientRow | None:
    """The client of that public name, unless it was revoked."""
    if len(client_id) > 64 or not client_id.isascii() or "\0" in client_id:
        return None
    row = connection.execute(_FIND, {"client_id": client_id}).first()
    return _client_of(row) if row is not None else None


def has_origin(connection: Connection, origin: str) -> bool:
    """Whether a page of that origin belongs to a living client, by its redirect URIs."""
    living = select(OAuthClient.redirect_uris).where(OAuthClient.revoked.is_(None))
    uris = (uri for registered in connection.scalars(living) for uri in registered)
    return any(is_of_origin(uri, origin) for uri in uris)


def listing(connection: Connection) -> Iterator[ClientRow]:
    """Every client, revoked ones too, oldest first."""
    return (_client_of(row) for row in connection.execute(_CLIENTS.order_by(OAuthClient.id)))


def _client_of(row: Row[Any]) -> ClientRow:
    client = ClientRow._make(row)
    return client._replace(
        redirect_uris=tuple(client.redirect_uris), scopes=tuple(Scope(name) for name in client.scopes)
    )


def revoke(store: Store, client_id: str) -> None:
    """End a client: it can do nothing any more, and neither can any token it was given.

    :raises ClientNotFound: there is none of that name
    :raises ClientRevokedAlready: it was revoked before
    """
    session = store.session
    statement = select(OAuthClient).where(OAuthClient.client_id == client_id)
    owner_id = session.scalar(statement.with_only_columns(OAuthClient.owner_id))
    if owner_id is not None:  # before the client, as who deletes the account does
        lock_if_there(session, owner_id)
    client = session.scalar(statement.with_for_update())
    if client is None:
        raise ClientNotFound
    if client.revoked is not None:
        raise ClientRevokedAlready
    confirm_everywhere(session)
    client.revoked = now()
    session.flush()
    session.execute(delete(OAuthGrant).where(OAuthGrant.client_id == client.id))
    store.record(Event.CLIENT_REVOKED, account_id=client.owner_id, client=client.client_id)
