"""Files that are the same for everybody: the style sheet, the scripts, the logo, the icon."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.pages.branding import Branding, StaticFile
from accountsapp.pages.resources import StaticFiles
from accountsapp.web.answers import HEADERS
from accountsapp.web.request import Request
from accountsapp.web.resources import Root

KEPT_LONG = "public, max-age=31536000, immutable"
"""Of a URL that names the content."""
KEPT = "public, max-age=3600"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""For a logo that is opened by itself: SVG could have scripts."""


@view_config(context=StaticFiles, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def static_file(context: StaticFiles, request: Request) -> Response:
    branding: Branding = request.registry.branding
    name = context.__name__
    file = branding.static.get(name)
    if file is None:
        raise HTTPNotFound
    lifetime = KEPT_LONG if request.parameters.last_in_query("v") == branding.tag(name) else KEPT
    return _answer(file, lifetime)


@view_config(context=Root, name="favicon.ico", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def icon(context: Root, request: Request) -> Response:
    """What browsers ask for by themselves."""
    return _answer(request.registry.branding.icon, KEPT)


def _answer(file: StaticFile, lifetime: str) -> Response:
    content = file.read()
    headers = {
        **dict(HEADERS),
        "Cache-Control": lifetime,
        "Content-Security-Policy": POLICY,
        "Content-Type": file.content_type,
        "Content-Length": str(len(content)),
    }
    return Response(app_iter=[content], headerlist=list(headers.items()))
