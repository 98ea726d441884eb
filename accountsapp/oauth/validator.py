"""The answers to oauthlib's questions: every hook is a look into the domain."""

import re
from typing import Any
from urllib.parse import unquote_plus

from oauthlib.common import Request
from oauthlib.oauth2 import InvalidClientIdError, RequestValidator, UnauthorizedClientError

from accountsapp.domain.errors import ClientNotFound
from accountsapp.domain.oauth import clients, tokens
from accountsapp.domain.oauth.clients import ClientRow
from accountsapp.domain.oauth.scopes import DEFAULT, Scope
from accountsapp.domain.store import Store
from accountsapp.security.credentials import basic_pair

BEARER = "Bearer"
"""The type of tokens that the database has."""
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""Of PKCE (RFC 7636 4.1)."""


class Validator(RequestValidator):
    """Serves one request.

    :ivar claim: the code or refresh token that was presented, locked until the transaction ends
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.claim: tokens.Claim | None = None

    # Who the client is

    def client_authentication_required(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """A client that shows a secret, or has one, must prove itself; an unknown one fails to."""
        client_id, secret = self._presented(request)
        if secret:
            return True
        client = clients.find(self._store.connection, client_id) if client_id else None
        return client is None or client.is_confidential

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        client_id, secret = self._presented(request)
        client = clients.find(self._store.connection, client_id) if client_id else None
        if client is None or not secret or not client.has_secret(secret):
            return False
        request.client, request.client_id = client, client.client_id
        return True

    def authenticate_client_id(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        client_id = self._presented(request)[0]
        client = clients.find(self._store.connection, client_id) if client_id else None
        if client is None or client.is_confidential:
            return False
        request.client, request.client_id = client, client.client_id
        return True

    @staticmethod
    def _presented(request: Request) -> tuple[str, str]:
        """Client id and secret, by HTTP Basic or in the body; nothing where the two disagree."""
        header = request.headers.get("Authorization")
        in_body = (request._params["client_id"] or "", request._params["client_secret"] or "")
        if header is None or header.partition(" ")[0].lower() != "basic":
            return in_body
        in_header = _client_of(header)
        if in_header is None:
            return "", ""
        if in_body[0] not in ("", in_header[0]) or in_body[1] not in ("", in_header[1]):
            return "", ""
        return in_header

    # The authorization request

    def validate_client_id(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        request.client = clients.find(self._store.connection, client_id)
        return request.client is not None

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return request.client.may_be_answered_at(redirect_uri)

    def get_default_redirect_uri(
        self, client_id: str, request: Request, *args: Any, **kwargs: Any
    ) -> str | None:
        uris = request.client.redirect_uris
        return uris[0] if uris else None

    def validate_response_type(
        self,
        client_id: str,
        response_type: str,
        client: ClientRow,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        return response_type == "code"

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        return not request.client.is_confidential

    def get_default_scopes(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> list[Scope]:
        if request.grant_type == "client_credentials":
            return list(request.client.scopes)
        return [scope for scope in DEFAULT if scope in request.client.scopes]

    def validate_scopes(
        self,
        client_id: str,
        scopes: list[str],
        client: ClientRow,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        return bool(scopes) and all(scope in client.scopes for scope in scopes)

    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """
        :raises InvalidClientIdError: the client was revoked meanwhile
        """
        try:
            tokens.grant(
                self._store,
                request.client,
                request.user.id,
                request.scopes,
                code=code["code"],
                redirect_uri=None if request.using_default_redirect_uri else request.redirect_uri,
                challenge=request.code_challenge,
            )
        except ClientNotFound:
            raise InvalidClientIdError(request=request) from None

    # The token request

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: ClientRow, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return True

    def validate_code(
        self, client_id: str, code: str, client: ClientRow, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """A redirect URI or a verifier that does not fit is as bad as the code itself."""
        claim = tokens.claim_code(self._store, client, code)
        if claim is None or claim.redirect_uri != request.redirect_uri:
            return False
        verifier = request.code_verifier
        if verifier is not None and (claim.challenge is None or not _VERIFIER.fullmatch(verifier)):
            return False
        self._use(claim, request)
        request.scopes = claim.scopes
        return True

    def get_code_challenge(self, code: str, request: Request) -> str | None:
        return self.claim.challenge if self.claim else None

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        return "S256"

    def confirm_redirect_uri(
        self,
        client_id: str,
        code: str,
        redirect_uri: str,
        client: ClientRow,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        """It was compared with the code's in :meth:`validate_code`."""
        return True

    def validate_refresh_token(
        self, refresh_token: str, client: ClientRow, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        claim = tokens.claim_refresh(self._store, client, refresh_token)
        if claim is None:
            return False
        self._use(claim, request)
        return True

    def get_original_scopes(
        self, refresh_token: str, request: Request, *args: Any, **kwargs: Any
    ) -> list[Scope]:
        return self.claim.scopes if self.claim else []

    def rotate_refresh_token(self, request: Request) -> bool:
        return True

    def save_token(self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any) -> None:
        access_token = token["access_token"] if token["token_type"] == BEARER else None
        if self.claim is not None:
            tokens.issue(self._store, self.claim, access_token, token["refresh_token"], request.scopes)
        elif access_token is not None:
            client: ClientRow = request.client
            tokens.issue_by_hand(
                self._store, client.owner_id, request.scopes, client_id=client.id, token=access_token
            )

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """``tokens.issue`` did, under the same lock."""

    def _use(self, claim: tokens.Claim, request: Request) -> None:
        self.claim = claim
        request.user = claim.account
        request.extra_credentials = {"username": claim.account.username, "user_id": claim.account.id}

    # A client that acts by itself

    def check_confidential(self, request: Request) -> None:
        """
        :raises UnauthorizedClientError: the client that is named has no secret
        """
        client_id, secret = self._presented(request)
        client = clients.find(self._store.connection, client_id) if client_id and not secret else None
        if client is not None and not client.is_confidential:
            raise UnauthorizedClientError(request=request)

    def check_owner(self, request: Request) -> None:
        """
        :raises UnauthorizedClientError: the account that the client acts for is not active
        """
        client: ClientRow = request.client
        if client.owner_id is not None:
            request.user = self._store.reader.by_id(client.owner_id)
            if request.user is None or not request.user.activated:
                raise UnauthorizedClientError(request=request)

    # Revocation and introspection

    def revoke_token(
        self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        tokens.revoke(self._store, request.client, token)

    def introspect_token(
        self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        row = tokens.find(self._store.connection, token)
        client: ClientRow = request.client
        if isinstance(row, tokens.DeadToken):
            return None
        if row.client_id != client.client_id and not client.is_resource_server:
            return None
        claims: dict[str, Any] = {
            "scope": row.scope,
            "token_type": "Bearer",
            "exp": int(row.expires.timestamp()),
            "iat": int(row.created.timestamp()),
        }
        if row.client_id is not None:
            claims["client_id"] = row.client_id
        if row.account is not None:
            claims |= {"username": row.account.username, "sub": str(row.account.id)}
        return claims


class ConfidentialOnly(Validator):
    """For endpoints that only clients with a secret may use."""

    def client_authentication_required(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        return True


def _client_of(header: str) -> tuple[str, str] | None:
    """Client id and secret of HTTP Basic, each form-encoded (RFC 6749 2.3.1); None if they cannot be read."""
    pair = basic_pair(header)
    if pair is None:
        return None
    try:
        client_id, secret = (unquote_plus(part, errors="strict") for part in pair)
    except UnicodeDecodeError:
        return None
    return client_id, secret
