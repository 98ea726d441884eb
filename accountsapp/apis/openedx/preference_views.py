"""Preferences of accounts, and what forms offer to choose from."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import Locale
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.apis.openedx.jwt_cookies import LANGUAGE, LANGUAGE_KEPT, set_cookie
from accountsapp.apis.openedx.resources import (
    PreferencesOfAccount,
    RegistrationForm,
    SetLanguage,
    TimeZones,
    UserStatus,
)
from accountsapp.apis.openedx.schemas import PREFERRED_COLUMNS, PreferredColumns, load_preferences
from accountsapp.domain.accounts import profile
from accountsapp.domain.data.json_texts import object_of
from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules import countries, languages, time_zones
from accountsapp.i18n import ENGLISH
from accountsapp.security.permissions import Permission
from accountsapp.web.answers import empty_answer
from accountsapp.web.request import Request


@view_config(context=PreferencesOfAccount, request_method="GET", permission=Permission.ACCOUNT_READ)
def read_preferences(context: PreferencesOfAccount, request: Request) -> dict[str, str]:
    preferred = profile.read(request.store, context.target.id, PreferredColumns)
    columns = {name: getattr(preferred, column) for name, column in PREFERRED_COLUMNS.items()}
    preferences = object_of(preferred.preferences_text)
    others = {name: text for name, text in preferences.items() if name not in columns}
    return {name: text for name, text in columns.items() if text} | others


@view_config(context=PreferencesOfAccount, request_method="PATCH", permission=Permission.ACCOUNT_WRITE)
def change_preferences(context: PreferencesOfAccount, request: Request) -> Response:
    columns, others = load_preferences(request)
    profile.change(request.store, context.target.id, columns, preferences=others)
    return empty_answer()


@view_config(context=UserStatus, request_method="GET", permission=Permission.ACCOUNT_READ)
def list_providers(context: UserStatus, request: Request) -> list[Any]:
    """Nobody signs in here by an account elsewhere."""
    return []


@view_config(context=TimeZones, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def list_time_zones(context: TimeZones, request: Request) -> list[dict[str, str]]:
    country = str(request.parameters.last_in_query("country_code", "")).upper()
    zones = time_zones.names_by_country().get(country, time_zones.lived_in())
    return [{"time_zone": name, "description": _described(name)} for name in zones]


@view_config(context=RegistrationForm, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def describe_registration(context: RegistrationForm, request: Request) -> dict[str, Any]:
    names = Locale.parse(ENGLISH).territories
    named = sorted((names[code], code) for code in countries.codes())
    options = [{"value": code, "name": name} for name, code in named]
    return {"fields": [{"name": "country", "options": options}]}


@view_config(context=SetLanguage, request_method="POST", permission=Permission.ACCOUNT_WRITE)
def set_language(context: SetLanguage, request: Request) -> Response:
    language = request.parameters.last_in_body("language")
    if not isinstance(language, str) or not languages.is_known(language):
        raise InvalidValue("language", "There is no such language.")
    response = empty_answer()
    set_cookie(request, response, LANGUAGE, language, LANGUAGE_KEPT)
    return response


def _described(zone: str) -> str:
    """Such as ``Europe/Paris (CET, UTC+0100)``."""
    return datetime.now(ZoneInfo(zone)).strftime(f"{zone.replace('_', ' ')} (%Z, UTC%z)")
