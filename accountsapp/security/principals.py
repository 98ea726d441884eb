"""Who an ACL may name, besides Pyramid's own ``Everyone`` and ``Authenticated``."""

ADMINISTRATORS = "group:administrators"
STAFF = "group:staff"
"""Administrators belong to it too."""


def principal(account_id: int) -> str:
    """The principal of an account: its id, never its name."""
    return f"account:{account_id}"
