"""Which countries there are."""

from functools import cache

import pycountry

KOSOVO = "XK"
"""Not assigned by ISO 3166, but what everybody uses."""


@cache
def codes() -> frozenset[str]:
    """The assigned two-letter codes of ISO 3166-1, and :data:`KOSOVO`, in capitals."""
    return frozenset({KOSOVO, *(country.alpha_2 for country in pycountry.countries)})
