"""The languages of pages and mails: every text translated, with the same values and tags in it."""

import re
import subprocess
import sys
import tomllib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from accountsapp import i18n, mail
from accountsapp.domain.mailing.notices import VALUES_OF, Notice

ROOT = Path(__file__).parent.parent
LOCALES = ("es", "it", "fr", "ja", "el")
PLACES = re.compile(r"%\(\w+\)s|</?\w+>")


def path_of(locale: str, ending: str) -> Any:
    return i18n.FOLDER / locale / "LC_MESSAGES" / f"{i18n.DOMAIN}.{ending}"


def catalogue(locale: str) -> Catalog:
    with path_of(locale, "po").open("rb") as file:
        return read_po(file, locale=locale)


def texts(message: Message) -> list[tuple[str, str]]:
    """Original and translation, of each number where there are several."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    singular, plural = message.id
    forms = list(message.string)
    return [(plural, form) for form in forms[1:]] + [(singular if len(forms) > 1 else plural, forms[0])]


def test_the_languages_of_the_setting_are_there() -> None:
    assert i18n.catalogues() == {"en", *LOCALES}


def collected() -> set[Any]:
    """What ``make messages`` collects: texts, and pairs of them."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    options = {mapping["pattern"]: mapping for mapping in mappings}
    keywords = {**DEFAULT_KEYWORDS, "mark": None, "translated": (2,)}
    found = extract_from_dir(ROOT, methods, options, keywords)
    return {message for _file, _line, message, _comments, _context in found}


def test_every_text_is_in_the_catalogue() -> None:
    """And nothing else: what is new or gone is told to the catalogues by ``make messages``."""
    texts = collected()
    assert len(texts) > 100
    for locale in LOCALES:
        assert {message.id for message in catalogue(locale) if message.id} == texts, locale


@pytest.mark.parametrize("locale", LOCALES)
def test_every_message_is_translated(locale: str) -> None:
    wrong = []
    for message in catalogue(locale):
        if not message.id:
            continue
        for original, translation in texts(message):
            same = sorted(PLACES.findall(original)) == sorted(PLACES.findall(translation))
            if message.fuzzy or not translation or not same or list(message.check()):
                wrong.append((original, translation))
    assert wrong == []


@pytest.mark.parametrize("locale", LOCALES)
def test_what_is_compiled_is_what_was_written(locale: str) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue(locale))
    assert path_of(locale, "mo").read_bytes() == compiled.getvalue(), "make messages"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("es", "es"),
        ("es-MX", "es"),
        ("ES_mx", "es"),
        ("de", None),
        ("", None),
        (None, None),
        ("../../etc", None),
        ("el\0", None),
        ("x" * 9999, None),
    ],
)
def test_the_nearest_catalogue(wanted: str | None, found: str | None) -> None:
    assert i18n.nearest(wanted, ("en", *LOCALES)) == found
    assert i18n.nearest(wanted, ("en",)) is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", None),
        ("fr", "fr"),
        ("de-AT,de;q=0.9,it;q=0.5,en;q=0.1", "it"),
        ("en;q=0.2, ja;q=0.8", "ja"),
        ("el;q=0, en", "en"),
        ("fr;q=x,es", "es"),
        ("*", None),
        (";;;,,,q=nan;q=nan", None),
        ("es;q=nan, fr", "fr"),
        (",".join(["xx"] * 500 + ["fr"]), None),
    ],
)
def test_what_a_browser_accepts(header: str, found: str | None) -> None:
    assert i18n.accepted(header, ("en", *LOCALES)) == found


@pytest.mark.parametrize("locale", LOCALES)
def test_mails_are_in_the_language_of_who_reads(locale: str) -> None:
    values = {
        "username": "alice",
        "inviter": "bob",
        "code": "C0de",
        "expires": "2031-05-06T07:08:00+00:00",
        "new_address": "n@example.com",
    }
    for notice in (Notice.RESET_PASSWORD, Notice.PASSWORD_CHANGED, Notice.INVITATION):
        context = {name: values[name] for name in VALUES_OF[notice]}
        site: dict[str, Any] = {"site_url": "https://a.example", "site_name": "Museo", "colour": "#aa0000"}
        there = mail.render(notice, to="a@example.com", locale=locale, context=context, **site)
        english = mail.render(notice, to="a@example.com", locale=None, context=context, **site)
        assert there.subject != english.subject
        assert "Museo" in there.subject
        assert f'<html lang="{locale}">' in there.html
        assert "#aa0000" in there.html
        assert '<html lang="en">' in english.html


FORMATS = """
from datetime import UTC, datetime
from babel.core import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal
from accountsapp import i18n

def written(locale):
    moment = datetime(2026, 11, 26, 9, 5, tzinfo=UTC)
    yield from (format_date(moment, format=form, locale=locale) for form in ("medium", "long", "full"))
    yield format_time(moment, format="short", locale=locale)
    for power in range(9):
        for seconds in (10**power, -(10**power)):
            yield format_timedelta(seconds, locale=locale)
            yield format_timedelta(seconds, locale=locale, add_direction=True)
        yield format_decimal(10**power + 0.5, locale=locale)
    yield locale.get_display_name(locale)

for name in (*sorted(i18n.catalogues()), "de", "pt_BR", "zh_Hans", "ar"):
    before = list(written(Locale.parse(name)))
    kept = i18n.babel_locale(name)
    assert not {"currency_names", "meta_zones"} & kept._data.keys(), name
    assert list(written(kept)) == before, name
"""


def test_what_is_forgotten_of_a_language_is_not_used() -> None:
    """In a process of its own, since Babel keeps a language for all who ask."""
    subprocess.run([sys.executable, "-c", FORMATS], check=True)
