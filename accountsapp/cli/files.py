"""Files that commands read, and how far they are."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from accountsapp.cli.errors import Failed
from accountsapp.domain.transfer.lines import Counts


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """The file of that name; standard input for ``-``.

    :raises Failed: there is no such file
    """
    if file == "-":
        yield sys.stdin.buffer
        return
    if not Path(file).exists():
        raise Failed(f"{file}: no such file")
    with Path(file).open("rb") as stream:
        yield stream


@contextmanager
def progress(stream: BinaryIO, things: str) -> Iterator[Callable[[Counts], None]]:
    """A function that shows how far an import is, on a terminal only.

    :param things: what is imported, in the plural
    """
    if not sys.stderr.isatty():
        yield lambda counts: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    total = os.fstat(stream.fileno()).st_size if stream.seekable() else None
    with Progress(
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[done]} {task.description}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task(things, total=total, done=0)

        def show(counts: Counts) -> None:
            position = stream.tell() if total is not None else 0
            bar.update(task, completed=position, done=counts.created + counts.updated)

        yield show
