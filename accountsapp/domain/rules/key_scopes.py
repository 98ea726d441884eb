"""What a named key may be good for."""

from collections.abc import Collection
from functools import lru_cache
from types import MappingProxyType

from accountsapp.domain.errors import InvalidValue

SCOPES = (
    "account:read",
    "account:write",
    "email:read",
    "email:write",
    "key:read",
    "key:write",
    "password:write",
    "administer",
)
"""In the order in which they are shown. ``administer`` is worth something to administrators alone."""

READ_ONLY, EXTENSION, FULL = "read-only", "extension", "full"
PRESETS = MappingProxyType(
    {
        READ_ONLY: ("account:read",),
        EXTENSION: ("account:read", "account:write", "key:read", "key:write"),
        FULL: None,
    }
)
"""Names for usual choices; None is all that the account may."""


def ordered(scopes: Collection[str]) -> tuple[str, ...]:
    """Scopes in the order of :data:`SCOPES`, each once.

    :raises InvalidValue: none, or one that there is not
    """
    if not scopes:
        raise InvalidValue("scopes", "A key needs at least one scope.")
    if not set(scopes) <= set(SCOPES):
        raise InvalidValue("scopes", f"The scopes of a key are: {', '.join(SCOPES)}.")
    return tuple(scope for scope in SCOPES if scope in scopes)


def stored(scopes: tuple[str, ...] | None) -> str | None:
    """Scopes as they are kept."""
    return " ".join(scopes) if scopes is not None else None


@lru_cache(maxsize=256)
def of_stored(text: str | None) -> tuple[str, ...] | None:
    """The scopes that were kept."""
    return tuple(text.split()) if text is not None else None
