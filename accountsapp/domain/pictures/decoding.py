"""From the bytes of an upload to a picture of ours, in little memory, however the upload was made.

What is made here has pixels and nothing else of the upload. Nothing here is written, and nothing locked: a
picture is decoded before a transaction begins.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accountsapp.domain.errors import Busy
from accountsapp.domain.pictures.boxes import Box
from accountsapp.domain.pictures.problems import InvalidPicture, Problem
from accountsapp.domain.pictures.structure import (
    GIF,
    JPEG,
    PNG,
    WEBP,
    Essentials,
    essentials_of_jpeg,
    essentials_of_png,
    format_of,
)

if TYPE_CHECKING:
    from PIL import Image

LARGEST_RENDITION = 2000
"""Pixels of a side of the squares that are made of a picture."""

MOST_ADMITTED = 6
"""Pictures that may be decoded or wait for it: fewer than the threads of the server, so that a flood of
uploads leaves some for all other requests."""
PATIENCE = 5.0
"""Seconds to wait for one's turn."""

_admission = threading.BoundedSemaphore(MOST_ADMITTED)
_turn = threading.BoundedSemaphore(1)
"""One at a time is what bounds the memory of the process."""


@dataclass(frozen=True)
class Picture:
    """What is kept of an upload.

    :ivar format: of the upload, one of those that the caller takes
    :ivar png: the picture, proportions kept, its longer side 500 pixels at most; no metadata
    :ivar square: its central square, for :func:`~accountsapp.domain.pictures.renditions.square_jpeg`
    """

    format: str
    png: bytes
    square: "Image.Image"


_ESSENTIALS: dict[str, Callable[[bytes], Essentials]] = {
    PNG: essentials_of_png,
    JPEG: essentials_of_jpeg,
    GIF: lambda data: Essentials(data, b""),
    WEBP: lambda data: Essentials(data, b""),
}


def picture_of(
    data: bytes,
    *,
    formats: frozenset[str],
    most_bytes: int,
    least_bytes: int = 1,
    first_frame: bool = False,
    box: Box | None = None,
) -> Picture:
    """The picture in an upload, upright; its content alone decides what it is.

    :param formats: those that are taken
    :param first_frame: whether an animation counts by its first frame; otherwise it is refused
    :param box: what is cut out of the upright picture; None for all of it
    :raises InvalidPicture: says why it is none
    :raises Busy: too many are being decoded
    """
    if len(data) > most_bytes:
        raise InvalidPicture(Problem.MANY_BYTES)
    if len(data) < least_bytes:
        raise InvalidPicture(Problem.FEW_BYTES if data else Problem.KIND)
    kind = format_of(data)
    if kind is None or kind not in formats:
        raise InvalidPicture(Problem.KIND)
    content = _ESSENTIALS[kind](data)
    from accountsapp.domain.pictures import pixels  # and with it Pillow

    with taking_turns():
        return Picture(kind, *pixels.decode(kind, content, box, first_frame=first_frame))


@contextmanager
def taking_turns() -> Iterator[None]:
    """Surrounds the decoding of one picture.

    :raises Busy: too many wait, or for too long
    """
    if not _admission.acquire(blocking=False):
        raise Busy(retry_after=2)
    try:
        if not _turn.acquire(timeout=PATIENCE):
            raise Busy(retry_after=2)
        try:
            yield
        finally:
            _turn.release()
    finally:
        _admission.release()
