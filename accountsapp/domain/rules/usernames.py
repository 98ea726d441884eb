"""Which usernames can be had (``docs/operate.rst``, "Usernames and passwords")."""

import re

from accountsapp.domain.errors import InvalidUsername
from accountsapp.domain.rules.folding import LONGEST_KEY, fold
from accountsapp.domain.rules.text import has_control_characters

LONGEST_IMPORTED = 255

RESERVED = frozenset(
    # children of /account, and first segments of every path of the APIs and the pages
    [
        "page",
        "register",
        "signin",
        "signout",
        "forgot-password",
        "reset-password",
        "profile",
        "newsletter",
        "confirm-email",
        "account",
        "accounts",
        "api",
        "static",
        "favicon.ico",
        "sessions",
        "applications",
        "keys",
        "uploads",
        "auth",
        "save_metadata",
        "otpvalidation",
        "a",
        "ping",
        "suspend",
        "stats",
        "bmarks",
        "tags",
        "confirm",
        "docs",
        "exports",
        "healthz",
        "links",
        "metrics",
        "oauth2",
        "csrf",
        "i18n",
        "user_api",
        "login_refresh",
        "password_reset",
        "readyz",
        "recovery",
        "users",
        "name_change",
        "deactivate_logout",
        ".well-known",
    ]
)
"""Names that are words of some URL, folded: nobody can newly get them."""

_NEW = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


def check_new(username: str) -> str:
    """The username, if a person may newly have it.

    :param username: 3 to 35 characters: ASCII letters, digits, ``.``, ``_``, ``-``, the first a letter or
        digit, not digits only, not reserved
    :raises InvalidUsername: says which rule it breaks
    """
    if not 3 <= len(username) <= 35:
        raise InvalidUsername("User name must be between 3 and 35 characters long")
    if not _NEW.fullmatch(username) or username.isdigit():
        raise InvalidUsername("The user name has symbols that are not allowed")
    if fold(username) in RESERVED:
        raise InvalidUsername("The user name is used by the system")
    return username


def check_imported(username: str) -> str:
    """The username, if an account of an older system may come with it: 1 to 255 characters.

    :raises InvalidUsername: says which rule it breaks
    """
    if not 1 <= len(username) <= LONGEST_IMPORTED:
        raise InvalidUsername("User name must be between 1 and 255 characters long")
    if has_control_characters(username) or "/" in username or username in (".", ".."):
        raise InvalidUsername("The user name has symbols that are not allowed")
    if len(fold(username).encode()) > LONGEST_KEY:
        raise InvalidUsername("The user name is too long without its ligatures")
    return username


def check_chosen(username: object) -> str:
    """The username, trimmed and in lower case, if an invited person may choose it.

    :param username: one that could be imported, not reserved and not beginning with ``@@``
    :raises InvalidUsername: says which rule it breaks
    """
    if not isinstance(username, str):
        raise InvalidUsername("The user name must be a text")
    chosen = check_imported(username.strip().lower())
    if chosen.startswith("@@"):
        raise InvalidUsername("The user name has symbols that are not allowed")
    if fold(chosen) in RESERVED:
        raise InvalidUsername("The user name is used by the system")
    return chosen
