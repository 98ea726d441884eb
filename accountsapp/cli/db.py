"""``accountsapp db``: the schema."""

import click
from alembic import command

from accountsapp.cli.context import Context, pass_context
from accountsapp.migrations.revision import alembic_config, check_known_revision, current_revision


@click.group("db")
def group() -> None:
    """The database schema."""


@group.command()
@pass_context
def upgrade(context: Context) -> None:
    """Bring the database to the newest revision; can be interrupted and run again."""
    check_known_revision(context.unchecked_database)
    command.upgrade(alembic_config(context.unchecked_database), "head")
    click.echo(current_revision(context.unchecked_database))


@group.command()
@pass_context
def current(context: Context) -> None:
    """Print the revision the database is at."""
    click.echo(current_revision(context.unchecked_database) or "none")
