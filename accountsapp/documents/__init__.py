"""``/docs/``: an OpenAPI document of each API, as JSON and as a page on which calls can be tried.

An API says ``config.add_document(name, f"{__name__}.documents")``. What is in it is what that module says,
and what the application itself does.
"""

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from accountsapp.documents.library import Library
from accountsapp.documents.resources import Documents
from accountsapp.pages.branding import SCRIPT, STYLE_SHEET, Branding, StaticFile

if TYPE_CHECKING:
    from pyramid.config import Configurator

SWAGGER_UI = "flask_swagger_ui"
"""The package whose folder ``dist`` is that of Swagger UI. It is never imported: only its files are read."""


def includeme(config: "Configurator") -> None:
    config.registry.documents = Library()
    config.add_directive("add_document", add_document)
    config.mount("/docs", Documents)
    config.add_menu_entry("documents", "/docs/")
    _add_files(config.registry.branding)
    config.scan(__name__)


def add_document(config: "Configurator", name: str, module: str) -> None:
    """The ``config.add_document`` directive: an API has a document; two of one name stop the start.

    :param name: as in ``/docs/<name>.json``
    :param module: whose ``DOCUMENT`` it is; imported when somebody asks
    """
    config.action(("document", name), config.registry.documents.add, args=(name, module))


def _add_files(branding: Branding) -> None:
    for name, content_type in (("swagger-ui-bundle.js", SCRIPT), ("swagger-ui.css", STYLE_SHEET)):
        branding.add(name, StaticFile(content_type, _swagger_ui() / name))
    own = files(__name__).joinpath("static")
    for name, content_type in (("docs.js", SCRIPT), ("docs.css", STYLE_SHEET)):
        branding.add(name, StaticFile(content_type, own.joinpath(name).read_bytes()))


def _swagger_ui() -> Path:
    package = find_spec(SWAGGER_UI)
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(SWAGGER_UI)
    return Path(package.submodule_search_locations[0], "dist")
