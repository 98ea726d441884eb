"""What every command works with, and how a command fails: one line on standard error, exit 1."""

from collections.abc import Callable
from configparser import Error as IniError
from configparser import InterpolationError
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
import plaster
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from accountsapp import settings
from accountsapp.db import Database, WrongRevision
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.errors import DomainError
from accountsapp.domain.keyring import Keyring, SealError
from accountsapp.domain.rules.text import is_encodable
from accountsapp.domain.throttle import Throttle
from accountsapp.process import Process
from accountsapp.settings import Settings, SettingsError


class Failed(click.ClickException):
    """A command could not do what it was asked; the text is one line without secrets."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"accountsapp: {' '.join(self.message.split())}", err=True)


class Commands(click.Group):
    """The outermost group: every foreseen error is a :class:`Failed`."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (DomainError, SettingsError, WrongRevision, SealError, CommandError) as error:
            raise Failed("; ".join(str(error).splitlines()) or type(error).__name__) from error
        except DBAPIError as error:
            reason = (str(error.orig).splitlines() or [""])[0]
            raise Failed(f"the database: {reason}") from error
        except SQLAlchemyError as error:
            raise Failed(f"the database: {type(error).__name__}") from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Failed(f"{error.filename or 'input or output'}: {error.strerror}") from error
        except KeyboardInterrupt:
            raise Failed("interrupted") from None


class Context:
    """Made once a command; nothing is opened before it is asked for.

    :param config: an ini file, or ``INI#section`` as in PasteDeploy
    """

    def __init__(self, config: str) -> None:
        self._config = config

    @cached_property
    def app_settings(self) -> dict[str, str]:
        """The settings of ``[app:main]`` as they are written, interpolated.

        :raises Failed: the file or the section cannot be read
        """
        return dict(self._loaded)

    @cached_property
    def _loaded(self) -> Any:
        path = self._config.partition("#")[0]
        if not Path(path).is_file():
            raise Failed(f"{path}: no such file; name an ini with -c INI or in $ACCOUNTSAPP_CONFIG")
        try:
            return plaster.get_loader(self._config, protocols=["wsgi"]).get_wsgi_app_settings()
        except InterpolationError as error:
            # Its own words quote the value, which may be a secret.
            name = f"[{error.section}] {error.option}"
            raise Failed(f"{self._config}: {name}: a % must be written %%") from None
        except (IniError, LookupError, ImportError, UnicodeDecodeError) as error:
            first = (str(error).splitlines() or [""])[0]
            raise Failed(f"{self._config}: cannot be read: {first}") from error

    @cached_property
    def settings(self) -> Settings:
        """
        :raises SettingsError: one is missing or malformed
        """
        where = self._loaded.global_conf
        return settings.load(self.app_settings, here=where["here"], ini_file=where["__file__"])

    @cached_property
    def unchecked_database(self) -> Database:
        """The database at whatever revision."""
        return Database(self.settings.database_url)

    @cached_property
    def database(self) -> Database:
        """
        :raises WrongRevision: it is at another revision than the code
        """
        self.unchecked_database.check_revision()
        return self.unchecked_database

    @cached_property
    def process(self) -> Process:
        """The domain, without throttle: the operator may try as often as is wanted."""
        return Process(self.settings, self.database, Throttle(enabled=False))

    @property
    def keyring(self) -> Keyring:
        return self.process.keyring

    def find(self, username: str) -> AccountRow:
        """
        :raises Failed: there is no account of that name
        """
        with self.process.transaction() as store:
            row = store.reader.by_username(username) if is_encodable(username) else None
        if row is None:
            raise Failed(f"{username!a}: no such account")
        return row

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        database = self.__dict__.get("unchecked_database")
        if database is not None:
            database.dispose()


pass_context: Callable[..., Any] = click.make_pass_decorator(Context)
