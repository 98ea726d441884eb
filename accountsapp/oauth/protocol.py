"""The endpoints as oauthlib has them, with our rules where they are stricter than its own.

What a request says goes in as pairs that were read strictly; what comes out is put into a response here, so
that views stay short and the rules can be mounted at more than one URL.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from oauthlib.common import Request as ProtocolRequest
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.endpoints.authorization import AuthorizationEndpoint
from oauthlib.oauth2.rfc6749.endpoints.introspect import IntrospectEndpoint
from oauthlib.oauth2.rfc6749.endpoints.revocation import RevocationEndpoint
from oauthlib.oauth2.rfc6749.endpoints.token import TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from pyramid.response import Response

from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.errors import StaleCredential
from accountsapp.domain.oauth import tokens
from accountsapp.domain.oauth.clients import ClientRow
from accountsapp.domain.oauth.scopes import Scope, in_order
from accountsapp.domain.rules.text import is_encodable
from accountsapp.oauth.redirects import with_parameters
from accountsapp.oauth.signing import SignedToken, Signing
from accountsapp.oauth.validator import ConfidentialOnly, Validator
from accountsapp.web.answers import HEADERS, json_answer

if TYPE_CHECKING:
    from accountsapp.web.request import Request

REALM = "accounts"
AUTHORIZATION = (
    "client_id",
    "response_type",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
"""The parameters of an authorization request; others are ignored."""
ENDPOINTS = {
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "username",
    "password",
    "access_token",
}
"""What requests to the endpoints may say, and other credentials; whatever else is said is ignored."""
SIGNING_ENDPOINTS = ENDPOINTS | {"token_type"}
"""The same of endpoints that sign tokens."""
UNSIGNED, SIGNED = "bearer", "jwt"
"""What ``token_type`` may be."""
FATAL_TWICE = {"client_id", "redirect_uri"}
"""Given twice, they name nobody who could be told."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""BASE64URL(SHA256(…)) (RFC 7636 4.2)."""

URI = "/"
"""oauthlib asks for the endpoint's URI and looks at its query alone."""


class CodeGrant(AuthorizationCodeGrant):
    """PKCE by ``S256`` alone, codes that logs know when they see one, and redirect URIs kept as they are.

    :param issuer: who answers an authorization request (RFC 9207)
    :param repeated: the parameters of the authorization request that were given twice
    """

    _code_challenge_methods = {"S256": code_challenge_method_s256}

    def __init__(self, validator: Validator, issuer: str = "", repeated: Set[str] = frozenset()) -> None:
        super().__init__(validator, pre_auth=[self._check_authorization])
        self._issuer = issuer
        self._repeated = repeated

    def create_authorization_code(self, request: ProtocolRequest) -> dict[str, str]:
        state = {"state": request.state} if request.state else {}
        return {"code": tokens.make_code(), **state}

    def prepare_authorization_response(
        self, request: ProtocolRequest, token: dict[str, str], headers: dict[str, str], body: Any, status: int
    ) -> tuple[dict[str, str], Any, int]:
        location = with_parameters(request.redirect_uri, [*token.items(), ("iss", self._issuer)])
        return {**headers, "Location": location}, body, status

    def _check_authorization(self, request: ProtocolRequest) -> dict[str, Any]:
        if self._repeated:
            raise errors.InvalidRequestError("A parameter was given twice.", request=request)
        if request.response_type != "code":
            raise errors.UnsupportedResponseTypeError(request=request)
        if request.code_challenge is None and request.code_challenge_method is not None:
            raise errors.MissingCodeChallengeError(request=request)
        if request.code_challenge is not None and not _CHALLENGE.fullmatch(request.code_challenge):
            raise errors.InvalidRequestError("The code challenge is none.", request=request)
        return {}


def _bearer(validator: Validator) -> BearerToken:
    return BearerToken(
        validator,
        token_generator=lambda request: tokens.make_access_token(),
        refresh_token_generator=lambda request: tokens.make_refresh_token(),
        expires_in=tokens.ACCESS_LIFE,
    )


class AuthorizationRequest:
    """A good authorization request.

    :ivar query: its query string, read strictly and written anew, with its question mark
    """

    def __init__(self, endpoint: AuthorizationEndpoint, uri: str, issuer: str) -> None:
        scopes, info = endpoint.validate_authorization_request(uri)
        self.client: ClientRow = info["request"].client
        self.redirect_uri: str = info["redirect_uri"]
        self.scopes: list[Scope] = in_order(scopes)
        self.query = uri.removeprefix(URI)
        self._state: str | None = info["state"]
        self._endpoint = endpoint
        self._issuer = issuer
        self._uri = uri

    def allow(self, account: AccountRow) -> str:
        """The account lets the client in.

        :returns: the URI to go to, with the code
        """
        headers, _, _ = self._endpoint.create_authorization_response(self._uri, credentials={"user": account})
        return headers["Location"]

    def deny(self) -> str:
        """The account does not.

        :returns: the URI to go to, with the error
        """
        error = errors.AccessDeniedError(state=self._state)
        return with_parameters(self.redirect_uri, [*error.twotuples, ("iss", self._issuer)])


