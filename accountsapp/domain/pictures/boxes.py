"""The part of a picture that is to be cut out, and where it lies in a picture that is stored turned."""

import math
import re
from typing import NamedTuple

from accountsapp.domain.pictures.problems import InvalidPicture, Problem

LARGEST = 10**9
"""No picture is as wide or as high."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Area(NamedTuple):
    """Pixels of a picture: left, upper, right and lower edge."""

    left: int
    upper: int
    right: int
    lower: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.lower - self.upper


class Box(NamedTuple):
    """In pixels of the upright picture: ``x1`` from its left and ``y1`` from its upper edge, ``x2`` wide and
    ``y2`` high."""

    x1: int
    y1: int
    x2: int
    y2: int

    def area(self, width: int, height: int) -> Area:
        """The part that lies on a picture of that size.

        :raises InvalidPicture: none of it does
        """
        outside = [
            name for name, offset, side in (("x1", self.x1, width), ("y1", self.y1, height)) if offset >= side
        ]
        if outside:
            raise InvalidPicture(Problem.BOX, *outside)
        return Area(self.x1, self.y1, min(self.x1 + self.x2, width), min(self.y1 + self.y2, height))


def box_of(x1: object = None, y1: object = None, x2: object = None, y2: object = None) -> Box | None:
    """The box that a client names.

    :param x1: a number or its text, whose decimals are cut; None and ``""`` are 0
    :returns: None, for the whole picture, where all four are 0
    :raises InvalidPicture: names the coordinates that are no numbers, negative, or nothing wide or high
    """
    numbers = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    values = {name: _integer(value) for name, value in numbers.items()}
    wrong = [name for name, value in values.items() if value is None]
    if not wrong and not any(values.values()):
        return None
    wrong += [name for name, value in values.items() if value is not None and value < (name in ("x2", "y2"))]
    if wrong:
        raise InvalidPicture(Problem.BOX, *sorted(wrong))
    return Box(*(value for value in values.values() if value is not None))


def _integer(value: object) -> int | None:
    if value is None or value == "":
        return 0
    if isinstance(value, str):
        text = value.strip()
        value = float(text) if len(text) <= 40 and _NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    return int(max(-LARGEST, min(LARGEST, value)))


def central_square(area: Area) -> Area:
    """The largest square in the middle of an area."""
    side = min(area.width, area.height)
    left, upper = area.left + (area.width - side) // 2, area.upper + (area.height - side) // 2
    return Area(left, upper, left + side, upper + side)


def stored_area(area: Area, orientation: int, width: int, height: int) -> Area:
    """Where an area of the upright picture lies in the stored one.

    :param orientation: as EXIF has it (CIPA DC-008, 4.6.5.1), 1 to 8
    :param width: of the stored picture, and ``height``
    """
    left, upper, right, lower = area
    if orientation >= 5:
        left, upper, right, lower = upper, left, lower, right
    if orientation in (2, 3, 7, 8):
        left, right = width - right, width - left
    if orientation in (3, 4, 6, 7):
        upper, lower = height - lower, height - upper
    return Area(left, upper, right, lower)
