"""In which language a page is: the account's, else what the browser wants, else English."""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup, escape
from pyramid.threadlocal import get_current_request

from accountsapp import i18n
from accountsapp.domain.rules.text import initial_of
from accountsapp.pages.visitor import visitor_of

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request


def locale_of(request: "Request") -> str:
    """Pyramid's locale negotiator."""
    offered = request.app_settings.locales
    visitor = visitor_of(request)
    own = i18n.nearest(visitor.locale, offered) if visitor is not None else None
    return own or request.accepted_language or i18n.ENGLISH


def gettext(text: str, /, **values: Any) -> Markup:
    """Template function ``gettext``, which ``trans`` blocks call too: a text in the language of the page.

    In place of Jinja's, which marks and fills in each text anew.

    :param text: with ``%(name)s`` for each value, and ``%%`` for a percent sign
    :param values: are escaped
    """
    locale: str = get_current_request().locale_name
    return _template(locale, text) % values if values else _filled(locale, text)


@lru_cache(2000)
def _template(locale: str, text: str) -> Markup:
    return Markup(i18n.translations(locale).gettext(text))  # noqa: S704 texts and catalogues are ours


@lru_cache(2000)
def _filled(locale: str, text: str) -> Markup:
    return _template(locale, text) % {}


def translated(request: "Request", text: str, **values: Any) -> str:
    """A text of the catalogue in the language of the page.

    :param text: with ``%(name)s`` for each value
    """
    message: str = i18n.translations(request.locale_name).gettext(text)
    return message % values if values else message


def sentence(text: str) -> str:
    """Template filter ``sentence``: a text that Python made, in the language of the page.

    What no catalogue has, such as what is translated already, stays as it is.
    """
    return translated(get_current_request(), text)


_HYPHENED = re.compile(r"\b\w-\w+(?![^<>]*>)")


def unbroken(text: str) -> Markup:
    """Template filter ``unbroken``: a heading or the label of a button; no line of it ends within a word such
    as *e-mail*.
    """
    escaped = str(escape(text))
    return Markup(_HYPHENED.sub(r'<span class="unbroken">\g<0></span>', escaped))  # noqa: S704 see the line above


def isolated(text: str) -> Markup:
    """Template filter ``isolated``: a name within a sentence, whichever way it is written."""
    return Markup("<bdi>{}</bdi>").format(text)


def ago_in(locale: str, passed: timedelta) -> str:
    """How long ago: at least a second, to the minute from one minute on, to the day from one day on.

    :param passed: negative; by a clock that is behind, what has just been may seem to come
    """
    seconds = max(1, round(-passed.total_seconds()))
    unit = 86400 if seconds >= 86400 else 60 if seconds >= 60 else 1
    return _span_in_words(-(seconds // unit) * unit, locale)


@lru_cache(2000)
def _span_in_words(seconds: int, locale: str) -> str:
    return format_timedelta(seconds, add_direction=True, locale=i18n.babel_locale(locale))


def decimal(number: int) -> str:
    """Template filter ``decimal``: a number, as it is written in the language of the page."""
    return _decimal_in(get_current_request().locale_name, number)


@lru_cache(2000)
def _decimal_in(locale: str, number: int) -> str:
    return format_decimal(number, locale=i18n.babel_locale(locale))


def day(request: "Request", moment: datetime) -> str:
    """The date, as it is written in the language of the page."""
    return format_date(moment, format="long", locale=i18n.babel_locale(request.locale_name))


def minute(request: "Request", moment: datetime) -> str:
    """Date and time in UTC, likewise."""
    locale = i18n.babel_locale(request.locale_name)
    clock = format_time(moment, format="short", locale=locale)
    return f"{format_date(moment, format='medium', locale=locale)}, {clock} UTC"


def includeme(config: "Configurator") -> None:
    config.set_locale_negotiator(locale_of)
    config.add_translation_dirs("accountsapp:locale")
    config.add_settings({"jinja2.i18n.domain": i18n.DOMAIN, "jinja2.newstyle": "true"})
    config.add_settings({"jinja2.globals": {"gettext": gettext, "_": gettext}})
    filters = {
        "decimal": decimal,
        "initial": initial_of,
        "isolated": isolated,
        "sentence": sentence,
        "unbroken": unbroken,
    }
    config.add_settings({"jinja2.filters": filters})
