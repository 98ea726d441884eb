"""The picture of an account."""

from multipart import MultipartPart, parse_options_header
from pyramid.httpexceptions import HTTPBadRequest
from pyramid.response import Response
from pyramid.view import view_config

from accountsapp.apis.openedx.resources import Image
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.accounts import profile
from accountsapp.domain.pictures.decoding import GIF, JPEG, PNG, Picture, picture_of
from accountsapp.domain.pictures.problems import InvalidPicture, Problem
from accountsapp.security.permissions import Permission
from accountsapp.web.answers import empty_answer
from accountsapp.web.bodies import content_type_of
from accountsapp.web.request import Request

KINDS = {
    (".jpg", "image/jpeg"): JPEG,
    (".jpg", "image/pjpeg"): JPEG,
    (".jpeg", "image/jpeg"): JPEG,
    (".jpeg", "image/pjpeg"): JPEG,
    (".png", "image/png"): PNG,
    (".gif", "image/gif"): GIF,
}
"""What a file is by the ending of its name and its declared type."""


@view_config(context=Image, request_method="POST", permission=Permission.ACCOUNT_WRITE)
def replace_image(context: Image, request: Request) -> Response:
    picture = load_picture(request, context.target.profile.year_of_birth)
    profile.change(request.store, context.target.id, picture=picture)
    return empty_answer()


@view_config(context=Image, request_method="DELETE", permission=Permission.PICTURE_REMOVE)
def remove_image(context: Image, request: Request) -> Response:
    profile.change(request.store, context.target.id, picture=None)
    return empty_answer()


def load_picture(request: Request, year_of_birth: int | None) -> Picture:
    """The picture in the body of the request, whose owner was born in that year.

    :raises HTTPClientError: the body cannot be read, or its owner may have no picture
    :raises InvalidPicture: it is none
    """
    settings = request.app_settings.section(Settings)
    data, filename, content_type = _upload(request)
    if settings.needs_consent(year_of_birth):
        raise HTTPBadRequest("An account that requires parental consent has no picture.")
    ending = filename[filename.rfind(".") :].lower() if "." in filename else ""
    kind = KINDS.get((ending, content_type.lower()))
    if kind is None:
        raise InvalidPicture(Problem.KIND)
    return picture_of(
        data,
        formats=frozenset({kind}),
        least_bytes=settings.profile_image_min_bytes,
        most_bytes=settings.profile_image_max_bytes,
        first_frame=True,
    )


def _upload(request: Request) -> tuple[bytes, str, str]:
    """The bytes, the name and the declared type of the file.

    :raises HTTPClientError: there is none, or it has no name
    """
    content = request.parameters.content
    if content is not None:
        disposition, options = parse_options_header(request.headers.get("Content-Disposition", ""))
        filename = options.get("filename", "")
        if disposition.lower() != "attachment" or not filename:
            raise HTTPBadRequest("The header Content-Disposition must say attachment and name the file.")
        return content, filename, content_type_of(request)[0]
    part = request.parameters.last_in_body("file")
    if not isinstance(part, MultipartPart):
        raise HTTPBadRequest("There must be a part file with a file name.")
    return part.raw, part.filename or "", parse_options_header(part.content_type or "")[0]
