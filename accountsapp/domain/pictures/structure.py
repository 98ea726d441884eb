"""What a file says of itself, read before anything of it is decoded.

Decoders forgive a file that was cut off, work for as long as it tells them to, and look at much beside the
pixels. Here a file is walked from mark to mark: it must come to its end, must not ask for more than a picture
needs, and goes to the decoder without what is no pixel.
"""

import re
from typing import Literal, NamedTuple

from accountsapp.domain.pictures.problems import InvalidPicture, Problem

PNG, JPEG, GIF, WEBP = "PNG", "JPEG", "GIF", "WEBP"
"""The formats that an API may take, as Pillow names them."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_ESSENTIALS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""Chunks that make the pixels. Texts and profiles, which can unfold to any size, are left out."""

MOST_SCANS = 32
"""Passes of a progressive JPEG; each costs a walk over the whole picture. Encoders make about ten."""

_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""One that is not within the entropy-coded data of a JPEG (ITU-T T.81 B.1.1)."""
_START, _END, _SCAN, _TEMPORARY = 0xD8, 0xD9, 0xDA, 0x01
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_EXIF_SEGMENT = 0xE1
_DISPENSABLE = (frozenset(range(0xE0, 0xF0)) | {0xFE}) - {0xE0, 0xEE}
"""Application data and comments; not JFIF's, and not Adobe's, which says what the channels are."""

_ORIENTATION = 0x0112
_ENTRY_SIZE = 12
_BYTE_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II": "little", b"MM": "big"}


class Essentials(NamedTuple):
    """What a file has beside the things that make no pixel."""

    data: bytes
    exif: bytes
    """Of the upload, empty where there is none."""
    is_animated: bool = False
    """What is left is then the default image."""


def format_of(data: bytes) -> str | None:
    """By the first bytes; None for any other content."""
    if data.startswith(PNG_SIGNATURE):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WEBP
    return None


def essentials_of_png(data: bytes) -> Essentials:
    """
    :raises InvalidPicture: it does not come to its end
    """
    chunks = [PNG_SIGNATURE]
    exif = b""
    is_animated = False
    at = len(PNG_SIGNATURE)
    while True:
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            raise InvalidPicture(Problem.DAMAGED)
        if kind in PNG_ESSENTIALS:
            chunks.append(data[at:end])
        elif kind == b"eXIf":
            exif = data[at + 8 : end - 4]
        is_animated = is_animated or kind == b"acTL"
        if kind == b"IEND":
            return Essentials(b"".join(chunks), exif, is_animated)
        at = end


def essentials_of_jpeg(data: bytes) -> Essentials:
    """Of the first picture in the file: cameras put further ones behind it.

    :raises InvalidPicture: it does not come to its end, or has more frames or scans than a picture has
    """
    parts: list[bytes] = []
    exif = b""
    kept_until = at = 0
    frames = scans = 0
    while segment := _MARKER.search(data, at):
        at = segment.end()
        marker = data[at - 1]
        if marker == _END:
            return Essentials(b"".join([*parts, data[kept_until:at]]), exif)
        frames += marker in _FRAMES
        scans += marker == _SCAN
        if frames > 1 or scans > MOST_SCANS:
            break
        if marker in (_START, _TEMPORARY):
            continue
        content, at = at + 2, at + max(2, int.from_bytes(data[at : at + 2]))
        if marker in _DISPENSABLE:
            parts.append(data[kept_until : segment.start()])
            kept_until = at
        if marker == _EXIF_SEGMENT and data[content:at].startswith(b"Exif"):
            exif = data[content:at]
    raise InvalidPicture(Problem.DAMAGED)


def orientation_of(exif: bytes) -> int:
    """How a picture lies, 1 to 8 (CIPA DC-008, 4.6.5.1); 1 is upright, also where EXIF makes no sense."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = _BYTE_ORDERS.get(tiff[:2])
    if order is None:
        return 1
    first = int.from_bytes(tiff[4:8], order) + 2
    count = int.from_bytes(tiff[first - 2 : first], order)
    for at in range(first, min(first + count * _ENTRY_SIZE, len(tiff)), _ENTRY_SIZE):
        if int.from_bytes(tiff[at : at + 2], order) == _ORIENTATION:
            value = int.from_bytes(tiff[at + 8 : at + 10], order)
            return value if 1 <= value <= 8 else 1
    return 1
