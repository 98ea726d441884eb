"""``Authorization: JWT``: a token that a client signs with the key of an account.

RFC 7519 as addons-server has it: the key is named by ``iss``, lives for five minutes at most, and may have an
id that makes it good for one use.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from accountsapp.domain.clock import now
from accountsapp.domain.credentials import jwt_keys
from accountsapp.domain.keyring import SealError
from accountsapp.security.credentials import words_after_scheme
from accountsapp.security.identity import Identity, Nobody, Reason

if TYPE_CHECKING:
    from jwt.types import Options

    from accountsapp.web.request import Request

log = logging.getLogger(__name__)

ALGORITHM = "HS256"
LONGEST_LIFE = 300.0
"""Seconds from ``iat`` to ``exp``."""
LEEWAY = 5.0
"""Seconds by which clocks may differ."""
LONGEST_TOKEN_ID = 255
LARGEST_TIME = 2**53
"""Numbers beyond are no times."""

_UNVERIFIED: "Options" = {"verify_signature": False}
"""The key is known after the token is read. Claims are looked at here, to tell apart what is wrong."""


@dataclass(frozen=True)
class ClockAhead(Nobody):
    """A token whose only fault is that it was made in the future.

    :ivar seconds: by how much the client's clock is ahead
    """

    seconds: int = 0


class _Bad(Exception):
    """A token that does not count; why is nobody's business."""


class Jwt:
    """A token signed with the key of an account (``accountsapp keys issue``)."""

    kind = "jwt"

    def identify(self, request: "Request") -> Identity | Nobody | None:
        words = words_after_scheme(request, "jwt")
        if words is None:
            return None
        if len(words) != 1:
            return Nobody(Reason.MALFORMED, self.kind)
        try:
            return self._identify(request, words[0])
        except _Bad:
            return Nobody(Reason.UNKNOWN, self.kind)

    def _identify(self, request: "Request", token: str) -> Identity | Nobody:
        """
        :raises _Bad: it does not count, and the client could not know better
        """
        unverified = _Unverified(token)
        try:
            signing = jwt_keys.find(request.store, unverified.issuer)
        except SealError:
            log.warning("a signing key was sealed with a secret that is not given any more")
            raise _Bad from None
        if signing is None:
            raise _Bad
        claims = _Claims(unverified.verified(signing.secret))
        if not signing.account.activated:
            raise _Bad
        moment = now().timestamp()
        if claims.expires + LEEWAY < moment:
            return Nobody(Reason.EXPIRED, self.kind)
        if claims.issued - LEEWAY > moment:
            return ClockAhead(Reason.UNKNOWN, self.kind, round(claims.issued - moment))
        if claims.token_id is not None:
            until = datetime.fromtimestamp(claims.expires + LEEWAY, UTC)
            by = request.environ.setdefault("accountsapp.token_user", token_hex(8))
            if not jwt_keys.use_once(request.store, unverified.issuer, claims.token_id, until=until, by=by):
                raise _Bad
        return Identity(signing.account, self.kind, proof=signing.proof)


class _Unverified:
    """A token as it is read, before anything of it is believed.

    :raises _Bad: it cannot be read, or is signed in another way than ours
    """

    def __init__(self, token: str) -> None:
        import jwt  # with all of cryptography, for the first token

        try:
            read = jwt.decode_complete(token, options=_UNVERIFIED)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _Bad from None
        header, self.payload = read["header"], read["payload"]
        issuer = self.payload.get("iss")
        if header.get("alg") != ALGORITHM or "crit" in header or not isinstance(issuer, str):
            raise _Bad
        self.issuer = issuer
        self._signed, self._signature = token.rpartition(".")[0].encode(), read["signature"]

    def verified(self, secret: str) -> dict[str, Any]:
        """The claims.

        :raises _Bad: the signature was not made with that secret
        """
        from jwt.algorithms import HMACAlgorithm  # as above

        if not HMACAlgorithm(HMACAlgorithm.SHA256).verify(self._signed, secret.encode(), self._signature):
            raise _Bad
        return self.payload


class _Claims:
    """What a token says, each claim of the right type and none at odds with another one.

    :raises _Bad: it is not so
    """

    def __init__(self, payload: dict[str, Any]) -> None:
        self.issued = _time(payload.get("iat"))
        self.expires = _time(payload.get("exp"))
        life = self.expires - self.issued
        if not 0 < life <= LONGEST_LIFE + LEEWAY:
            raise _Bad
        if "nbf" in payload and _time(payload["nbf"]) > now().timestamp() + LEEWAY:
            raise _Bad
        self.token_id: str | None = None
        if "jti" in payload:
            token_id = payload["jti"]
            if not isinstance(token_id, str) or not 0 < len(token_id) <= LONGEST_TOKEN_ID:
                raise _Bad
            self.token_id = token_id


def _time(value: object) -> float:
    """A number of seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_TIME:
        raise _Bad
    return float(value)
