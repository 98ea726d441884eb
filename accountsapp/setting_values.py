"""What the values of settings may be.

Each function gives the value in its normal form, or raises ValueError with what it must be.
"""

import re
from collections.abc import Collection
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from accountsapp import email_syntax

SHORTEST_SECRET = 32
HOW_TO_MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))' makes one"


DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_SITE_NAME = 60

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_RATE = re.compile(r"([1-9][0-9]{0,6})/(second|minute|hour|day)", re.ASCII)
_REDIS_DATABASE = re.compile(r"(/[0-9]{0,9})?", re.ASCII)
LARGEST_RATE = 1_000_000
_LOCALE = re.compile(r"[a-z]{2,3}(_[A-Z][a-z]{3})?(_[A-Z]{2})?", re.ASCII)


def words(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


def site_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 refuses a port that is none
    except ValueError:
        raise ValueError("must be an absolute http or https URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an absolute http or https URL")
    if parts.username is not None or any(c.isspace() or c in '<>"\\^`{|}' for c in value):
        raise ValueError("must be an absolute http or https URL without user information")
    if parts.port == 0:
        raise ValueError("must be an absolute http or https URL")
    return origin_of(parts) + parts.path.rstrip("/")


def origin(value: str) -> str:
    refusal = ValueError("must be origins such as https://app.example.org")
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 refuses a port that is none
    except ValueError:
        raise refusal from None
    if not parts.scheme or not parts.hostname or parts.username is not None:
        raise refusal
    if parts.path or parts.query or parts.fragment:
        raise refusal
    return origin_of(parts)


def origin_of(parts: SplitResult) -> str:
    """The origin as browsers write it: in lower case, without the port that the scheme has anyway.

    :raises ValueError: browsers write the host in another way
    """
    host = parts.hostname or ""
    if not host.isascii():
        raise ValueError("must have its host in ASCII: xn--…")
    if ":" in host:
        host = f"[{ip_address(host).compressed}]"
    port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError as error:
        raise ValueError("must be IP addresses or networks such as 10.0.0.0/8") from error
    return value


def folder(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise ValueError("must name a folder")
    if isinstance(value, str) and "\0" in value:
        raise ValueError("cannot be the name of a folder; it must have no NUL")
    return value


def secret(value: str) -> str:
    if len(value) < SHORTEST_SECRET:
        raise ValueError(f"must have at least {SHORTEST_SECRET} characters; {HOW_TO_MAKE_ONE}")
    return value


def secrets(values: Collection[str]) -> Collection[str]:
    if not values:
        raise ValueError(
            f"must not be empty: it needs {SHORTEST_SECRET} random characters; {HOW_TO_MAKE_ONE}"
        )
    return values


def readable(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            file.read(1)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", "cannot be the name of a file")
        raise ValueError(f"{problem}; name a file that this user may read") from None
    return path


def logo(path: Path) -> Path:
    from accountsapp.site_logo import read_logo  # few have one

    read_logo(readable(path))
    return path


def public_keys(path: Path) -> Path:
    from accountsapp.public_keys import read_public_keys  # and with it a part of cryptography

    read_public_keys(readable(path))
    return path


def database_url(value: str) -> str:
    url = parsed_url(value)
    if url is None:
        raise ValueError("must be a sqlite:// or a postgresql+psycopg:// URL")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"):
        raise ValueError("must be a sqlite:// or a postgresql+psycopg:// URL")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("must name a SQLite file")
    return value


def replica_url(value: str | None) -> str | None:
    if value is not None and database_url(value).startswith("sqlite"):
        raise ValueError("must be a postgresql+psycopg:// URL")
    return value


def parsed_url(value: str) -> URL | None:
    try:
        return make_url(value)
    except (ArgumentError, ValueError):
        return None


def storage_url(value: str) -> str:
    if value == "memory://":
        return value
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
        usable = usable and _REDIS_DATABASE.fullmatch(parts.path) is not None
    except ValueError:
        usable = False
    if not usable or any(c.isspace() for c in value):
        raise ValueError(
            "must be memory:// or a Redis URL with a host and, at most, the number of a database"
        )
    return value


def sender(value: str) -> str:
    try:
        email_syntax.check(value, display_name=True)
    except email_syntax.Unmailable:
        raise ValueError("must be an e-mail address, or Name <address>") from None
    return value


def site_name(value: str) -> str:
    name = " ".join(value.split())
    if not name.isprintable() or len(name) > LONGEST_SITE_NAME or "=?" in name:
        raise ValueError(f"must be one line of at most {LONGEST_SITE_NAME} characters")
    return name


def colour(value: str) -> str:
    if not _COLOUR.fullmatch(value.lower()):
        raise ValueError("must be a colour such as #1d4ed8")
    return value.lower()


def locale(value: str) -> str:
    if not _LOCALE.fullmatch(value):
        raise ValueError("must be languages such as en or pt_BR")
    return value


def rate(value: str) -> str:
    match = _RATE.fullmatch(value)
    if value and (match is None or int(match[1]) > LARGEST_RATE):
        raise ValueError("must be a number of 1 to 1000000 and /second, /minute, /hour or /day")
    return value
