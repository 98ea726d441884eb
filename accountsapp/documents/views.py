"""The pages and the JSON of the documents: the same for everybody."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.documents.document import JSON
from accountsapp.documents.library import Library
from accountsapp.documents.resources import DocumentPlace, Documents
from accountsapp.pages.html import page
from accountsapp.web.answers import HEADERS
from accountsapp.web.request import Request

SUFFIX = ".json"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
"""Swagger UI has its icons in its style sheet, reads the document and sends what is tried."""


@view_config(context=Documents, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_first(context: Documents, request: Request) -> Response:
    return _page(request, next(iter(request.registry.documents.documents), ""))


@view_config(context=DocumentPlace, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show(context: DocumentPlace, request: Request) -> Response:
    name = context.__name__
    if not name.endswith(SUFFIX):
        return _page(request, name)
    try:
        text = request.registry.documents.text(name.removesuffix(SUFFIX), request.registry)
    except KeyError:
        raise HTTPNotFound from None
    headers = [("Content-Type", JSON), ("Content-Length", str(len(text))), *HEADERS]
    return Response(app_iter=[text], headerlist=headers)


def _page(request: Request, name: str) -> Response:
    library: Library = request.registry.documents
    if name not in library.documents:
        raise HTTPNotFound
    return page(
        request,
        "accountsapp:documents/templates/document.jinja2",
        scripts=("swagger-ui-bundle.js", "docs.js"),
        policy=POLICY,
        name=name,
        documents=library.documents,
    )
