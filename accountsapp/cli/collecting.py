"""The garbage collector of a command that works through many records."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 50_000
"""After so many the collector looks at them: some more than a batch of records leaves until it is written."""


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Records are no circles: to look at those of a batch again and again takes a fifth of an import."""
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
