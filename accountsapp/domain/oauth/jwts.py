"""Access tokens that say themselves whose they are and what they may (RFC 7519), signed by a key of ours.

Nothing is kept of them: each names its client and the credential epoch of its account, and what these are
now is read whenever one is presented. So it ends at once with either.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Account, AccountState, EmailAddress
from accountsapp.domain.data.oauth_models import OAuthClient, OAuthGrant
from accountsapp.domain.data.prepared import Prepared
from accountsapp.domain.data.proofs import CLIENT, GRANT, Proof
from accountsapp.domain.data.reads import AccountRow, Columns, selection_of
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.oauth.scopes import written
from accountsapp.domain.oauth.tokens import DeadToken, TokenRow

ALGORITHM = "HS256"
VERSION = "1.2.0"
"""Of the claims."""
ACCESS, SESSION = "access-jwt", "session-jwt"
"""For which a token is signed; one is not taken for the other."""
LONGEST_TOKEN = 8192
NO_ID = 0
"""What no account and no grant has."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){2}")
"""How a token is written (RFC 7515 7.1): without the padding that base64 has elsewhere."""
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "azp", "scopes"]


class Issuer(NamedTuple):
    """Who signs, and for whom: the claims ``iss`` and ``aud``."""

    name: str
    audience: str


class Subject(NamedTuple):
    """Whom a token is about.

    :ivar account: None for a client that acts for no account
    :ivar name: the account's full name
    :ivar client_id: the public name of the client that has the token; empty for a session
    :ivar grant_id: of the consent that the client has it by, if there is one
    """

    account: AccountRow | None
    name: str | None
    client_id: str
    grant_id: int | None = None


def claims_of(
    subject: Subject, issuer: Issuer, scopes: Sequence[str], *, grant_type: str, seconds: int
) -> dict[str, Any]:
    """What a token says that is made now.

    :param grant_type: how it was come by
    :param seconds: how long it lives
    """
    moment, account = int(now().timestamp()), subject.account
    is_admin = account is not None and account.is_admin
    return {
        "iss": issuer.name,
        "aud": issuer.audience,
        "iat": moment,
        "exp": moment + seconds,
        "sub": str(account.id) if account is not None else subject.client_id,
        "azp": subject.client_id,
        "epoch": account.credential_epoch if account is not None else None,
        "grant": subject.grant_id,
        "preferred_username": account.username if account is not None else subject.client_id,
        "scopes": [str(scope) for scope in scopes],
        "version": VERSION,
        "filters": [],
        "is_restricted": False,
        "grant_type": grant_type,
        "email_verified": account is not None and account.email_verified,
        "administrator": is_admin or (account is not None and account.is_staff),
        "superuser": is_admin,
        "roles": [],
        "user_id": account.id if account is not None else None,
        "name": subject.name or "",
        "email": account.email if account is not None else "",
    }


def sign(keyring: Keyring, claims: dict[str, Any], purpose: str = ACCESS) -> str:
    """The token that says so."""
    import jwt  # with all of cryptography, for the first token

    return jwt.encode(claims, keyring.signing_keys(purpose)[0], ALGORITHM)


def find(
    connection: Connection, keyring: Keyring, issuer: Issuer, token: str, columns: Columns | None = None
) -> TokenRow | DeadToken:
    """The living access token of that text: ours, not expired, its client not revoked, its account active.

    :param columns: what the account's ``profile`` has
    """
    claims = _verified(keyring, issuer, token)
    if isinstance(claims, DeadToken):
        return claims
    account_id, grant_id = claims.get("user_id"), claims.get("grant")
    values = _find_statement(columns).first(
        connection,
        client_id=claims["azp"],
        account_id=account_id if account_id is not None else NO_ID,
        grant_id=grant_id if grant_id is not None else NO_ID,
    )
    if values is None:
        return DeadToken.REVOKED
    revoked, is_confidential, living_grant = selection_of(columns).after(values)
    if revoked is not None or living_grant != grant_id:
        return DeadToken.REVOKED
    account = None
    if account_id is not None:
        account = selection_of(columns).row(values)
        if account.id is None or account.state != AccountState.ACTIVE:
            return DeadToken.INACTIVE
        if account.credential_epoch != claims.get("epoch"):
            return DeadToken.REVOKED
    proof = Proof(GRANT, grant_id) if grant_id is not None else Proof(CLIENT, claims["azp"])
    return TokenRow(
        account,
        written(claims["scopes"]),
        datetime.fromtimestamp(claims["iat"], UTC),
        datetime.fromtimestamp(claims["exp"], UTC),
        claims["azp"],
        bool(is_confidential),
        proof,
    )


def _verified(keyring: Keyring, issuer: Issuer, token: str) -> dict[str, Any] | DeadToken:
    """What a token says that one of our keys signed, whatever its header says of keys and algorithms."""
    if len(token) > LONGEST_TOKEN or not _COMPACT.fullmatch(token):
        return DeadToken.MALFORMED
    import jwt  # as above

    for key in keyring.signing_keys(ACCESS):
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                [ALGORITHM],
                audience=issuer.audience,
                issuer=issuer.name,
                options={"require": _REQUIRED, "verify_iat": False},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError:
            return DeadToken.EXPIRED
        except jwt.DecodeError:
            return DeadToken.MALFORMED
        except jwt.InvalidTokenError:
            return DeadToken.UNKNOWN
        return claims
    return DeadToken.UNKNOWN


@cache
def _find_statement(columns: Columns | None) -> Prepared:
    return Prepared(
        select(
            *selection_of(columns).columns,
            OAuthClient.revoked,
            OAuthClient.secret_digest.is_not(None),
            OAuthGrant.id,
        )
        .select_from(OAuthClient)
        .outerjoin(Account, Account.id == bindparam("account_id"))
        .outerjoin(EmailAddress, (EmailAddress.account_id == Account.id) & EmailAddress.primary)
        .outerjoin(OAuthGrant, OAuthGrant.id == bindparam("grant_id"))
        .where(OAuthClient.client_id == bindparam("client_id"))
    )
