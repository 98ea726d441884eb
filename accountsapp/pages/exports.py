"""``/exports/{code}``: archives with what is stored about somebody, for whoever has the mailed link."""

from typing import TYPE_CHECKING

from pyramid.response import FileIter, Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.domain.transfer import archives
from accountsapp.pages.resources import Coded, Pages
from accountsapp.web.answers import HEADERS
from accountsapp.web.request import Request

if TYPE_CHECKING:
    from pyramid.config import Configurator


class Exports(Pages):
    """``/exports``."""


class Export(Coded):
    """``/exports/{code}``."""


Exports.children = {"{code}": Export}


@view_config(context=Export, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def fetch(context: Export, request: Request) -> Response:
    """The file, sent piece by piece."""
    archive = archives.open_archive(request.store, context.code)
    headers = [
        ("Content-Type", "application/zip"),
        ("Content-Length", str(archive.size)),
        ("Content-Disposition", f'attachment; filename="{archive.name}"'),
        *HEADERS,
    ]
    return Response(app_iter=FileIter(archive.file), headerlist=headers)


def includeme(config: "Configurator") -> None:
    config.mount("/exports", Exports)
