"""The list of all accounts that administrators see, its first and its last page."""

from collections.abc import Iterator
from itertools import repeat

from bench.client import Job, get

LISTED = 24
"""Accounts of a page."""
ORDERS = ("username", "signup", "last_login")
MOST = {f"accounts by {order}, {which} page": 5.0 for order in ORDERS for which in ("first", "last")}
"""The ratios to the bare waitress that are required."""


def admin_jobs(api_key: str, accounts: int) -> list[Job]:
    """
    :param api_key: an administrator's
    :param accounts: how many there are
    """
    offsets = {"first": 0, "last": (accounts - 1) // LISTED * LISTED}
    return [
        Job(f"accounts by {order}, {which} page", _page(api_key, order, offset))
        for order in ORDERS
        for which, offset in offsets.items()
    ]


def _page(api_key: str, order: str, offset: int) -> Iterator[bytes]:
    part = f"order={order}&limit={LISTED}&offset={offset}"
    return repeat(get(f"/api/v1/a/users/list?{part}&api_key={api_key}"))
