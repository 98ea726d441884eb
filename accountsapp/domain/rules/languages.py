"""Which languages there are."""

import re
from functools import cache
from pathlib import Path

import pycountry
from babel.core import Locale, UnknownLocaleError

LONGEST_TAG = 40
FURTHER_CODES = frozenset({"bh", "zh_HANS", "zh_HANT"})
"""Codes of languages that people speak which ISO 639-1 does not have."""


_TWO_LETTERS = re.compile(r'"alpha_2": "(\w\w)"')


@cache
def codes() -> frozenset[str]:
    """The two-letter codes of ISO 639-1, and :data:`FURTHER_CODES`."""
    # pycountry itself would keep all 7,900 languages, which nobody asks for, and seven megabytes.
    text = Path(pycountry.DATABASE_DIR, "iso639-3.json").read_text("utf-8")
    return FURTHER_CODES.union(_TWO_LETTERS.findall(text))


def is_known(tag: str) -> bool:
    """Whether a language tag such as ``de``, ``pt-br`` or ``es-419`` names a language that is written."""
    if len(tag) > LONGEST_TAG:
        return False
    try:
        Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return False
    return True
