"""What an OAuth client may be allowed to do for somebody."""

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    """The scopes there are; an API maps them to what it offers."""

    PROFILE_READ = "profile_read"
    PROFILE_WRITE = "profile_write"
    EMAIL_READ = "email_read"
    EMAIL_WRITE = "email_write"


WORDS: dict[Scope, str] = {
    Scope.PROFILE_READ: "See your profile: name, e-mail address, location, company, homepage",
    Scope.PROFILE_WRITE: "Change your profile",
    Scope.EMAIL_READ: "See your e-mail addresses",
    Scope.EMAIL_WRITE: "Add, confirm and remove your e-mail addresses",
}
"""What a person is asked for."""

DEFAULT = (Scope.PROFILE_READ, Scope.EMAIL_READ)
"""What a client may ask for when nothing else was said."""


def in_order(names: Iterable[str]) -> list[Scope]:
    """The scopes of these names, each once, in their one order.

    :raises ValueError: one is none
    """
    scopes = {Scope(name) for name in names}
    return [scope for scope in Scope if scope in scopes]


def written(scopes: Iterable[str]) -> str:
    """Scopes as RFC 6749 3.3 writes them."""
    return " ".join(scopes)
