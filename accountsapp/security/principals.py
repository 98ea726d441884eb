"""Who an ACL may name, besides Pyramid's own ``Everyone`` and ``Authenticated``."""

ADMINISTRATORS = "group:administrators"


def principal(account_id: int) -> str:
    """The principal of an account: its id, never its name."""
    return f"account:{account_id}"
