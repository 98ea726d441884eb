"""What the scopes of OAuth mean here: which permissions each grants."""

from collections.abc import Iterable
from functools import lru_cache

from accountsapp.domain.oauth.scopes import Scope
from accountsapp.domain.rules import key_scopes
from accountsapp.security.permissions import Permission

GRANTS: dict[Scope, tuple[Permission, ...]] = {
    Scope.PROFILE_READ: (Permission.ACCOUNT_READ, Permission.ACCOUNT_FIND),
    Scope.PROFILE_WRITE: (Permission.ACCOUNT_WRITE, Permission.ACCOUNT_DELETE, Permission.PICTURE_REMOVE),
    Scope.EMAIL_READ: (Permission.EMAIL_READ,),
    Scope.EMAIL_WRITE: (Permission.EMAIL_WRITE,),
}
NEEDED: dict[str, Scope] = {permission: scope for scope, granted in GRANTS.items() for permission in granted}
"""The scope without which a permission is not granted; one that is none of these no token has."""
WITHOUT_SCOPE = frozenset({Permission.KEY_END})
"""What every API key grants."""
ALL = frozenset(permission for granted in GRANTS.values() for permission in granted)


@lru_cache(maxsize=64)
def permissions(scope: str) -> frozenset[Permission]:
    """The permissions of a scope as RFC 6749 3.3 writes it."""
    return granted(scope.split())


def granted(scopes: Iterable[str]) -> frozenset[Permission]:
    """The permissions that scopes grant."""
    return frozenset(permission for scope in scopes for permission in GRANTS[Scope(scope)])


@lru_cache(maxsize=256)
def of_key(scopes: str | None) -> frozenset[str] | None:
    """The permissions that an API key grants: its scopes have their names.

    :param scopes: as they are kept
    :returns: None for all
    """
    kept = key_scopes.of_stored(scopes)
    return WITHOUT_SCOPE.union(kept) if kept is not None else None
