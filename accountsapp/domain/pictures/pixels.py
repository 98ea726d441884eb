"""The pixels of a picture: decoded, cut out, turned and made smaller, with little memory beside them.

Brings Pillow, which a server does not need before it meets a picture.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image

from accountsapp.domain.pictures.boxes import Area, Box, central_square, stored_area
from accountsapp.domain.pictures.problems import InvalidPicture, Problem
from accountsapp.domain.pictures.structure import PNG, Essentials, orientation_of

MOST_PIXELS = 25_000_000
LONGEST_SIDE = 500
"""Pixels of what is kept."""
SQUARE_SIDE = 1000
"""Pixels of the square of which smaller ones are made, at most."""

_TILE_PIXELS = 250_000

# What Pillow only warns of is too much too; it looks at the size before it decodes.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def png_bytes(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, PNG)
    return file.getvalue()


def decode(
    kind: str, content: Essentials, box: Box | None, *, first_frame: bool
) -> tuple[bytes, Image.Image]:
    """
    :param kind: the format
    :param box: what is cut out of the upright picture; None for all of it
    :param first_frame: whether an animation counts by its first frame; otherwise it is refused
    :returns: a PNG of it, and its central square
    :raises InvalidPicture: says why it is none
    """
    with _refusing_damage(), Image.open(BytesIO(content.data), formats=(kind,)) as image:
        if image.width * image.height > MOST_PIXELS:
            raise InvalidPicture(Problem.MANY_PIXELS)
        if not first_frame and (content.is_animated or getattr(image, "is_animated", False)):
            raise InvalidPicture(Problem.ANIMATED)
        return _decoded(image, orientation_of(content.exif or image.info.get("exif", b"")), box)


@contextmanager
def _refusing_damage() -> Iterator[None]:
    """Whatever a decoder says of a hostile file, the file is to blame."""
    try:
        yield
    except InvalidPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InvalidPicture(Problem.MANY_PIXELS) from None
    except Exception:  # noqa: BLE001 decoders raise OSError, SyntaxError, struct.error, EOFError and others
        raise InvalidPicture(Problem.DAMAGED) from None


def _decoded(image: Image.Image, orientation: int, box: Box | None) -> tuple[bytes, Image.Image]:
    upright = (image.height, image.width) if orientation >= 5 else image.size
    area = _draft(image, box.area(*upright) if box is not None else Area(0, 0, *upright))
    image.load()
    _halve_transparency(image)
    picture = _cut_out(image, area, orientation, LONGEST_SIDE)
    return png_bytes(picture), _cut_out(image, central_square(area), orientation, SQUARE_SIDE)


def _draft(image: Image.Image, area: Area) -> Area:
    """Have a large JPEG decoded in half, a quarter or an eighth of its size.

    :returns: the area in it; edges may be moved, by less than what is kept can show
    """
    width, scale = image.width, min(area.width, area.height) // SQUARE_SIDE
    if scale > 1:
        image.draft(None, (image.width // scale, image.height // scale))
    factor = round(width / image.width)
    return Area(area.left // factor, area.upper // factor, -(-area.right // factor), -(-area.lower // factor))


def _halve_transparency(image: Image.Image) -> None:
    """The transparent colour of a picture with 16 bits a channel: of the pixels Pillow keeps the upper 8."""
    colour = image.info.get("transparency")
    if isinstance(colour, tuple) and max(colour) > 255:
        image.info["transparency"] = tuple(value >> 8 for value in colour)
    elif isinstance(colour, int) and image.mode.startswith("I"):
        image.info["transparency"] = colour >> 8


def _cut_out(image: Image.Image, area: Area, orientation: int, longest: int) -> Image.Image:
    """An area of the upright picture, made smaller where it is larger than ``longest``; RGB, or RGBA where it
    is transparent.
    """
    stored = stored_area(area, orientation, image.width, image.height)
    small = _reduced(image, stored, max(1, max(stored.width, stored.height) // SQUARE_SIDE))
    small = _turned(small, orientation)
    scale = min(1.0, longest / max(area.width, area.height))
    size = tuple(max(1, round(side * scale)) for side in (area.width, area.height))
    if small.size != size:
        small = small.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    is_opaque = small.getchannel("A").getextrema() == (255, 255)
    return small.convert("RGB") if is_opaque else small


def _reduced(image: Image.Image, area: Area, factor: int) -> Image.Image:
    """An area as RGBA, squares of ``factor`` pixels a side as one pixel; in tiles, so that there is no second
    large copy."""
    small = Image.new("RGBA", (-(-area.width // factor), -(-area.height // factor)))
    rows = factor * max(1, _TILE_PIXELS // area.width // factor)
    columns = factor * max(1, _TILE_PIXELS // min(rows, area.height) // factor)
    for upper in range(area.upper, area.lower, rows):
        for left in range(area.left, area.right, columns):
            corner = min(left + columns, area.right), min(upper + rows, area.lower)
            tile = _rgba(image.crop((left, upper, *corner))).reduce(factor)
            small.paste(tile, ((left - area.left) // factor, (upper - area.upper) // factor))
    return small


def _rgba(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        transparent = image.info.get("transparency")
        image = image.point(lambda value: value / 256).convert("L")
        if transparent is not None:
            image.info["transparency"] = transparent
    if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA"):
        image = image.convert("RGB")
    return image.convert("RGBA")


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image.transpose(turn) if turn is not None else image
