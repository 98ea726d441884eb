"""Bookie: the table ``users``. Keys and bcrypt hashes go on as they are."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from accountsapp.domain.transfer.source_rows import SourceRow
from accountsapp.moving.databases import SourceTable
from accountsapp.moving.values import flag, moment, number, password_hash, text

REQUIRED = ("id", "username", "email", "password", "api_key")
OPTIONAL = ("name", "activated", "is_admin", "last_login", "signup", "invite_ct", "invited_by")


def read(connection: Connection) -> Iterator[SourceRow]:
    """Every user."""
    for page in SourceTable(connection, "users", REQUIRED, OPTIONAL).pages():
        for row in page:
            yield SourceRow(f"users {row['id']!a}", record_of(row))


def record_of(user: dict[str, Any]) -> dict[str, Any]:
    """The account record of a row."""
    return {
        "username": user["username"],
        "email": text(user["email"]),
        "password_hash": password_hash(user["password"]),
        "api_key": text(user["api_key"]),
        "name": text(user.get("name")),
        "activated": flag(user.get("activated"), default=True),
        "is_admin": flag(user.get("is_admin")),
        "last_login": moment(user.get("last_login")),
        "signup": moment(user.get("signup")),
        "invite_ct": number(user.get("invite_ct")),
        "invited_by": text(user.get("invited_by")),
    }
