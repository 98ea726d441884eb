"""Which countries there are."""

import re
from functools import cache
from pathlib import Path

import pycountry

KOSOVO = "XK"
"""Not assigned by ISO 3166, but what everybody uses."""


_TWO_LETTERS = re.compile(r'"alpha_2": "(\w\w)"')


@cache
def codes() -> frozenset[str]:
    """The assigned two-letter codes of ISO 3166-1, and :data:`KOSOVO`, in capitals."""
    # pycountry itself would keep all that it knows of each.
    text = Path(pycountry.DATABASE_DIR, "iso3166-1.json").read_text("utf-8")
    return frozenset({KOSOVO, *_TWO_LETTERS.findall(text)})
