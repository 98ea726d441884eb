"""How a command fails: one line on standard error, exit 1."""

from typing import Any

import click

from accountsapp.setting_errors import variable_of


class Failed(click.ClickException):
    """A command could not do what it was asked; the text is one line without secrets."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"accountsapp: {' '.join(self.message.split())}", err=True)


def advised(problem: str) -> str:
    """What is wrong with a setting, and where one that is missing may be given besides the ini."""
    name = problem.removesuffix(": is required")
    if name == problem:
        return problem
    return f"{problem}; it can be given in the environment, as {variable_of(name)}"


def failure_of(error: Exception) -> Failed | None:
    """What a foreseen error says to the operator; None for one that is a mistake of ours."""
    # What failed has imported most of this; a command that did not, needs none of it.
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from accountsapp.domain.errors import DomainError
    from accountsapp.domain.keyring import SealError
    from accountsapp.migrations.revision import WrongRevision
    from accountsapp.moving.databases import UnreadableSource
    from accountsapp.settings import SettingsError

    match error:
        case SettingsError():
            return Failed("; ".join(map(advised, str(error).splitlines())))
        case DomainError() | WrongRevision() | SealError() | CommandError() | UnreadableSource():
            return Failed("; ".join(str(error).splitlines()) or type(error).__name__)
        case DBAPIError():
            return Failed(f"the database: {(str(error.orig).splitlines() or [''])[0]}")
        case SQLAlchemyError():
            return Failed(f"the database: {type(error).__name__}")
        case OSError():
            return Failed(f"{error.filename or 'input or output'}: {error.strerror}")
    return None
