"""Signed access tokens, for clients that ask for such."""

from typing import Any, NamedTuple

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.tokens import BearerToken

from accountsapp.domain.data import reads
from accountsapp.domain.oauth import jwts, tokens
from accountsapp.domain.oauth.jwts import Issuer, Subject
from accountsapp.domain.store import Store
from accountsapp.oauth.validator import Validator


class Signing(NamedTuple):
    """How a token endpoint signs.

    :ivar seconds: how long a token lives
    """

    issuer: Issuer
    seconds: int


class FullName(NamedTuple):
    """The column that a token shows of its account besides."""

    name: str | None


class SignedToken(BearerToken):
    """Makes tokens of the type ``JWT``."""

    def __init__(self, validator: Validator, store: Store, signing: Signing) -> None:
        super().__init__(
            validator,
            token_generator=self._sign,
            refresh_token_generator=lambda request: tokens.make_refresh_token(),
            expires_in=signing.seconds,
        )
        self._validator = validator
        self._store = store
        self._signing = signing

    def create_token(self, request: Request, refresh_token: bool = False, **kwargs: Any) -> Any:
        token = super().create_token(request, refresh_token=refresh_token, **kwargs)
        token["token_type"] = "JWT"  # noqa: S105
        return token

    def _sign(self, request: Request) -> str:
        account, claim = request.user, self._validator.claim
        profile = reads.profile(self._store.latest, account.id, FullName) if account is not None else None
        claims = jwts.claims_of(
            Subject(
                account,
                profile.name if profile is not None else None,
                request.client.client_id,
                claim.grant_id if claim is not None else None,
            ),
            self._signing.issuer,
            request.scopes,
            grant_type=request.grant_type,
            seconds=self._signing.seconds,
        )
        return jwts.sign(self._store.keyring, claims)
