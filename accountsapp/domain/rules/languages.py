"""Which languages there are."""

from functools import cache

import pycountry
from babel.core import Locale, UnknownLocaleError

LONGEST_TAG = 40
FURTHER_CODES = frozenset({"bh", "zh_HANS", "zh_HANT"})
"""Codes of languages that people speak which ISO 639-1 does not have."""


@cache
def codes() -> frozenset[str]:
    """The two-letter codes of ISO 639-1, and :data:`FURTHER_CODES`."""
    two_letters = (getattr(language, "alpha_2", None) for language in pycountry.languages)
    return FURTHER_CODES.union(code for code in two_letters if code is not None)


def is_known(tag: str) -> bool:
    """Whether a language tag such as ``de``, ``pt-br`` or ``es-419`` names a language that is written."""
    if len(tag) > LONGEST_TAG:
        return False
    try:
        Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return False
    return True
