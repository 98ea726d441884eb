"""The kinds of credentials, each a small class.

An API root names the kinds it accepts (``accepts``). The first one that is presented decides; a bad one never
falls through to another.
"""

import re
from base64 import b64decode
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from accountsapp.domain.credentials import sessions, signin
from accountsapp.domain.data.proofs import API_KEY, Proof, Terms
from accountsapp.domain.errors import InactiveAccount, WrongPassword
from accountsapp.domain.oauth import jwts, tokens
from accountsapp.domain.oauth.jwts import Issuer
from accountsapp.domain.oauth.tokens import DeadToken, TokenRow
from accountsapp.domain.rules.api_keys import is_plausible
from accountsapp.security import scopes, session_cookie, visitors
from accountsapp.security.identity import Identity, Nobody, Reason

if TYPE_CHECKING:
    from accountsapp.web.request import Request


class Credential(Protocol):
    """One kind of credential."""

    kind: str
    """Its name in ``accountsapp tree`` and in logs."""

    def identify(self, request: "Request") -> Identity | Nobody | None:
        """Who presented it; :class:`Nobody` for a bad one; None where there is none of this kind."""


class Place(StrEnum):
    """Where in a request an API key stands; of several places the first one of these is noted."""

    HEADER = "header"
    QUERY = "query"
    BODY = "body"
    BEARER = "bearer"


class ApiKeyParameter:
    """The parameter ``api_key``: in the query string, on unsafe methods in the body too.

    All values given, in all places, must be the same string.

    :param header: one that may have the key as well
    """

    kind = "api_key"

    def __init__(self, header: str | None = None) -> None:
        self.header = header
        self._variable = _variable_of(header) if header is not None else ""

    def identify(self, request: "Request") -> Identity | Nobody | None:
        values = request.parameters.all("api_key")
        in_header = request.environ.get(self._variable)
        if in_header is not None:
            values.append(_decoded(in_header))
        if not any(values):
            return None
        if in_header is not None:
            place = Place.HEADER
        else:
            place = Place.QUERY if "api_key" in dict(request.parameters.query) else Place.BODY
        agreed = isinstance(values[0], str) and values.count(values[0]) == len(values)
        return by_api_key(request, self.kind, values[0] if agreed else "", place)


class ApiKeyHeader:
    """An API key in a header of its own.

    :param name: of the header, such as ``X-Api-Key``
    """

    def __init__(self, name: str) -> None:
        self.kind = name.lower()
        self.header = name
        self._variable = _variable_of(name)

    def identify(self, request: "Request") -> Identity | Nobody | None:
        value = request.environ.get(self._variable, "")
        if not value:
            return None
        api_key = _decoded(value)
        return by_api_key(request, self.kind, api_key if isinstance(api_key, str) else "", Place.HEADER)


def _variable_of(header: str) -> str:
    """What WSGI calls a header."""
    return "HTTP_" + header.upper().replace("-", "_")


def _decoded(value: str) -> str | bytes:
    """The value of a header; bytes, which are no key, where it is not UTF-8."""
    raw = value.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def by_api_key(request: "Request", kind: str, api_key: str, place: Place) -> Identity | Nobody:
    """Whose API key that is; wrong ones count by client address, whichever way they come.

    :raises TooManyAttempts: too many wrong ones
    """
    store = request.store
    store.throttle.check("api-key", store.client_network)
    pair = store.reader.by_api_key(api_key) if is_plausible(api_key) else None
    if pair is None or pair[1].has_expired:
        store.throttle.count("api-key", store.client_network)
        return Nobody(Reason.UNKNOWN)
    account, key = pair
    terms = Terms(key.scopes, key.expires) if key.public_id is not None else None
    return Identity(
        account,
        kind,
        scopes=scopes.of_key(key.scopes),
        secret=api_key,
        proof=Proof(API_KEY, key.id, terms),
        key=key,
        place=place,
    )


class SessionCookie:
    """The cookie ``sessionid`` of somebody who signed in. A visitor's cookie is no credential.

    Of several cookies of that name the first one that is a session counts.
    """

    kind = session_cookie.KIND

    def identify(self, request: "Request") -> Identity | Nobody | None:
        for value in session_cookie.values_in(request):
            session = sessions.find(request.store.connection, value, request.store.columns)
            if session is not None:
                return self._identity(request, session, value)
        return None

    def _identity(self, request: "Request", session: sessions.SessionRow, value: str) -> Identity:
        if session.needs_touch:
            sessions.touch(request.store.begin, session.id)
            # The browser's copy has an age too.
            request.add_response_callback(
                lambda _request, response: session_cookie.keep_cookie(request, response, value)
            )
        return Identity(session.account, self.kind, secret=value, proof=session.proof)


