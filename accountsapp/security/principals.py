"""Who an ACL may name, besides Pyramid's own ``Everyone`` and ``Authenticated``."""

from accountsapp.domain.rules.app_permissions import granting

ADMINISTRATORS = "group:administrators"
STAFF = "group:staff"
"""Administrators belong to it too."""


def principal(account_id: int) -> str:
    """The principal of an account: its id, never its name."""
    return f"account:{account_id}"


def carrier(app_permission: str) -> str:
    """The principal of the accounts that carry exactly that permission, such as ``Users:*``."""
    return f"carrier:{app_permission}"


def holders(app_permission: str) -> tuple[str, ...]:
    """The principals of all who have a permission: by its name, by a wildcard, as administrators."""
    return ADMINISTRATORS, *map(carrier, granting(app_permission))
