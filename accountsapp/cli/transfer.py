"""``accountsapp accounts import`` and ``export``: accounts in bulk, as JSON Lines."""

import os
import sys
from dataclasses import asdict

import click

from accountsapp import strict_json
from accountsapp.cli.commands import Command
from accountsapp.cli.context import Context, pass_context
from accountsapp.cli.files import opened, progress
from accountsapp.cli.output import print_json, print_json_lines
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
    ],
)
@click.argument("file")
@click.option("--update", is_flag=True, help="Change accounts that exist; otherwise they are errors.")
@pass_context
def import_(context: Context, file: str, update: bool) -> None:
    """Import account records, one JSON object a line, from FILE or, for -, standard input."""
    settings = context.settings
    refused = read_refused(settings.passwords_refused)
    importer = Importer(
        context.database.write,
        context.keyring,
        Passwords(settings.bcrypt_rounds, refused, slots=os.cpu_count()),
        lambda line, text: click.echo(f"line {line}: {text}", err=True),
        most_keys=settings.keys.max,
        update_existing=update,
        origin=context.origin,
    )
    counts = Counts()
    with opened(file) as stream, progress(stream, "accounts") as show:
        for counts in importer.run(strict_json.read_lines(stream)):
            show(counts)
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
    print_json_lines(export_named(engine, usernames, keyring) if usernames else export_all(engine, keyring))
