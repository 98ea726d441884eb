"""What a raised exception means over HTTP, whatever the API: a status, a text, headers.

Each API's error view puts a :class:`Failure` into its own format.
"""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyramid.exceptions import PredicateMismatch
from pyramid.httpexceptions import HTTPException, HTTPForbidden
from sqlalchemy.exc import SQLAlchemyError

from accountsapp.db.errors import cause_of
from accountsapp.domain.errors import (
    AccountNotFound,
    AuthorityChanged,
    Busy,
    DomainError,
    EmailNotFound,
    PasswordNeeded,
    StaleCredential,
    TooManyAttempts,
    UnknownKey,
)
from accountsapp.security.identity import Reason
from accountsapp.security.policy import Refused
from accountsapp.web.fields import InvalidFields
from accountsapp.web.methods import allowed_methods

if TYPE_CHECKING:
    from accountsapp.web.request import Request

log = logging.getLogger(__name__)

TEXTS = {
    401: "Authentication is required.",
    403: "Not authorized for request.",
    404: "Not found.",
    405: "That method is not allowed here.",
    500: "Something went wrong on our side.",
    503: "The service is busy, please try again.",
}
NOT_POSSIBLE = "That is not possible."
"""Of a refusal that has no words of its own."""


@dataclass(frozen=True)
class Failure:
    """A refusal or a fault of ours.

    :ivar status: HTTP status
    :ivar text: an English sentence for people, without secrets and without what the client sent
    :ivar headers: such as ``Allow`` and ``Retry-After``
    :ivar reason: why the caller may not, if that is what it is about
    :ivar refused: what the security policy said, where it was asked
    """

    status: int
    text: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    reason: Reason | None = None
    refused: Refused | None = None


def failure_of(error: BaseException, request: "Request") -> Failure:
    """The failure that an exception means; what is not foreseen is logged and is a 500."""
    match error:
        case PredicateMismatch():
            return Failure(405, TEXTS[405], [("Allow", ", ".join(allowed_methods(request)))])
        case HTTPForbidden():
            refused = error.result if isinstance(error.result, Refused) else None
            reason = refused.reason if refused is not None else None
            return Failure(403, TEXTS[403], reason=reason, refused=refused)
        case HTTPException():
            text = TEXTS.get(error.code) or error.detail or error.title
            return Failure(error.code, text)
        case AccountNotFound() | EmailNotFound() | UnknownKey():
            return Failure(404, TEXTS[404])
        case InvalidFields():
            return Failure(400, error.first_text)
        case PasswordNeeded():
            return Failure(403, str(error))
        case StaleCredential():
            return Failure(403, TEXTS[403], reason=Reason.STALE)
        case AuthorityChanged():  # again and again
            return Failure(503, TEXTS[503], [("Retry-After", "1")])
        case TooManyAttempts():
            return Failure(429, str(error), [("Retry-After", str(error.retry_after))])
        case Busy():
            return Failure(503, str(error), [("Retry-After", str(error.retry_after))])
        case DomainError():
            return Failure(400, str(error) or NOT_POSSIBLE)
        case SQLAlchemyError() if cause_of(error) is not None:
            return Failure(503, TEXTS[503], [("Retry-After", "2")])
    log.error("request %s failed", request.id, exc_info=error)
    return Failure(500, TEXTS[500])
