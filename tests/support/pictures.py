"""Uploads, made here: no binary files in the repository."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = {(0, 0): "red", (1, 0): "lime", (0, 1): "blue", (1, 1): "yellow"}
"""Of the quarters of :func:`quarters`, by column and row."""


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    """What a reader of our files sees."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def quarters(width: int = 60, height: int = 40) -> Image.Image:
    """Four colours, so that turning and cutting can be seen."""
    image = Image.new("RGB", (width, height))
    for (column, row), colour in COLOURS.items():
        image.paste(colour, (column * width // 2, row * height // 2, width, height))
    return image


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def blank_png(width: int, height: int, *, depth: int = 8, colour: int = 2, chunks: bytes = b"") -> bytes:
    """A PNG of zeros, however large, in little memory.

    :param colour: the colour type: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA
    :param chunks: between header and pixels
    """
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = bytes(1 + (width * channels * depth + 7) // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def photograph(width: int = 80, height: int = 60, *, orientation: int = 1, **options: Any) -> bytes:
    """A JPEG with a place and a time in it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "canary"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    return encoded(
        quarters(width, height), "JPEG", quality=95, subsampling=0, exif=exif, comment="canary", **options
    )
