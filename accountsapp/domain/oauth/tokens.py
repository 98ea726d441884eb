"""What OAuth clients are granted: codes, access tokens, refresh tokens.

The database has only hashes (each value has 256 random bits, so no key is needed). Whatever uses a code or a
refresh token locks the account's row first: of simultaneous uses one wins, the others are second uses, and
a second use ends the grant. That deletion must be committed although the client is refused: so the
functions here return None to refuse and raise nothing.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.orm import Session

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.locking import lock, lock_active
from accountsapp.domain.data.models import Account, AccountState, EmailAddress
from accountsapp.domain.data.oauth_models import AccessToken, OAuthClient, OAuthCode, OAuthGrant, RefreshToken
from accountsapp.domain.data.prepared import Prepared
from accountsapp.domain.data.proofs import ACCESS_TOKEN, Proof, Terms
from accountsapp.domain.data.reads import AccountRow, Columns, selection_of
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.errors import AccountNotFound, ClientNotFound, StaleCredential, TokenNotFound
from accountsapp.domain.oauth import grants
from accountsapp.domain.oauth.clients import ClientRow
from accountsapp.domain.oauth.scopes import Scope, in_order, written
from accountsapp.domain.rules.digests import digest_of
from accountsapp.domain.store import Store

ACCESS_LIFE = 3600
"""Seconds that an access token lives."""
REFRESH_LIFE = timedelta(days=180)
CODE_LIFE = timedelta(seconds=60)

CODE_PREFIX = "acac_"
ACCESS_PREFIX = "acat_"
REFRESH_PREFIX = "acrt_"
"""The prefixes let logs and secret scanners know a token when they see one."""


def make_code() -> str:
    return CODE_PREFIX + secrets.token_urlsafe(32)


def make_access_token() -> str:
    return ACCESS_PREFIX + secrets.token_urlsafe(32)


def make_refresh_token() -> str:
    return REFRESH_PREFIX + secrets.token_urlsafe(32)


Claimed = type[OAuthCode] | type[RefreshToken]
"""What a client presents to be given tokens."""


class Claim(NamedTuple):
    """A code or refresh token that was presented, found good and is locked until the transaction ends."""

    grant_id: int
    account: AccountRow
    scopes: list[Scope]
    redirect_uri: str | None
    challenge: str | None


def grant(
    store: Store,
    client: ClientRow,
    account_id: int,
    scopes: Sequence[str],
    *,
    code: str,
    redirect_uri: str | None,
    challenge: str | None,
) -> None:
    """Write down that an account lets a client in, and the code that the client may fetch tokens with.

    :param redirect_uri: as the request had it; None where it had none
    :param challenge: PKCE, ``S256``
    :raises ClientNotFound: the client was revoked meanwhile
    :raises StaleCredential: the account is not active any more, or what proved it was ended
    """
    session = store.session
    account = store.lock(account_id)
    if not _holds(session, client.id):
        raise ClientNotFound
    grants.clear_dead(session, account_id, client.id)
    row = OAuthGrant(
        client_id=client.id,
        account_id=account_id,
        credential_epoch=account.credential_epoch,
        scope=written(in_order(scopes)),
    )
    session.add(row)
    session.flush()
    store.record(Event.ACCESS_GRANTED, account_id=account_id, client=client.client_id)
    session.add(
        OAuthCode(
            grant_id=row.id,
            digest=digest_of(code),
            redirect_uri=redirect_uri,
            challenge=challenge,
            expires=now() + CODE_LIFE,
        )
    )
    session.flush()


def claim_code(store: Store, client: ClientRow, code: str) -> Claim | None:
    """The grant of a code that the client may use now; a used one ends its grant."""
    return _claim(store, client, OAuthCode, code)


def claim_refresh(store: Store, client: ClientRow, token: str) -> Claim | None:
    """The grant of a refresh token that the client may use now; a used one ends its grant."""
    return _claim(store, client, RefreshToken, token)


def _claim(store: Store, client: ClientRow, kind: Claimed, value: str) -> Claim | None:
    session = store.session
    account = _lock_owner(session, client, kind, value)
    row = session.execute(_with_grant(kind, value)).first() if account is not None else None
    if account is None or row is None or not _holds(session, client.id):
        return None
    presented, granted = row
    if presented.used is not None:
        store.record(Event.TOKEN_REUSED, account_id=account.id, client=client.client_id)
        grants.end(session, granted.id)
        return None
    if presented.expires <= now() or granted.credential_epoch != account.credential_epoch:
        return None
    return Claim(
        grant_id=granted.id,
        account=store.reread(account.id),
        scopes=in_order(granted.scope.split()),
        redirect_uri=getattr(presented, "redirect_uri", None),
        challenge=getattr(presented, "challenge", None),
    )


def _lock_owner(session: Session, client: ClientRow, kind: Claimed, value: str) -> Account | None:
    """The active account that granted the client what was presented, locked."""
    row = session.execute(_with_grant(kind, value)).first()
    if row is None or row[1].account_id is None or row[1].client_id != client.id:
        return None
    try:
        return lock_active(session, row[1].account_id)
    except StaleCredential:
        return None


def _with_grant(kind: Claimed, value: str) -> Any:
    """A code or refresh token and its grant, as they are now."""
    return (
        select(kind, OAuthGrant)
        .join(OAuthGrant, OAuthGrant.id == kind.grant_id)
        .where(kind.digest == digest_of(value))
        .execution_options(populate_existing=True)
    )


def _holds(session: Session, client_id: int) -> bool:
    """Keep a client from being revoked until the transaction ends, unless it is already."""
    statement = select(OAuthClient.revoked).where(OAuthClient.id == client_id).with_for_update(read=True)
    row = session.execute(statement).first()
    return row is not None and row.revoked is None


def issue(
    store: Store, claim: Claim, access_token: str | None, refresh_token: str, scopes: Sequence[str]
) -> None:
    """New tokens for a claim; what it was made with is used up, and the grant's older access tokens end.

    :param access_token: None where it is a signed one, of which nothing is kept
    :param scopes: of the access token; the refresh token keeps those of the grant
    """
    session, moment = store.session, now()
    for kind in (OAuthCode, RefreshToken):
        session.execute(
            update(kind)
            .where(kind.grant_id == claim.grant_id, kind.used.is_(None))
            .values(used=moment)
            .execution_options(synchronize_session=False)
        )
    session.execute(delete(AccessToken).where(AccessToken.grant_id == claim.grant_id))
    granted = session.get_one(OAuthGrant, claim.grant_id)
    if access_token is not None:
        session.add(_access_token(granted, access_token, scopes, moment, ACCESS_LIFE))
    session.add(
        RefreshToken(
            digest=digest_of(refresh_token),
            grant_id=claim.grant_id,
            created=moment,
            expires=moment + REFRESH_LIFE,
        )
    )
    session.flush()


def _access_token(
    granted: OAuthGrant, token: str, scopes: Sequence[str], moment: datetime, seconds: int
) -> AccessToken:
    return AccessToken(
        digest=digest_of(token),
        grant_id=granted.id,
        client_id=granted.client_id,
        account_id=granted.account_id,
        credential_epoch=granted.credential_epoch,
        scope=written(in_order(scopes)),
        created=moment,
        expires=moment + timedelta(seconds=seconds),
    )


def issue_by_hand(
    store: Store,
    account_id: int | None,
    scopes: Sequence[str],
    *,
    seconds: int = ACCESS_LIFE,
    client_id: int | None = None,
    token: str | None = None,
) -> str:
    """A token without consent and without refresh: on the operator's word, or for a client acting by itself.

    :param account_id: None for a client that acts for no account
    :param seconds: how long it lives
    :param token: where it is made already
    :returns: the access token
    :raises StaleCredential: the account is not active, or the client was revoked
    """
    session = store.session
    account = lock_active(session, account_id) if account_id is not None else None
    if client_id is not None and not _holds(session, client_id):
        raise StaleCredential
    granted = OAuthGrant(
        client_id=client_id,
        account_id=account_id,
        credential_epoch=account.credential_epoch if account is not None else None,
        scope=written(in_order(scopes)),
    )
    session.add(granted)
    session.flush()
    token = token or make_access_token()
    session.add(_access_token(granted, token, scopes, now(), seconds))
    if client_id is None:
        store.record(Event.TOKEN_ISSUED, account_id=account_id, scope=granted.scope)
    session.flush()
    return token


class DeadToken(StrEnum):
    """Why an access token is not good."""

    MALFORMED = "malformed"
    """It has not the form of one."""
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    """Its client was, or what its account could do with it ended."""
    INACTIVE = "inactive account"


class TokenRow(NamedTuple):
    """A living access token.

    :ivar account: None for a client that acts for no account
    :ivar client_id: the public name of its client; None if the operator issued it
    :ivar proof: by which it is looked at again
    """

    account: AccountRow | None
    scope: str
    created: datetime
    expires: datetime
    client_id: str | None
    client_is_confidential: bool
    proof: Proof


@cache
def _find_statement(columns: Columns | None) -> Prepared:
    return Prepared(
        select(
            *selection_of(columns).columns,
            AccessToken.scope,
            AccessToken.created,
            AccessToken.expires,
            AccessToken.account_id,
            AccessToken.credential_epoch,
            AccessToken.client_id,
            OAuthClient.client_id,
            OAuthClient.secret_digest.is_not(None),
            OAuthClient.revoked,
        )
        .select_from(AccessToken)
        .outerjoin(Account, Account.id == AccessToken.account_id)
        .outerjoin(EmailAddress, (EmailAddress.account_id == Account.id) & EmailAddress.primary)
        .outerjoin(OAuthClient, OAuthClient.id == AccessToken.client_id)
        .where(AccessToken.digest == bindparam("digest"))
    )


def find(connection: Connection, token: str, columns: Columns | None = None) -> TokenRow | DeadToken:
    """The living access token of that value: not expired, its client not revoked, its account active.

    :param columns: what the account's ``profile`` has
    """
    digest = digest_of(token)
    values = _find_statement(columns).first(connection, digest=digest)
    if values is None:
        return DeadToken.UNKNOWN
    scope, created, expires, account_id, epoch, client_key, client_id, confidential, revoked = selection_of(
        columns
    ).after(values)
    if revoked is not None:
        return DeadToken.REVOKED
    if expires <= now():
        return DeadToken.EXPIRED
    account = None
    if account_id is not None:
        account = selection_of(columns).row(values)
        if account.state != AccountState.ACTIVE:
            return DeadToken.INACTIVE
        if account.credential_epoch != epoch:
            return DeadToken.REVOKED
    is_confidential = client_key is not None and bool(confidential)
    proof = Proof(ACCESS_TOKEN, digest, Terms(scope, expires))
    return TokenRow(account, scope, created, expires, client_id, is_confidential, proof)


def revoke(store: Store, client: ClientRow, token: str) -> None:
    """End a token on its client's word: a refresh token with all of its grant, an access token alone.

    Another client's token, or none, changes nothing.
    """
    session = store.session
    for kind in (RefreshToken, AccessToken):
        granted = _grant_of(session, kind, token)
        if granted is not None and granted.client_id == client.id:
            _revoke(session, granted, kind, token)


def revoke_by_hand(store: Store, token: str) -> str | None:
    """End a token on the operator's word.

    :returns: the username of its account; None for one of a client that acts for none
    :raises TokenNotFound: there is no such living token
    """
    session = store.session
    for kind in (RefreshToken, AccessToken):
        granted = _grant_of(session, kind, token)
        if granted is not None:
            _revoke(session, granted, kind, token)
            store.record(Event.TOKEN_REVOKED, account_id=granted.account_id)
            return store.session.scalar(select(Account.username).where(Account.id == granted.account_id))
    raise TokenNotFound


def _grant_of(
    session: Session, kind: type[RefreshToken] | type[AccessToken], token: str
) -> OAuthGrant | None:
    statement = select(OAuthGrant).join(kind, kind.grant_id == OAuthGrant.id)
    return session.scalar(statement.where(kind.digest == digest_of(token)))


def _revoke(
    session: Session, granted: OAuthGrant, kind: type[RefreshToken] | type[AccessToken], token: str
) -> None:
    if granted.account_id is not None:
        try:
            lock(session, granted.account_id)
        except AccountNotFound:
            return
    confirm_everywhere(session)
    if kind is RefreshToken:
        grants.end(session, granted.id)
    else:
        session.execute(delete(AccessToken).where(AccessToken.digest == digest_of(token)))
