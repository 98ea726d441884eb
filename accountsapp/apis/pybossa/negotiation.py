"""Whether a client wants JSON or a page."""

from pyramid.httpexceptions import HTTPBadRequest
from webob.acceptparse import AcceptValidHeader

from accountsapp.web.bodies import JSON, content_type_of
from accountsapp.web.request import Request

HTML = "text/html"
WILDCARDS = ("text/*", "*/*")
VARY = ("Vary", "Accept, Content-Type, Cookie")
"""What an answer depends on."""


def wants_json(request: Request) -> bool:
    """By the content type of the request, its query, or what it accepts."""
    return content_type_of(request)[0] == JSON or _is_asked_in_query(request) or accepts_json_rather(request)


def _is_asked_in_query(request: Request) -> bool:
    try:
        return bool(request.parameters.last_in_query("response_format") == "json")
    except HTTPBadRequest:
        return False


def accepted(request: Request) -> dict[str, tuple[float, int]]:
    """By media range, in lower case, its weight and where it stands (RFC 9110 12.5.1)."""
    accept = request.accept
    if not isinstance(accept, AcceptValidHeader):
        return {}
    ranges = ((item[0].lower(), item[1], place) for place, item in enumerate(accept.parsed))
    return {name: (weight, -place) for name, weight, place in ranges}


def accepts_json_rather(request: Request) -> bool:
    """Whether it names JSON, and prefers it to HTML; a wildcard never comes before a name."""
    ranges = accepted(request)
    json = ranges.get(JSON, (0.0, 0))
    if not json[0]:
        return False
    if HTML in ranges:
        return json > ranges[HTML]
    return json[0] >= next((ranges[name][0] for name in WILDCARDS if name in ranges), 0.0)
