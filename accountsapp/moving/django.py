"""Django: the table ``auth_user``; if there are such tables, the tokens of Django REST framework and the
addresses of allauth, too.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from accountsapp.domain.transfer.source_rows import SourceRow
from accountsapp.moving.databases import SourceTable, has_table
from accountsapp.moving.values import flag, moment, password_hash, text

USERS = "auth_user"
REQUIRED = ("id", "username", "email", "password")
OPTIONAL = (
    "first_name",
    "last_name",
    "is_active",
    "is_staff",
    "is_superuser",
    "last_login",
    "date_joined",
)
TOKENS = ("authtoken_token", ("user_id", "key"))
ADDRESSES = ("account_emailaddress", ("user_id", "email", "verified", "primary"))

Rows = Sequence[dict[str, Any]]


def read(connection: Connection) -> Iterator[SourceRow]:
    """Every user."""
    tokens = SourceTable(connection, *TOKENS) if has_table(connection, TOKENS[0]) else None
    addresses = SourceTable(connection, *ADDRESSES) if has_table(connection, ADDRESSES[0]) else None
    for page in SourceTable(connection, USERS, REQUIRED, OPTIONAL).pages():
        ids = [row["id"] for row in page]
        tokens_of = tokens.of("user_id", ids) if tokens is not None else {}
        addresses_of = addresses.of("user_id", ids) if addresses is not None else {}
        for row in page:
            record = record_of(row, tokens_of.get(row["id"], ()), addresses_of.get(row["id"], ()))
            yield SourceRow(f"{USERS} {row['id']!a}", record)


def record_of(user: dict[str, Any], tokens: Rows = (), addresses: Rows = ()) -> dict[str, Any]:
    """The account record of a row.

    :param tokens: of Django REST framework, which has one for each user
    :param addresses: of allauth
    """
    record = {
        "username": user["username"],
        "emails": _emails(text(user["email"]), addresses),
        "password_hash": password_hash(user["password"]),
        "name": full_name(user),
        "activated": flag(user.get("is_active"), default=True),
        "is_staff": flag(user.get("is_staff")),
        "is_admin": flag(user.get("is_superuser")),
        "last_login": moment(user.get("last_login")),
        "signup": moment(user.get("date_joined")),
    }
    for token in tokens:
        record["api_key"] = text(token["key"])
    return record


def full_name(user: dict[str, Any]) -> str | None:
    """First and last name; None without either."""
    names = (text(user.get("first_name")), text(user.get("last_name")))
    return " ".join(name for name in names if name) or None


def _emails(own: str | None, addresses: Rows) -> list[dict[str, Any]] | None:
    """The user's own address is the primary one; Django by itself proves none."""
    others = {str(address["email"]).lower(): address for address in addresses}
    proof = others.pop(own.lower(), None) if own is not None else None
    if own is None and others:
        key = next((key for key, address in others.items() if flag(address["primary"]) is True), min(others))
        proof = others.pop(key)
        own = proof["email"]
    if own is None:
        return None
    is_verified = flag(proof["verified"]) if proof is not None else False
    return [
        {"email": own, "verified": is_verified, "primary": True},
        *(
            {"email": other["email"], "verified": flag(other["verified"]), "primary": False}
            for _, other in sorted(others.items())
        ),
    ]
