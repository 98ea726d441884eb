"""The languages of pages and mails: one catalogue each, below ``locale/``.

``accountsapp/locale/<locale>/LC_MESSAGES/accountsapp.po`` is written by people, the ``.mo`` beside it by
``make messages``. English is the text itself.
"""

from collections.abc import Sequence
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Any

from babel import localedata
from babel.core import Locale, UnknownLocaleError

DOMAIN = "accountsapp"
FOLDER = Path(__file__).parent / "locale"
ENGLISH = "en"
MOST_LANGUAGES = 20
"""Of one ``Accept-Language``."""

_UNUSED = (
    *("currency_names", "currency_names_plural", "currency_symbols", "compact_currency_formats"),
    *("compact_decimal_formats", "compound_unit_patterns", "unit_display_names"),
    *("datetime_skeletons", "interval_formats", "meta_zones", "time_zones"),
)
"""Of Babel's data of a language, which it reads whole: a megabyte each."""


def mark(text: str) -> str:
    """The text itself: it is translated where it is shown."""
    return text


@cache
def catalogues() -> frozenset[str]:
    """The locales that there are texts in."""
    return frozenset({ENGLISH, *(path.parts[-3] for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))})


@cache
def translations(locale: str) -> NullTranslations:
    """The texts of a locale, English where it has none.

    :param locale: one of :func:`catalogues`
    """
    return translation(DOMAIN, FOLDER, [locale], fallback=True)


def nearest(wanted: str | None, offered: Sequence[str]) -> str | None:
    """The catalogue for a locale: that of the same name, else of its language.

    :param wanted: such as ``de``, ``pt_BR`` or ``pt-br``; may be anything
    :param offered: the locales that the operator offers
    """
    if not wanted:
        return None
    language, _, territory = wanted.replace("-", "_").partition("_")
    names = (f"{language.lower()}_{territory.upper()}", language.lower())
    return next((name for name in names if name in offered and name in catalogues()), None)


def accepted(header: str, offered: Sequence[str]) -> str | None:
    """The catalogue that an ``Accept-Language`` (RFC 9110 12.5.4) wants most.

    :param offered: the locales that the operator offers
    """
    ranges = []
    for number, item in enumerate(header.split(",")[:MOST_LANGUAGES]):
        name, _, parameter = item.strip().partition(";")
        ranges.append((-_quality(parameter), number, name.strip()))
    wanted = (name for weight, _, name in sorted(ranges) if weight < 0)
    return next(filter(None, (nearest(name, offered) for name in wanted)), None)


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


@cache
def babel_locale(locale: str) -> Locale:
    """How dates and numbers are written there, and what languages are called. Nothing else can be asked."""
    try:
        parsed = Locale.parse(locale)
    except (UnknownLocaleError, ValueError):
        parsed = Locale.parse(ENGLISH)
    for name in (str(parsed), "root"):
        _forget_unused(localedata.load(name))
    return parsed


def _forget_unused(data: dict[str, Any]) -> None:
    """
    :param data: of a language, as Babel keeps it
    """
    for part in _UNUSED:
        data.pop(part, None)
    patterns = data["unit_patterns"]
    data["unit_patterns"] = {unit: patterns[unit] for unit in patterns if unit.startswith("duration-")}
