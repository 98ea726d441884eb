"""``accountsapp accounts import`` and ``export``: accounts in bulk, as JSON Lines."""

import os
import sys
from dataclasses import asdict

import click

from accountsapp import strict_json
from accountsapp.cli.collecting import collecting_rarely
from accountsapp.cli.commands import Command
from accountsapp.cli.context import Context, pass_context
from accountsapp.cli.files import opened, progress
from accountsapp.cli.moving import CSV, SOURCES, csv_rows, database_rows, move
from accountsapp.cli.output import print_json, print_json_lines
from accountsapp.cli.stopping import AGAIN, in_words, look, report_stop, whole
from accountsapp.domain.passwords import Passwords, read_refused
from accountsapp.domain.transfer.exporting import export_all, export_named, record_export
from accountsapp.domain.transfer.importing import Importer
from accountsapp.domain.transfer.lines import Counts


@click.command(
    "import",
    cls=Command,
    examples=[
        "accounts.jsonl",
        "--update - < accounts.jsonl",
        "--from bookie --database sqlite:////srv/bookie.db",
        "--from csv accounts.csv --dry-run",
    ],
)
@click.argument("file", required=False)
@click.option("--update", is_flag=True, help="Change accounts that exist; otherwise they are errors.")
@click.option("--from", "system", type=click.Choice(SOURCES), help="Take the accounts of another system.")
@click.option(
    "--database",
    "url",
    metavar="URL",
    help="Its database, as postgresql://user@host/name or sqlite:////path/to/file.",
)
@click.option(
    "--as", "label", metavar="NAME", help="Tells two systems of one kind apart.  [default: its kind]"
)
@click.option("--dry-run", is_flag=True, help="Write nothing; say what cannot be taken, and why.")
@pass_context
def import_(
    context: Context,
    file: str | None,
    update: bool,
    system: str | None,
    url: str | None,
    label: str | None,
    dry_run: bool,
) -> None:
    """Import account records, one JSON object a line, from FILE or, for -, standard input.

    With --from, the accounts of another system: from its database, or from the CSV in FILE. It can be run
    again while that system is used: what is new or changed there is taken, what was changed here since stays.
    --update takes that, too, and adopts accounts that exist.
    """
    if system is not None:
        needs_file = system == CSV
        if (file is None) == needs_file or (url is None) != needs_file:
            raise click.UsageError("--from csv needs FILE; any other --from needs --database and no FILE.")
        rows = csv_rows(file) if file is not None else database_rows(system, url or "")
        move(context, rows, source=label or system, update_existing=update, is_rehearsal=dry_run)
        return
    if file is None or url is not None or label is not None or dry_run:
        raise click.UsageError("FILE is needed; --database, --as and --dry-run go with --from.")
    settings = context.settings
    refused = read_refused(settings.passwords_refused)
    importer = Importer(
        whole(context.database.write),
        context.keyring,
        Passwords(settings.bcrypt_rounds, refused, slots=os.cpu_count()),
        lambda line, text: click.echo(f"line {line}: {text}", err=True),
        most_keys=settings.keys.max,
        update_existing=update,
        origin=context.origin,
    )
    counts = Counts()
    again = AGAIN if update else f"{AGAIN}; those that are there are errors then, and stay as they are"
    with (
        report_stop(lambda: f"{in_words(counts)}; {again}"),
        collecting_rarely(),
        opened(file) as stream,
        progress(stream, "accounts") as show,
    ):
        for counts in importer.run(strict_json.read_lines(stream)):
            show(counts)
            look()
    print_json(asdict(counts))
    if counts.failed:
        sys.exit(1)


@click.command(
    cls=Command,
    examples=[
        "> accounts.jsonl",
        "ada --with-secrets",
    ],
)
@click.argument("usernames", nargs=-1, metavar="[USERNAME]...")
@click.option("--with-secrets", is_flag=True, help="Password hashes and API keys too.")
@pass_context
def export(context: Context, usernames: tuple[str, ...], with_secrets: bool) -> None:
    """Print account records, one JSON object a line: what import reads. All accounts if none is named."""
    keyring = context.keyring if with_secrets else None
    engine = context.database.read_engine
    accounts = {context.find(username).id for username in usernames}
    if with_secrets:
        with context.transaction() as store:
            record_export(store, accounts)
    records = export_named(engine, usernames, keyring) if usernames else export_all(engine, keyring)
    with report_stop(lambda: "what was written is not all; run it again from the start"):
        print_json_lines(records)
