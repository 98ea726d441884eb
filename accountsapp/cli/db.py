"""``accountsapp db``: the schema."""

import click
from alembic import command

from accountsapp.cli.context import Context, pass_context
from accountsapp.db import alembic_config


@click.group("db")
def group() -> None:
    """The database schema."""


@group.command()
@pass_context
def upgrade(context: Context) -> None:
    """Bring the database to the newest revision; can be interrupted and run again."""
    context.unchecked_database.check_known_revision()
    command.upgrade(alembic_config(context.unchecked_database), "head")
    click.echo(context.unchecked_database.current_revision())


@group.command()
@pass_context
def current(context: Context) -> None:
    """Print the revision the database is at."""
    click.echo(context.unchecked_database.current_revision() or "none")
