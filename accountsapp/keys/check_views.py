"""The answer to a proxy whose caller may: who it is, in headers."""

from collections.abc import Iterator
from urllib.parse import quote

from pyramid.response import Response
from pyramid.view import view_config

from accountsapp.domain.data.reads import AccountRow
from accountsapp.keys.check_question import effective_scopes
from accountsapp.keys.check_resources import KeyCheck
from accountsapp.security.credentials import ApiKeyParameter
from accountsapp.security.identity import Identity
from accountsapp.security.permissions import Permission
from accountsapp.web.answers import HEADERS
from accountsapp.web.request import Request

PLAIN = "".join(chr(code) for code in range(ord("!"), ord("~") + 1) if chr(code) != "%")
"""The characters that stand for themselves in a value."""


@view_config(context=KeyCheck, request_method="GET", permission=Permission.CALLER_READ)
def check(context: KeyCheck, request: Request) -> Response:
    """The caller has all that is required."""
    headers = [("Content-Length", "0"), *HEADERS, *headers_of(request.caller, request.actor)]
    return Response(app_iter=[], headerlist=headers)


def headers_of(caller: Identity, account: AccountRow) -> Iterator[tuple[str, str]]:
    """What an application behind the proxy is told."""
    scopes = effective_scopes(caller)
    yield "X-Auth-User", encoded(account.username)
    yield "X-Auth-User-Id", str(account.id)
    yield "X-Auth-Scopes", " ".join(scopes)
    yield "X-Auth-Credential", credential_of(caller)
    if Permission.ACCOUNT_READ in scopes and account.profile.name:
        yield "X-Auth-Name", encoded(account.profile.name)
    if account.email_verified and {Permission.ACCOUNT_READ, Permission.EMAIL_READ} & {*scopes}:
        yield "X-Auth-Email", encoded(account.email)


def credential_of(caller: Identity) -> str:
    """What the caller was proved by, without anything of the secret."""
    if caller.key_id is not None:
        return f"key:{caller.key_id}"
    return "default-key" if caller.kind == ApiKeyParameter.kind else caller.kind


def encoded(text: str) -> str:
    """A value as the bytes of its UTF-8, of which all but ``!`` to ``~``, and ``%``, are escaped."""
    return quote(text, safe=PLAIN)
