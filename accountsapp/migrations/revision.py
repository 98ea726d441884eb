"""The revision that the database is at, and the one that the code needs."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from accountsapp.db.database import Database

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig
    from pyramid.config import Configurator

# Alembic takes longer to import than a command to run: only what migrates does.

_REVISION = re.compile(r'^revision = "(\w+)"\ndown_revision = (?:"(\w+)"|None)$', re.MULTILINE)


class WrongRevision(Exception):
    """The database is at another revision than the code; the text names the command that mends it."""


def alembic_config(database: Database | None = None) -> "AlembicConfig":
    """Alembic's configuration: the migrations inside the package, run on ``database``."""
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", "accountsapp:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["database"] = database
    return config


@cache
def revisions() -> Mapping[str, str | None]:
    """Every revision that this code has, and the one before it, as the files of the migrations say."""
    files = (Path(__file__).parent / "versions").glob("*.py")
    matches = (_REVISION.search(file.read_text("utf-8")) for file in files)
    return {match[1]: match[2] for match in matches if match}


@cache
def newest_revision() -> str:
    """The revision that this code's models describe."""
    (newest,) = revisions().keys() - revisions().values()
    return newest


def current_revision(database: Database) -> str | None:
    """The revision the database is at; None for an empty one."""
    with database.read_engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def check_known_revision(database: Database) -> None:
    """
    :raises WrongRevision: the database is at a revision that this code does not have
    """
    current = current_revision(database)
    if current is not None and current not in revisions():
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
        there = f"is at revision {current}" if current else "has no tables yet"
        raise WrongRevision(
            f"the database {there}, this version needs revision {needed}; run: accountsapp -c INI db upgrade"
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
