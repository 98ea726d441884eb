"""A report of keys that were found somewhere, read strictly: size, signature, JSON, number, in this order."""

from base64 import b64decode
from typing import TYPE_CHECKING, Any, NamedTuple

from pyramid.httpexceptions import HTTPBadRequest, HTTPForbidden, HTTPRequestEntityTooLarge

from accountsapp.strict_json import BadJson, read_objects
from accountsapp.web.bodies import read_content

if TYPE_CHECKING:
    from accountsapp.keys.reporters import Reporters
    from accountsapp.web.request import Request

LARGEST_REPORT = 1024 * 1024
"""Bytes."""
MOST_FINDINGS = 1000
LONGEST_URL = 2000
"""Characters of where a key was found, as its owner is told."""


class Finding(NamedTuple):
    """One string that looks like a key of ours.

    :ivar type: as whose key the reporter knows it
    :ivar url: where it was found, fit to be mailed; empty where the report gives no web address
    """

    token: str
    type: str
    url: str


def read_report(request: "Request", reporters: "Reporters") -> list[Finding]:
    """What the request reports.

    :raises HTTPRequestEntityTooLarge: over 1 MiB, or over 1,000 findings
    :raises HTTPForbidden: not signed by a reporter
    :raises TooManyAttempts: too much was not
    :raises HTTPBadRequest: no JSON array of objects that each have a token
    """
    content = read_content(request, LARGEST_REPORT)
    _check_signature(request, reporters, content)
    try:
        findings = [_finding(value) for value in read_objects(content)]
    except BadJson as error:
        raise HTTPBadRequest(f"The report {error}.") from None
    if len(findings) > MOST_FINDINGS:
        raise HTTPRequestEntityTooLarge("The report has too many findings.")
    return findings


def _check_signature(request: "Request", reporters: "Reporters", content: bytes) -> None:
    """Bad ones are counted by client address, as wrong API keys are."""
    store = request.store
    store.throttle.check("leak-report", store.client_network)
    identifier = request.environ.get("HTTP_GITHUB_PUBLIC_KEY_IDENTIFIER", "")
    signature = _from_base64(request.environ.get("HTTP_GITHUB_PUBLIC_KEY_SIGNATURE", ""))
    if not reporters.signed(identifier, signature, content):
        store.throttle.count("leak-report", store.client_network)
        raise HTTPForbidden


def _from_base64(text: str) -> bytes:
    """The bytes; none for what is no base64."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def _finding(value: dict[str, Any]) -> Finding:
    token = value.get("token")
    if not isinstance(token, str):
        raise BadJson("must have a token in each object")
    return Finding(token, _text(value.get("type")), _shown_url(_text(value.get("url"))))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _shown_url(url: str) -> str:
    """What people can be shown of it: one line of printable characters."""
    if not url.startswith(("https://", "http://")):
        return ""
    return "".join(character for character in url if character.isprintable())[:LONGEST_URL]
