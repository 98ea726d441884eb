"""Open edX: Django's ``auth_user`` with the profile, preferences, languages and social links beside it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules import social_links
from accountsapp.domain.transfer.source_rows import SourceRow
from accountsapp.moving import django
from accountsapp.moving.databases import SourceTable, has_table
from accountsapp.moving.values import number, text

PROFILES = "auth_userprofile"
PROFILE_TEXTS = {
    "name": "name",
    "language": "language",
    "location": "location",
    "gender": "gender",
    "level_of_education": "level_of_education",
    "mailing_address": "mailing_address",
    "country": "country",
    "goals": "goals",
    "bio": "biography",
}
"""Columns of a profile and what they are called here."""
OWN = ("city", "state", "phone_number")
"""What has no place of its own here is kept in ``info`` under :data:`OWN_KEY`."""
OWN_KEY = "openedx"
PROFILE = ("id", "user_id"), (*PROFILE_TEXTS, "year_of_birth", *OWN)
PREFERENCES = ("user_api_userpreference", ("user_id", "key", "value"))
LANGUAGES = ("student_languageproficiency", ("id", "user_profile_id", "code"))
LINKS = ("student_sociallink", ("user_profile_id", "platform", "social_link"))

PRIVACY, LANGUAGE, TIME_ZONE, VISIBILITY = "account_privacy", "pref-lang", "time_zone", "visibility."
"""Preferences that mean something here; the last one begins several."""
SHARING = "all_users"

Rows = Sequence[dict[str, Any]]


def read(connection: Connection) -> Iterator[SourceRow]:
    """Every user."""
    profiles = SourceTable(connection, PROFILES, *PROFILE)
    preferences, languages, links = (
        SourceTable(connection, *table) if has_table(connection, table[0]) else None
        for table in (PREFERENCES, LANGUAGES, LINKS)
    )
    for page in SourceTable(connection, django.USERS, django.REQUIRED, django.OPTIONAL).pages():
        ids = [row["id"] for row in page]
        profiles_of = profiles.of("user_id", ids)
        preferences_of = preferences.of("user_id", ids) if preferences is not None else {}
        profile_ids = [profile["id"] for rows in profiles_of.values() for profile in rows]
        languages_of = languages.of("user_profile_id", profile_ids) if languages is not None else {}
        links_of = links.of("user_profile_id", profile_ids) if links is not None else {}
        for row in page:
            profile = next(iter(profiles_of.get(row["id"], ())), {})
            record = record_of(
                row,
                profile,
                preferences_of.get(row["id"], ()),
                languages_of.get(profile.get("id"), ()),
                links_of.get(profile.get("id"), ()),
            )
            yield SourceRow(f"{django.USERS} {row['id']!a}", record)


def record_of(
    user: dict[str, Any], profile: dict[str, Any], preferences: Rows, languages: Rows, links: Rows
) -> dict[str, Any]:
    """The account record of a user; who is active has proved the address."""
    chosen = {row["key"]: row["value"] for row in preferences}
    record = django.record_of(user)
    if record["emails"] is not None:
        record["emails"][0]["verified"] = record["activated"]
    record |= {here: text(profile.get(column)) for column, here in PROFILE_TEXTS.items()}
    record["name"] = record["name"] or django.full_name(user)
    record["year_of_birth"] = number(profile.get("year_of_birth"))
    record["language"] = text(chosen.get(LANGUAGE)) or record["language"]
    record["account_privacy"] = _privacy(chosen.get(PRIVACY))
    record["preferences"] = {
        name: value
        for name, value in sorted(chosen.items())
        if (name == TIME_ZONE or name.startswith(VISIBILITY)) and value
    }
    by_age = sorted(languages, key=lambda row: row["id"])
    record["language_proficiencies"] = [{"code": row["code"]} for row in by_age]
    taken, others = _links(links)
    own = {name: profile[name] for name in OWN if profile.get(name)}
    if others:
        own["social_links"] = others
    record["social_links"] = taken
    record["info"] = {OWN_KEY: own} if own else {}
    return record


def _privacy(value: Any) -> str | None:
    """Where it is said field by field who sees what, nothing is shared here (``docs/moving.rst``)."""
    if value is None:
        return None
    return SHARING if value == SHARING else "private"


def _links(rows: Rows) -> tuple[dict[str, str], dict[str, str]]:
    """Those that can be taken, by network, and the others, by platform; an empty one is none."""
    taken: dict[str, str] = {}
    others: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: str(row["platform"])):
        platform, link = str(row["platform"]), text(row["social_link"])
        if link is None:
            continue
        try:
            network = social_links.network_of(platform)
            taken.setdefault(network, social_links.parse(network, link))
        except InvalidValue:
            others[platform] = link
    return taken, others
