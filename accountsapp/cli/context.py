"""What every command works with."""

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import click

from accountsapp import ini_file, settings
from accountsapp.cli.errors import Failed
from accountsapp.db.database import Database, open_database
from accountsapp.domain.audit import BY_COMMAND
from accountsapp.domain.data.reads import AccountRow, having_address
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules import emails
from accountsapp.domain.rules.text import is_encodable, is_storable
from accountsapp.domain.store import Store
from accountsapp.domain.unlimited import Unlimited
from accountsapp.migrations.revision import check_revision
from accountsapp.process import Process
from accountsapp.settings import Settings


class Context:
    """Made once a command; nothing is opened before it is asked for.

    :param config: an ini file, or ``INI#section`` as in PasteDeploy
    """

    def __init__(self, config: str) -> None:
        self.config = config

    @cached_property
    def app_settings(self) -> dict[str, str]:
        """The settings of ``[app:main]`` as they are written, interpolated.

        :raises SettingsError: the file or the section cannot be read
        """
        return ini_file.settings_of(self._loaded)

    @cached_property
    def _loaded(self) -> Any:
        return ini_file.load_app(self.config)

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
        return open_database(self.settings)

    @cached_property
    def database(self) -> Database:
        """
        :raises WrongRevision: it is at another revision than the code
        """
        check_revision(self.unchecked_database)
        return self.unchecked_database

    @cached_property
    def unchecked_process(self) -> Process:
        """The domain with whatever secret, without limits."""
        return Process(self.settings, self.database, Unlimited())

    @cached_property
    def process(self) -> Process:
        """
        :raises SettingsError: the secret opens none of the stored API keys
        """
        self.unchecked_process.check_secret()
        return self.unchecked_process

    @contextmanager
    def transaction(self, *, checked: bool = True) -> Iterator[Store]:
        """A store in whose events stands who ran the command; its writes are committed at the end.

        :param checked: whether the secret must open the stored API keys
        """
        process = self.process if checked else self.unchecked_process
        with process.transaction() as store:
            store.operator = unix_user()
            yield store

    @property
    def origin(self) -> dict[str, str]:
        """Who runs the command, for the audit of what has no store."""
        return {BY_COMMAND: unix_user()}

    @property
    def keyring(self) -> Keyring:
        return self.process.keyring

    def find(self, username: str) -> AccountRow:
        """
        :raises Failed: there is no account of that name
        """
        with self.unchecked_process.transaction() as store:
            row = store.reader.by_username(username) if is_encodable(username) else None
        if row is None:
            raise Failed(f"{username!a}: no such account")
        return row

    def find_all(self, name: str) -> list[AccountRow]:
        """The account of that username; else those that have the address, whose own it is first.

        :raises Failed: there is none
        """
        sought = name if is_storable(name) else ""
        with self.unchecked_process.transaction() as store:
            row = store.reader.by_username(sought)
            rows = [row] if row is not None else list(having_address(store.connection, emails.key_of(sought)))
        if not rows:
            raise Failed(f"{name!a}: no such account")
        return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        database = self.__dict__.get("unchecked_database")
        if database is not None:
            database.dispose()


def unix_user() -> str:
    """The name of the user who runs this process; the number of one who has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


pass_context: Callable[..., Any] = click.make_pass_decorator(Context)
