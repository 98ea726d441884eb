"""``accountsapp activity``: what accounts did at the services around this one."""

import sys
from dataclasses import asdict

import click

from accountsapp import strict_json
from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, pass_context
from accountsapp.cli.files import opened, progress
from accountsapp.cli.output import print_json
from accountsapp.cli.stopping import AGAIN, in_words, look, report_stop, whole
from accountsapp.domain.activity.importing import Importer
from accountsapp.domain.transfer.lines import Counts


@click.group("activity", cls=Group)
def group() -> None:
    """What accounts did elsewhere: projects, contributions, add-ons, reviews, collections."""


@group.command("import", examples=["activity.jsonl"])
@click.argument("file")
@pass_context
def import_(context: Context, file: str) -> None:
    """Import activity records, one JSON object a line, from FILE or, for -, standard input.

    A record whose identity is there already changes it.
    """
    importer = Importer(
        whole(context.database.write),
        context.keyring,
        lambda line, text: click.echo(f"line {line}: {text}", err=True),
        origin=context.origin,
    )
    counts = Counts()
    how_far = report_stop(lambda: f"{in_words(counts)}; {AGAIN}")
    with how_far, opened(file) as stream, progress(stream, "records") as show:
        for counts in importer.run(strict_json.read_lines(stream)):
            show(counts)
            look()
    print_json(asdict(counts))
    if counts.failed:
        sys.exit(1)
