"""What the scopes of OAuth mean here: which permission each grants."""

from collections.abc import Iterable
from functools import lru_cache

from accountsapp.domain.oauth.scopes import Scope
from accountsapp.security.permissions import Permission

GRANTS: dict[Scope, Permission] = {
    Scope.PROFILE_READ: Permission.ACCOUNT_READ,
    Scope.PROFILE_WRITE: Permission.ACCOUNT_WRITE,
    Scope.EMAIL_READ: Permission.EMAIL_READ,
    Scope.EMAIL_WRITE: Permission.EMAIL_WRITE,
}
NEEDED: dict[str, Scope] = {permission: scope for scope, permission in GRANTS.items()}
"""The scope without which a permission is not granted."""
ALL = frozenset(GRANTS.values())


@lru_cache(maxsize=64)
def permissions(scope: str) -> frozenset[Permission]:
    """The permissions of a scope as RFC 6749 3.3 writes it."""
    return granted(scope.split())


def granted(scopes: Iterable[str]) -> frozenset[Permission]:
    """The permissions that scopes grant."""
    return frozenset(GRANTS[Scope(scope)] for scope in scopes)
