"""The lines of a file of records, in batches: each is one short transaction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

RECORDS_AT_ONCE = 500
"""Records of one transaction."""
BATCH_BYTES = 8 * 1024 * 1024
"""A batch ends early when its lines have so many."""


@dataclass
class Counts:
    """What became of the lines."""

    created: int = 0
    updated: int = 0
    failed: int = 0


def batches(lines: Iterable[tuple[int, bytes | None]]) -> Iterator[list[tuple[int, bytes | None]]]:
    """Lines that :func:`accountsapp.strict_json.read_lines` gave, some hundred at a time."""
    batch: list[tuple[int, bytes | None]] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line[1] or b"")
        if len(batch) == RECORDS_AT_ONCE or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