class SessionHeader:
    """``Authorization: Session``: the value of a session's cookie, for programs.

    The value of a visitor's cookie is no credential: there are pages that send any that they have.
    """

    kind = "session header"

    def identify(self, request: "Request") -> Identity | Nobody | None:
        words = words_after_scheme(request, "session")
        if words is None:
            return None
        if len(words) != 1:
            return Nobody(Reason.MALFORMED, self.kind)
        (value,) = words
        if visitors.is_visitor(request.store.keyring, value):
            return Nobody(Reason.NO_CREDENTIAL, self.kind)
        session = sessions.find(request.store.connection, value, request.store.columns)
        if session is None:
            return Nobody(Reason.UNKNOWN, self.kind)
        if session.needs_touch:
            sessions.touch(request.store.begin, session.id)
        account = request.store.reader.remember(session.account)
        return Identity(account, self.kind, secret=value, proof=session.proof)


class Basic:
    """``Authorization: Basic``: username and password (RFC 7617, UTF-8; the first colon separates).

    :param grants: the permissions that it grants; None for all
    :param writes: whether a failure is recorded, and a hash of a lower cost made anew
    """

    kind = "basic"

    def __init__(self, grants: frozenset[str] | None = scopes.ALL, *, writes: bool = True) -> None:
        self._grants = grants
        self._writes = writes

    def identify(self, request: "Request") -> Identity | Nobody | None:
        header = request.environ.get("HTTP_AUTHORIZATION", "")
        if _after_scheme(header, "basic") is None:
            return None
        pair = basic_pair(header)
        if pair is None:
            return Nobody(Reason.MALFORMED)
        username, password = pair
        try:
            account = signin.authenticate_remembered(request.store, username, password, writes=self._writes)
        except WrongPassword:
            return Nobody(Reason.UNKNOWN)
        except InactiveAccount:
            return Nobody(Reason.INACTIVE)
        vouches = account.is_staff or account.is_admin
        return Identity(account, self.kind, scopes=self._grants, vouches=vouches)


class Bearer:
    """``Authorization: Bearer``: an access token of the authorization server."""

    kind = "bearer"

    def identify(self, request: "Request") -> Identity | Nobody | None:
        value = _after_scheme(request.environ.get("HTTP_AUTHORIZATION", ""), "bearer")
        if value is None:
            return None
        if not _TOKEN.fullmatch(value):
            return Nobody(Reason.MALFORMED)
        return _by_token(
            request, self.kind, tokens.find(request.store.connection, value, request.store.columns)
        )


class SignedToken:
    """``Authorization: JWT``: a signed access token of the authorization server.

    :param issuer_path: where that server is, below ``site_url``
    """

    kind = "signed token"

    def __init__(self, issuer_path: str) -> None:
        self._issuer_path = issuer_path

    def identify(self, request: "Request") -> Identity | Nobody | None:
        value = _after_scheme(request.environ.get("HTTP_AUTHORIZATION", ""), "jwt")
        if value is None:
            return None
        site_url, store = request.app_settings.site_url, request.store
        issuer = Issuer(site_url + self._issuer_path, site_url)
        token = jwts.find(store.connection, store.keyring, issuer, value, store.columns)
        return _by_token(request, self.kind, token)


def _by_token(request: "Request", kind: str, token: TokenRow | DeadToken) -> Identity | Nobody:
    if isinstance(token, DeadToken):
        return Nobody(_REASONS[token])
    account = request.store.reader.remember(token.account)
    return Identity(
        account,
        kind,
        scopes=scopes.permissions(token.scope),
        vouches=token.client_id is None or token.client_is_confidential,
        proof=token.proof,
    )


_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What may stand after ``Bearer`` (RFC 6750 2.1)."""

_REASONS = {
    DeadToken.MALFORMED: Reason.MALFORMED,
    DeadToken.UNKNOWN: Reason.UNKNOWN,
    DeadToken.EXPIRED: Reason.EXPIRED,
    DeadToken.REVOKED: Reason.UNKNOWN,
    DeadToken.INACTIVE: Reason.INACTIVE,
}


class OtherScheme:
    """An ``Authorization`` header that no kind named before this one has taken: bad, not absent.

    :param parameters: of the query string, that are credentials elsewhere
    """

    kind = "other scheme"

    def __init__(self, *parameters: str) -> None:
        self._parameters = frozenset(parameters)

    def identify(self, request: "Request") -> Identity | Nobody | None:
        if request.environ.get("HTTP_AUTHORIZATION") or request.parameters.are_in_query(self._parameters):
            return Nobody(Reason.OTHER_SCHEME)
        return None


def basic_pair(header: str) -> tuple[str, str] | None:
    """User-id and password of an ``Authorization`` header; None if it cannot be read as Basic."""
    try:
        decoded = b64decode(_after_scheme(header, "basic") or "", validate=True).decode()
    except ValueError:
        return None
    user_id, colon, password = decoded.partition(":")
    return (user_id, password) if user_id and colon else None


def words_after_scheme(request: "Request", scheme: str) -> list[str] | None:
    """The words after the scheme of the ``Authorization`` header, if it names that scheme, in any case."""
    rest = _after_scheme(request.environ.get("HTTP_AUTHORIZATION", ""), scheme)
    return rest.split() if rest is not None else None


def _after_scheme(header: str, scheme: str) -> str | None:
    """What an ``Authorization`` header says after the scheme, if it names that scheme, in any case."""
    named, _, rest = header.partition(" ")
    return rest.strip() if named.lower() == scheme else None
