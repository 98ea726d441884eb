"""The logo of the site: a picture in a file of the operator, told by how it begins."""

from pathlib import Path
from typing import NamedTuple

LARGEST_LOGO = 256 * 1024

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF8", "gif", "image/gif"),
    (b"RIFF", "webp", "image/webp"),
    (b"<svg", "svg", "image/svg+xml"),
    (b"<?xml", "svg", "image/svg+xml"),
)


class Logo(NamedTuple):
    """
    :ivar ending: of the name of such a file
    """

    ending: str
    content_type: str
    content: bytes


def read_logo(path: Path) -> Logo:
    """
    :raises OSError: there is no such file, or it cannot be read
    :raises ValueError: it is no picture that browsers show, or too large
    """
    with path.open("rb") as file:
        content = file.read(LARGEST_LOGO + 1)
    for signature, ending, content_type in _SIGNATURES:
        if content.lstrip().startswith(signature) and len(content) <= LARGEST_LOGO:
            return Logo(ending, content_type, content)
    raise ValueError(f"must be a PNG, JPEG, GIF, WebP or SVG picture of at most {LARGEST_LOGO // 1024} KiB")
