"""``/uploads/{container}/{picture}``: pictures, for everybody who knows the URL, whichever APIs are mounted.

The path is that of the file below ``accountsapp.files``, so that a proxy can serve it alone. No database is
asked: what is removed is gone with its file.
"""

from typing import TYPE_CHECKING

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.domain.pictures import files
from accountsapp.domain.pictures.decoding import LARGEST_RENDITION
from accountsapp.settings import Settings
from accountsapp.web.answers import HEADERS
from accountsapp.web.cors import Cors
from accountsapp.web.request import Request
from accountsapp.web.resources import ApiRoot, Resource

if TYPE_CHECKING:
    from pyramid.config import Configurator

FILE_HEADERS = (
    *(header for header in HEADERS if header[0] != "Cache-Control"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Content-Disposition", "inline"),
)
KEPT_BY_BROWSERS = "private, max-age=31536000, immutable"
"""Of a picture: another one has another URL. Caches that many people share keep none, since it would outlive
its removal."""
KEPT_A_DAY = "public, max-age=86400"
"""Of a default image: its URL stays."""
DEFAULT = "default"


class Uploads(ApiRoot):
    """``/uploads``."""

    checks = ("acl",)
    cors = Cors(
        origins=lambda settings: settings.cors_origins,
        allowed_headers=("content-type", "x-csrftoken"),
        allows_asked_headers=True,
        exposed_headers=("Retry-After",),
        credentials=True,
    )


class Container(Resource):
    """``/uploads/{container}``: the folder of an account."""


class File(Resource):
    """``/uploads/{container}/{picture}``."""

    __parent__: Container


class Defaults(Resource):
    """``/uploads/default``: what is shown of those who have no picture."""


class DefaultImage(Resource):
    """``/uploads/default/{size}.png``."""

    @property
    def size(self) -> int | None:
        """Pixels of its sides; None for an image that there is not."""
        sizes = {f"{size}.png": size for size in self.request.registry.rendition_sizes}
        return sizes.get(self.__name__)


Uploads.children = {DEFAULT: Defaults, "{container}": Container}
Container.children = {"{picture}": File}
Defaults.children = {"{size}.png": DefaultImage}


@view_config(context=File, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def picture(context: File, request: Request) -> Response:
    """A picture, or a square of it; one that is missing is made, where an API shows its size."""

    def make_square(png: bytes, size: int) -> bytes | None:
        if size not in request.registry.rendition_sizes:
            return None
        from accountsapp.domain.pictures import renditions  # and with it Pillow

        return renditions.jpeg_of_kept(png, size)

    name = context.__name__
    data = files.read(request.app_settings, context.__parent__.__name__, name, make_square)
    if data is None:
        raise HTTPNotFound
    return _image(data, "image/png" if name.endswith(".png") else "image/jpeg", KEPT_BY_BROWSERS)


@view_config(context=DefaultImage, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def default_image(context: DefaultImage, request: Request) -> Response:
    if context.size is None:
        raise HTTPNotFound
    from accountsapp.domain.pictures import renditions  # and with it Pillow

    return _image(renditions.default_png(context.size), "image/png", KEPT_A_DAY)


def _image(data: bytes, content_type: str, kept: str) -> Response:
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(data))),
        *FILE_HEADERS,
        ("Cache-Control", kept),
    ]
    return Response(app_iter=[data], headerlist=headers)


def picture_url(settings: Settings, account_id: int, stem: str) -> str:
    """Where an account's picture is, a PNG.

    :param stem: the account's column ``picture``
    """
    return _url(settings, files.container_of(account_id), files.picture_name(stem))


def path_of_picture(settings: Settings, url: str | None) -> str | None:
    """The path of a picture that is served here, as a page of this site has it; None for any other URL, which
    a page may not load (:data:`accountsapp.pages.html.POLICY`).
    """
    if url is None or not url.startswith(f"{settings.site_url}/uploads/"):
        return None
    return settings.site_path + url.removeprefix(settings.site_url)


def square_url(settings: Settings, account_id: int, stem: str, size: int) -> str:
    """Where a square of an account's picture is, a JPEG.

    :param size: one that was named by ``config.add_rendition``
    """
    return _url(settings, files.container_of(account_id), files.square_name(stem, size))


def default_image_url(settings: Settings, size: int) -> str:
    """Where the square is that stands for a picture where there is none, a PNG.

    :param size: as for :func:`square_url`
    """
    return _url(settings, DEFAULT, f"{size}.png")


def _url(settings: Settings, container: str, name: str) -> str:
    return f"{settings.site_url}/uploads/{container}/{name}"


def add_rendition(config: "Configurator", size: int) -> None:
    """The ``config.add_rendition`` directive: an API shows pictures as squares of that many pixels a side.

    :param size: 1 to 2000
    """
    if not 1 <= size <= LARGEST_RENDITION:
        raise ValueError(f"a square of {size} pixels a side")
    config.registry.rendition_sizes.add(size)


def includeme(config: "Configurator") -> None:
    config.registry.rendition_sizes = set()
    config.add_directive("add_rendition", add_rendition)
    config.mount("/uploads", Uploads)
    config.scan(__name__)
