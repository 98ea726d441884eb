"""The revision that the database is at, and the one that the code needs."""

from functools import cache
from typing import TYPE_CHECKING

from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from accountsapp.db import Database

if TYPE_CHECKING:
    from pyramid.config import Configurator


class WrongRevision(Exception):
    """The database is at another revision than the code; the text names the command that mends it."""


def alembic_config(database: Database | None = None) -> AlembicConfig:
    """Alembic's configuration: the migrations inside the package, run on ``database``."""
    config = AlembicConfig()
    config.set_main_option("script_location", "accountsapp:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["database"] = database
    return config


@cache
def newest_revision() -> str | None:
    """The revision that this code's models describe."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def current_revision(database: Database) -> str | None:
    """The revision the database is at; None for an empty one."""
    with database.read_engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check_known_revision(database: Database) -> None:
    """
    :raises WrongRevision: the database is at a revision that this code does not have
    """
    current = current_revision(database)
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    if current is not None and current not in known:
        raise WrongRevision(
            f"the database is at revision {current}, which this version does not know: a newer one "
            "made it, and db upgrade never goes back; install that one, or restore a copy from before"
        )


def check_revision(database: Database) -> None:
    """
    :raises WrongRevision: the database is not at the revision this code needs
    """
    current, needed = current_revision(database), newest_revision()
    if current != needed:
        check_known_revision(database)
        raise WrongRevision(
            f"the database is at revision {current or 'none'}, this version needs {needed}; "
            "run: accountsapp -c INI db upgrade"
        )


def includeme(config: "Configurator") -> None:
    """
    :raises WrongRevision: nothing is served from a database at another revision
    """
    database: Database = config.registry.database
    try:
        check_revision(database)
    except Exception:
        database.dispose()
        raise
