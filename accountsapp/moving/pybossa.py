"""PYBOSSA: the table ``user``. API keys go on as they are, and so do Werkzeug's hashes."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from accountsapp.domain.transfer.source_rows import SourceRow
from accountsapp.moving.databases import SourceTable
from accountsapp.moving.values import document, flag, moment, password_hash, text
from accountsapp.strict_json import LARGEST_INTEGER

REQUIRED = ("id", "name", "email_addr", "api_key", "passwd_hash")
ACCOUNTS_ELSEWHERE = ("twitter_user_id", "facebook_user_id", "google_user_id")
"""Shown with ``info``."""
OWN = ("category", "consent", "flags", "ldap", "newsletter_prompted", "pro", "restrict")
"""What has no place of its own here is kept in ``info`` under :data:`OWN_KEY`."""
OWN_KEY = "pybossa"
OPTIONAL = (
    "fullname",
    "created",
    "locale",
    "admin",
    "privacy_mode",
    "subscribed",
    "valid_email",
    "ckan_api",
    "info",
    *ACCOUNTS_ELSEWHERE,
    *OWN,
)


def read(connection: Connection) -> Iterator[SourceRow]:
    """Every user."""
    for page in SourceTable(connection, "user", REQUIRED, OPTIONAL, ("info",)).pages():
        for row in page:
            yield SourceRow(f"user {row['id']!a}", record_of(row))


def record_of(user: dict[str, Any]) -> dict[str, Any]:
    """The account record of a row."""
    is_restricted = flag(user.get("restrict")) is True
    return {
        "username": user["name"],
        "emails": [
            {"email": text(user["email_addr"]), "verified": flag(user.get("valid_email")), "primary": True}
        ],
        "password_hash": password_hash(user["passwd_hash"]),
        "api_key": text(user["api_key"]),
        "name": text(user.get("fullname")),
        "signup": moment(user.get("created")),
        "locale": text(user.get("locale")),
        "is_admin": flag(user.get("admin")),
        "privacy_mode": is_restricted or flag(user.get("privacy_mode"), default=True),
        "subscribed": flag(user.get("subscribed"), default=True),
        "ckan_api": text(user.get("ckan_api")),
        "info": _info(user),
    }


def _info(user: dict[str, Any]) -> Any:
    """The free information, without the secrets of other services that PYBOSSA keeps in it."""
    info = document(user.get("info"))
    if not isinstance(info, dict):
        return info
    info = {key: value for key, value in info.items() if not key.endswith("_token")}
    for key in ACCOUNTS_ELSEWHERE:
        identity = user.get(key)
        if identity is not None:
            is_large = isinstance(identity, int) and identity > LARGEST_INTEGER
            info[key] = str(identity) if is_large else identity
    own = {key: user[key] for key in OWN if user.get(key)}
    for key in own.keys() - {"category", "flags"}:
        own[key] = flag(own[key])
    return {**info, OWN_KEY: own} if own else info
