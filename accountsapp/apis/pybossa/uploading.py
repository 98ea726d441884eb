"""The picture of an account: what is sent as ``avatar``, and what is cut out of it."""

from multipart import MultipartPart

from accountsapp.domain.pictures.boxes import box_of
from accountsapp.domain.pictures.decoding import GIF, JPEG, PNG, WEBP, Picture, picture_of
from accountsapp.domain.pictures.problems import InvalidPicture, Problem
from accountsapp.i18n import mark as _
from accountsapp.web.fields import InvalidFields
from accountsapp.web.request import Request

AVATAR = "avatar"
COORDINATES = ("x1", "y1", "x2", "y2")
FORMATS = frozenset({PNG, JPEG, GIF, WEBP})
LARGEST_FILE = 4 * 1024 * 1024
NEEDED = _("An image file is needed")
IN_WORDS = {
    Problem.KIND: _("An image file is needed: PNG, JPEG, GIF or WebP"),
    Problem.MANY_BYTES: _("The image file is too big: it may have up to 4 MiB"),
    Problem.MANY_PIXELS: _("The image is too big: it may have up to 25 million pixels"),
    Problem.DAMAGED: _("An image file is needed: this one is damaged"),
    Problem.BOX: _("This is not a part of the image"),
}


def load_picture(request: Request) -> Picture:
    """The picture in the form; its first frame, if it moves.

    :raises InvalidFields: there is none, it cannot be taken, or what is to be cut out is no part of it
    """
    field = request.parameters.last_in_body
    part = field(AVATAR)
    data = part.raw if isinstance(part, MultipartPart) else b""
    texts: dict[str, list[str]] = {}
    box = picture = None
    try:
        box = box_of(**{name: field(name) for name in COORDINATES})
    except InvalidPicture as error:
        texts = _texts_of(error)
    try:
        picture = picture_of(data, formats=FORMATS, most_bytes=LARGEST_FILE, first_frame=True, box=box)
    except InvalidPicture as error:
        texts |= _texts_of(error)
    if texts or picture is None:
        raise InvalidFields({name: texts[name] for name in (AVATAR, *COORDINATES) if name in texts})
    return picture


def _texts_of(error: InvalidPicture) -> dict[str, list[str]]:
    """What is wrong, by field of the form."""
    text = IN_WORDS.get(error.problem, NEEDED)
    return {name if name in COORDINATES else AVATAR: [text] for name in error.fields}
