"""Colours that can be read: one is made darker or lighter until its contrast is enough."""

from collections.abc import Iterable

Rgb = tuple[int, int, int]

ENOUGH = 4.5
"""The contrast of text with what it stands on (WCAG 2.2, 1.4.3)."""
BLACK: Rgb = (0, 0, 0)
WHITE: Rgb = (255, 255, 255)
_STEPS = 50


def parse(colour: str) -> Rgb:
    """
    :param colour: ``#rrggbb``
    """
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def written(colour: Rgb) -> str:
    """As ``#rrggbb``."""
    return "#" + bytes(colour).hex()


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours: 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: Rgb, grounds: Iterable[Rgb], towards: Rgb) -> Rgb:
    """The colour, mixed with another one as little as is needed to be read on each of those grounds.

    :param towards: black for light grounds, white for dark ones
    """
    grounds = tuple(grounds)
    mixes = (_mix(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next((mix for mix in mixes if all(contrast(mix, g) >= ENOUGH for g in grounds)), towards)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _mix(colour: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(one + (two - one) * share) for one, two in zip(colour, other, strict=True))
    return red, green, blue