def authorization_request(request: "Request", issuer: str) -> AuthorizationRequest:
    """What the query asks for.

    :param issuer: who answers it
    :raises HTTPBadRequest: the query string cannot be read
    :raises FatalClientError: the client or its redirect URI are not known, or said twice
    :raises OAuth2Error: anything else; goes back to ``error.redirect_uri``
    """
    # An empty parameter counts as left out (RFC 6749 3.1).
    pairs = [(name, value) for name, value in request.parameters.query if name in AUTHORIZATION and value]
    counts = Counter(name for name, _ in pairs)
    repeated = {name for name, count in counts.items() if count > 1}
    if repeated & FATAL_TWICE:
        raise errors.InvalidRequestFatalError("A parameter was given twice.")
    validator = Validator(request.store)
    endpoint = AuthorizationEndpoint(
        "code", _bearer(validator), {"code": CodeGrant(validator, issuer, repeated)}
    )
    first: dict[str, str] = {}
    for name, value in pairs:
        first.setdefault(name, value)
    return AuthorizationRequest(endpoint, f"{URI}?{urlencode(first)}", issuer)


def token_answer(request: "Request", signing: Signing | None = None) -> Response:
    """What the token endpoint says.

    :param signing: how it signs tokens for those who ask for such, and that it serves clients that act by
        themselves; None: it does neither
    """
    validator = Validator(request.store)
    grants: dict[str, Any] = {
        "authorization_code": CodeGrant(validator),
        "refresh_token": RefreshTokenGrant(validator, post_token=[_each_scope_once]),
    }
    if signing is not None:
        grants["client_credentials"] = ClientCredentialsGrant(
            validator,
            pre_token=[validator.check_confidential],
            post_token=[_each_scope_once, validator.check_owner],
        )

    def answer(parameters: dict[str, str], headers: dict[str, str]) -> tuple[Any, str, int]:
        token_type = parameters.pop("token_type", UNSIGNED).lower()
        if signing is not None and token_type == SIGNED:
            kind: BearerToken = SignedToken(validator, request.store, signing)
        elif token_type == UNSIGNED:
            kind = _bearer(validator)
        else:
            raise errors.InvalidRequestError("The token_type is bearer or jwt.")
        endpoint = TokenEndpoint("authorization_code", kind, grants)
        if "grant_type" not in parameters:
            raise errors.InvalidRequestError("Missing grant_type parameter.")
        if parameters["grant_type"] not in grants:
            raise errors.UnsupportedGrantTypeError
        try:
            return endpoint.create_token_response(URI, "POST", parameters, headers)
        except StaleCredential:
            raise errors.UnauthorizedClientError from None

    response = _answer(request, answer, ENDPOINTS if signing is None else SIGNING_ENDPOINTS)
    response.headerlist.append(("Pragma", "no-cache"))
    return response


def _each_scope_once(request: ProtocolRequest) -> None:
    request.scopes = in_order(request.scopes)


class Revocation(RevocationEndpoint):
    """Asks who the client is before what it wants."""

    def validate_revocation_request(self, request: ProtocolRequest) -> None:
        self._raise_on_invalid_client(request)
        super().validate_revocation_request(request)


class Introspection(IntrospectEndpoint):
    """As :class:`Revocation`."""

    def validate_introspect_request(self, request: ProtocolRequest) -> None:
        self._raise_on_invalid_client(request)
        super().validate_introspect_request(request)


def revocation_answer(request: "Request") -> Response:
    """What the revocation endpoint (RFC 7009) says."""
    endpoint = Revocation(Validator(request.store))
    return _answer(
        request,
        lambda parameters, headers: endpoint.create_revocation_response(URI, "POST", parameters, headers),
    )


def introspection_answer(request: "Request") -> Response:
    """What the introspection endpoint (RFC 7662) says."""
    endpoint = Introspection(ConfidentialOnly(request.store))
    return _answer(
        request,
        lambda parameters, headers: endpoint.create_introspect_response(URI, "POST", parameters, headers),
    )


Answer = Callable[[dict[str, str], dict[str, str]], tuple[Any, str, int]]


def _answer(request: "Request", answer: Answer, known: Set[str] = ENDPOINTS) -> Response:
    """
    :param known: the parameters that count
    """
    try:
        _, body, status = answer(_parameters(request, known), _headers(request))
    except errors.OAuth2Error as error:
        body, status = error.json, error.status_code
    if not body:
        # A type although there is nothing: WSGI's validator wants one, and so do clients.
        headers = [("Content-Type", "application/json"), ("Content-Length", "0"), *HEADERS]
        return Response(status=status, headerlist=headers)
    response = json_answer(request, json.loads(body), status)
    if status == 401:
        response.headerlist.append(("WWW-Authenticate", f'Basic realm="{REALM}"'))
    return response


def _parameters(request: "Request", known: Set[str]) -> dict[str, str]:
    """The known parameters of the body: texts, each at most once; empty ones count as left out.

    :raises HTTPClientError: it cannot be read
    :raises InvalidRequestError: other values of known names, known names given twice or in the URL
    """
    if any(name in known for name, _ in request.parameters.query):
        raise errors.InvalidRequestError("Parameters in the URL are not allowed.")
    values: dict[str, str] = {}
    for name, value in request.parameters.body:
        if name not in known:
            continue
        if not isinstance(value, str) or not is_encodable(value):
            raise errors.InvalidRequestError("The value of a parameter is no text.")
        if name in values:
            raise errors.InvalidRequestError("A parameter was given twice.")
        if value:
            values[name] = value
    return values


def _headers(request: "Request") -> dict[str, str]:
    authorization = request.environ.get("HTTP_AUTHORIZATION")
    return {"Authorization": authorization} if authorization else {}
