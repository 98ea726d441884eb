"""The access matrices as the tables of ``docs/access.rst``; ``make access`` writes them."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from accountsapp.testing.access import Cell
from tests.security import test_s01_amo_matrix as amo
from tests.security import test_s01_bookie_matrix as bookie
from tests.security import test_s01_check_matrix as check
from tests.security import test_s01_dockerhub_matrix as dockerhub
from tests.security import test_s01_oauth_matrix as oauth
from tests.security import test_s01_openedx_matrix as openedx
from tests.security import test_s01_pages_matrix as pages
from tests.security import test_s01_pybossa_matrix as pybossa
from tests.security.test_s02_nothing_forgotten import OPEN_URLS

PRINTED = Path(__file__).parent.parent.parent / "docs" / "access.txt"
MATRICES = (
    ("Bookie", bookie.cells),
    ("Docker Hub", dockerhub.cells),
    ("Mozilla Add-ons", amo.cells),
    ("PYBOSSA", pybossa.cells),
    ("Open edX", openedx.cells),
    ("Pages", pages.cells),
    ("Pages of the authorization server", oauth.cells),
    ("Endpoints of the authorization server, by client", oauth.endpoint_cells),
    ("The check for proxies", check.cells),
)
ANY, ANY_OTHER = "any, or none", "any other, or none"
"""Of ways to show a credential."""


def lines() -> Iterator[str]:
    """All tables."""
    for title, cells in MATRICES:
        yield from (title, "=" * len(title), "")
        yield from _table(list(cells()))
        yield ""
    yield from ("Open", "====", "", ".. csv-table::", "   :header: URL, why no credential is needed", "")
    for url, reason in OPEN_URLS.items():
        yield f'   "``{url}``", "{reason}"'


def _table(cells: list[Cell]) -> Iterator[str]:
    actors = list(dict.fromkeys(cell.actor for cell in cells))
    yield ".. csv-table::"
    yield "   :header: call, credential, " + ", ".join(f'"{actor}"' for actor in actors)
    yield ""
    for call, of_call in groupby(cells, key=lambda cell: cell.call):
        shown_call = f"``{call}``"
        for ways, statuses in _rows(list(of_call), actors):
            yield "   " + ", ".join((f'"{shown_call}"', f'"{ways}"', *map(str, statuses)))
            shown_call = ""


def _rows(cells: Iterable[Cell], actors: list[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Ways that make no difference are one row; the largest of them comes last."""
    by_way: dict[str, dict[str, int]] = {}
    for cell in cells:
        by_way.setdefault(cell.way, {})[cell.actor] = cell.status
    alike: dict[tuple[int, ...], list[str]] = {}
    for way, statuses in by_way.items():
        alike.setdefault(tuple(statuses[actor] for actor in actors), []).append(way)
    rows = sorted(alike.items(), key=lambda item: len(item[1]))
    named = [(", ".join(ways), statuses) for statuses, ways in rows]
    statuses, ways = rows[-1]
    if len(ways) > 1 and len(set(statuses)) == 1:
        named[-1] = (ANY_OTHER if rows[1:] else ANY, statuses)
    return named


if __name__ == "__main__":
    PRINTED.write_text("\n".join(lines()) + "\n", encoding="utf-8")
