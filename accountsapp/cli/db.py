"""``accountsapp db``: the schema, and copies of the database."""

import sqlite3
from pathlib import Path

import click

from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, pass_context
from accountsapp.cli.errors import Failed
from accountsapp.cli.output import JSON, print_done
from accountsapp.cli.stopping import AGAIN, report_stop
from accountsapp.db.backup import copy
from accountsapp.migrations.revision import alembic_config, check_known_revision, current_revision


@click.group("db", cls=Group)
def group() -> None:
    """The database schema, and copies of it all."""


@group.command(examples=[""])
@pass_context
def upgrade(context: Context) -> None:
    """Bring the database to the newest revision; can be interrupted and run again."""
    from alembic import command

    check_known_revision(context.unchecked_database)
    database = context.unchecked_database
    with report_stop(lambda: f"the database is at revision {current_revision(database) or 'none'}; {AGAIN}"):
        command.upgrade(alembic_config(database), "head")
    click.echo(current_revision(context.unchecked_database))


@group.command(examples=[""])
@pass_context
def current(context: Context) -> None:
    """Print the revision the database is at."""
    click.echo(current_revision(context.unchecked_database) or "none")


@group.command(examples=["accounts-2026-11-26.sqlite"])
@click.argument("file", type=click.Path(path_type=Path))
@JSON
@pass_context
def backup(context: Context, file: Path, as_json: bool) -> None:
    """Write a copy of a SQLite database into FILE, which must not be there; servers go on meanwhile."""
    if not context.unchecked_database.is_sqlite:
        raise Failed("db backup copies SQLite; a PostgreSQL database is copied by pg_dump")
    try:
        size = copy(Path(context.unchecked_database.url.database or ""), file)
    except FileExistsError as error:
        raise Failed(f"{error.filename}: is there already; nothing is overwritten") from None
    except sqlite3.Error as error:
        raise Failed(f"the database: {error}") from None
    print_done(as_json, "written", file=str(file), size=size)
