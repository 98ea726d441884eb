"""Further images: squares of a picture, and what is shown of somebody who has none."""

from functools import lru_cache
from io import BytesIO

from PIL import Image

from accountsapp.domain.pictures.boxes import Area, central_square
from accountsapp.domain.pictures.decoding import taking_turns
from accountsapp.domain.pictures.pixels import png_bytes
from accountsapp.domain.pictures.structure import PNG

_QUALITY = 90
_BACKGROUND, _FIGURE = (226, 230, 234), (160, 170, 180)
_DRAWN_SIDE = 2000
"""Pixels; what is drawn large and made smaller has smooth edges."""


def square_jpeg(square: Image.Image, size: int) -> bytes:
    """A square as JPEG of exactly ``size`` pixels a side, what is transparent over white."""
    scaled = square.resize((size, size), Image.Resampling.LANCZOS)
    if scaled.mode == "RGBA":
        white = Image.new("RGBA", scaled.size, "white")
        scaled = Image.alpha_composite(white, scaled)
    file = BytesIO()
    scaled.convert("RGB").save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def jpeg_of_kept(png: bytes, size: int) -> bytes:
    """As :func:`square_jpeg`, of a picture that was kept.

    :raises Busy: too many pictures are being decoded
    """
    with taking_turns():
        image = Image.open(BytesIO(png), formats=(PNG,))
        image.load()
    return square_jpeg(image.crop(central_square(Area(0, 0, *image.size))), size)


@lru_cache(maxsize=16)
def default_png(size: int) -> bytes:
    """A figure that is nobody, as PNG of ``size`` pixels a side."""
    from PIL import ImageDraw  # it brings all that writes texts

    side = max(size, _DRAWN_SIDE)
    image = Image.new("RGB", (side, side), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    head, middle, eye_level = side * 0.19, side / 2, side * 0.38
    draw.ellipse((middle - head, eye_level - head, middle + head, eye_level + head), fill=_FIGURE)
    draw.ellipse((side * 0.14, side * 0.66, side * 0.86, side * 1.4), fill=_FIGURE)
    return png_bytes(image.resize((size, size), Image.Resampling.LANCZOS))
