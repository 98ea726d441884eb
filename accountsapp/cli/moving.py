"""``accountsapp accounts import --from``: the accounts of another system."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from accountsapp.cli.collecting import collecting_rarely
from accountsapp.cli.context import Context
from accountsapp.cli.files import opened
from accountsapp.cli.output import print_json
from accountsapp.cli.stopping import AGAIN, in_words, look, report_stop, whole
from accountsapp.domain.passwords import Passwords, read_refused
from accountsapp.domain.transfer.moving import Mover
from accountsapp.domain.transfer.rehearsal import Rehearsal
from accountsapp.domain.transfer.source_rows import MoveCounts, SourceRow
from accountsapp.moving import csv
from accountsapp.moving.databases import connected
from accountsapp.moving.systems import SYSTEMS

CSV = "csv"
SOURCES = (*SYSTEMS, CSV)


def csv_rows(file: str) -> Iterator[SourceRow]:
    """The rows of a CSV file; of standard input for ``-``."""
    with opened(file) as stream:
        yield from csv.read(stream)


def database_rows(system: str, url: str) -> Iterator[SourceRow]:
    """The accounts in the database of a system."""
    with connected(url) as connection:
        yield from SYSTEMS[system](connection)


def move(
    context: Context, rows: Iterable[SourceRow], *, source: str, update_existing: bool, is_rehearsal: bool
) -> None:
    """Take rows; prints what became of them as JSON, and exits with 1 if some could not be taken."""
    settings = context.settings
    write = whole(context.database.write)
    mover = Mover(
        write,
        context.keyring,
        Passwords(settings.bcrypt_rounds, read_refused(settings.passwords_refused), slots=os.cpu_count()),
        lambda place, text: click.echo(f"{place}: {text}", err=True),
        source=source,
        most_keys=settings.keys.max,
        update_existing=update_existing,
        origin=context.origin,
        rehearsal=Rehearsal(write) if is_rehearsal else None,
    )
    counts = MoveCounts()
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed} accounts"), TimeElapsedColumn())
    bar = Progress(*columns, console=console, disable=not console.is_terminal)
    next_time = "nothing was written" if is_rehearsal else AGAIN
    with report_stop(lambda: f"{in_words(counts)}; {next_time}"), collecting_rarely(), bar:
        task = bar.add_task("", total=None)
        for counts in mover.run(rows):
            bar.update(task, completed=sum(asdict(counts).values()))
            look()
    print_json(asdict(counts))
    if counts.failed:
        sys.exit(1)
