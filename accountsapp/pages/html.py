"""HTML answers."""

from typing import Any

from pyramid.renderers import render
from pyramid.response import Response

from accountsapp.renderers import HEADERS

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action {}; "
    "frame-ancestors 'none'; base-uri 'none'"
)
PAGE_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("X-Frame-Options", "DENY"),
    *(header for header in HEADERS if header[0] != "Referrer-Policy"),
)


def page(
    request: Any, template: str, status: int = 200, *, form_action: str = "'self'", **values: Any
) -> Response:
    """A page of the product: nothing from elsewhere, no script, not to be framed or kept.

    :param template: a name below ``pages/templates``, or an asset specification
    :param form_action: where forms may lead, redirects of their answers included (CSP ``form-action``)
    :param values: what the template shows, escaped. With a ``csrf_token`` among them the page's own site is
        told where a request comes from: under ``no-referrer`` browsers send forms with ``Origin: null``
    """
    referrer = "same-origin" if "csrf_token" in values else "no-referrer"
    asset = template if ":" in template else f"accountsapp:pages/templates/{template}"
    body = render(asset, {**values, "referrer": referrer}, request=request).encode()
    headers = [
        *PAGE_HEADERS,
        ("Content-Security-Policy", POLICY.format(form_action)),
        ("Referrer-Policy", referrer),
        ("Content-Length", str(len(body))),
    ]
    return Response(app_iter=[body], status=status, headerlist=headers)
