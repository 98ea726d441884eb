"""Which time zones there are, by the IANA database of the package ``tzdata``."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_DATABASE = files("tzdata")


@cache
def names() -> frozenset[str]:
    """Every name of a zone, old ones too."""
    return frozenset((_DATABASE / "zones").read_text("utf-8").split())


@cache
def names_by_country() -> dict[str, tuple[str, ...]]:
    """The zones that people live in, sorted, by the two-letter code of their country."""
    zones: dict[str, list[str]] = {}
    for country, zone in _places():
        zones.setdefault(country, []).append(zone)
    return {country: tuple(sorted(of_country)) for country, of_country in zones.items()}


@cache
def lived_in() -> tuple[str, ...]:
    """The zones that people live in anywhere, sorted."""
    return tuple(sorted({zone for _, zone in _places()}))


def _places() -> Iterator[tuple[str, str]]:
    for line in (_DATABASE / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _coordinates, zone, *_comments = line.split("\t")
            yield country, zone
