"""Kinds of credentials as Security Scheme Objects of OpenAPI."""

from collections.abc import Iterator, Mapping
from typing import Any

from accountsapp.security.credentials import (
    ApiKeyHeader,
    ApiKeyParameter,
    Basic,
    Bearer,
    Credential,
    OtherScheme,
    SessionCookie,
    SessionHeader,
)
from accountsapp.tree import OPEN, Offer
from accountsapp.web.checks import accepts_cookie
from accountsapp.web.transactions import SAFE_METHODS

Scheme = Mapping[str, Any]
CSRF: Scheme = {
    "type": "apiKey",
    "in": "header",
    "name": "X-CSRFToken",
    "description": "The token of the session or of the visitor, as forms have it.",
}
VISITOR: Scheme = {
    "type": "apiKey",
    "in": "cookie",
    "name": "sessionid",
    "description": "The cookie that came with the token.",
}


def schemes_of(credential: Credential, own: Mapping[str, Scheme]) -> Iterator[tuple[str, Scheme]]:
    """The ways to present a credential, each with its name.

    :param own: the schemes of kinds that an API has for itself
    :raises KeyError: a kind that is described nowhere
    """
    if credential.kind in own:
        yield credential.kind.replace(" ", "-"), own[credential.kind]
        return
    match credential:
        case ApiKeyParameter():
            if credential.header is not None:
                yield "api-key-header", _api_key(credential.header, "header")
            yield "api-key", _api_key("api_key", "query")
        case ApiKeyHeader():
            yield "api-key-header", _api_key(credential.header, "header")
        case SessionCookie():
            yield "session", {"type": "apiKey", "in": "cookie", "name": "sessionid"}
        case SessionHeader():
            yield (
                "session-header",
                {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Session` and the value of a session's cookie, such as `Session abc…`.",
                },
            )
        case Basic():
            yield "basic", {"type": "http", "scheme": "basic"}
        case Bearer():
            yield "bearer", {"type": "http", "scheme": "bearer", "description": "An OAuth 2.0 access token."}
        case _:
            raise KeyError(credential.kind)


def requirements(
    offer: Offer, method: str, own: Mapping[str, Scheme]
) -> tuple[list[dict[str, list[str]]], dict[str, Scheme]]:
    """The Security Requirement Objects of an operation, one of which is enough, and the schemes in them."""
    needs_token = offer.checks_csrf and method not in SAFE_METHODS
    if offer.row.permission == OPEN or offer.api is None:
        if needs_token:
            return [{"visitor": [], "csrf": []}], {"visitor": VISITOR, "csrf": CSRF}
        return [], {}
    alternatives: list[dict[str, list[str]]] = []
    schemes: dict[str, Scheme] = {}
    for credential in offer.api.accepts:
        if isinstance(credential, OtherScheme):
            continue
        for name, scheme in schemes_of(credential, own):
            schemes[name] = scheme
            requirement: dict[str, list[str]] = {name: []}
            if needs_token and accepts_cookie((credential,)):
                requirement["csrf"] = []
                schemes["csrf"] = CSRF
            alternatives.append(requirement)
    return alternatives, schemes


def _api_key(name: str, place: str) -> Scheme:
    return {"type": "apiKey", "in": place, "name": name}
