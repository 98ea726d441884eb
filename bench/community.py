"""The community of the account pages: whichever page is asked for, as JSON and as HTML."""

import random
from collections.abc import Iterator
from itertools import cycle

from accountsapp.domain.activity.community import PAGE
from bench.client import Job, get

IN_TURN = 50
FORMATS = {"JSON": "?response_format=json", "HTML": ""}
WHICH = ("first page", "last page", f"{IN_TURN} pages in turn", "any page")
MOST = {f"community as {name}, {which}": 5.0 for name in FORMATS for which in WHICH}
"""The ratios to the bare waitress that are required."""


def community_jobs(accounts: int) -> list[Job]:
    """
    :param accounts: how many are listed
    """
    last = -(-accounts // PAGE)
    return [
        Job(f"community as {name}, {which}", _pages(numbers, query))
        for name, query in FORMATS.items()
        for which, numbers in zip(
            WHICH,
            (cycle([1]), cycle([last]), cycle(range(1, min(IN_TURN, last) + 1)), _any(last)),
            strict=True,
        )
    ]


def _any(last: int) -> Iterator[int]:
    """Of many pages: mostly one that nobody asked for within the seconds for which a page is kept."""
    generator = random.Random(9)
    while True:
        yield generator.randint(1, last)


def _pages(numbers: Iterator[int], query: str) -> Iterator[bytes]:
    for number in numbers:
        yield get(f"/account/page/{number}{query}")
