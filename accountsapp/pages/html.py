"""HTML answers."""

from typing import Any

from pyramid.renderers import render
from pyramid.response import Response

from accountsapp.web.answers import HEADERS
from accountsapp.web.request import Request

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"
STAYING_POLICY = f"{POLICY}; form-action 'self'"
PAGE_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("X-Frame-Options", "DENY"),
    *(header for header in HEADERS if header[0] != "Referrer-Policy"),
)


def page(
    request: Request, template: str, status: int = 200, *, leads_away: bool = False, **values: Any
) -> Response:
    """A page of the product: nothing from elsewhere, no script, not to be framed or kept.

    :param template: a name below ``pages/templates``, or an asset specification
    :param leads_away: whether a form's answer sends the browser to another site. The policy then says nothing
        of forms: browsers hold ``form-action`` against every further redirect too, and those are that site's
    :param values: what the template shows, escaped. With a ``csrf_token`` among them the page's own site is
        told where a request comes from: under ``no-referrer`` browsers send forms with ``Origin: null``
    """
    referrer = "same-origin" if "csrf_token" in values else "no-referrer"
    asset = template if ":" in template else f"accountsapp:pages/templates/{template}"
    body = render(asset, {**values, "referrer": referrer}, request=request).encode()
    headers = [
        *PAGE_HEADERS,
        ("Content-Security-Policy", POLICY if leads_away else STAYING_POLICY),
        ("Referrer-Policy", referrer),
        ("Content-Length", str(len(body))),
    ]
    return Response(app_iter=[body], status=status, headerlist=headers)


def go(uri: str) -> Response:
    """Send the browser on.

    :param uri: an absolute URI, or a path on this site
    """
    return Response(status=303, headerlist=[("Location", uri), *HEADERS])
