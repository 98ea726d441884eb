"""The whole application, made many times: views and templates are configured once for the same settings,

and statements compiled once for a database of the same URL.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import partial
from itertools import cycle
from typing import Any

from pyramid.config import Configurator
from pyramid.config.actions import ActionState
from pyramid.registry import Registry

import accountsapp
from accountsapp import configure, folders, logs
from accountsapp.db.database import Database, open_database
from accountsapp.domain.throttle import Throttle
from accountsapp.settings import Settings, load, offered_apis

Configure = Callable[[Settings, Mapping[str, str]], Configurator]
"""As ``accountsapp.configure``."""

OF_ONE_TEST = {"sqlalchemy.url", "accountsapp.files", "accountsapp.mail.directory"}
"""Settings that no view was configured with: what needs them asks the request."""


class Applications:
    """Makes applications as ``accountsapp.main`` does, each with a database, throttle and keys of its own.

    Configuring the views takes most of the time that it takes to make one; compiling statements anew takes a
    fifth of a test's.
    """

    MOST_CONFIGURED = 16
    """Settings whose views are kept; those used longest ago go first."""
    MOST_DATABASES = 4
    """That are kept for the next to ask."""

    def __init__(self) -> None:
        self._configured: dict[Any, Registry] = {}
        self._databases: dict[str, Database] = {}

    def make(self, ini: Mapping[str, str], here: str) -> Any:
        """The WSGI application.

        :param ini: the settings as they are written; jobs are worked off by others
        """
        logs.install()
        settings = load(ini, here=here, environ={})
        folders.check(settings)
        with self._configurator(configure, settings, ini) as config:
            registry = config.registry
            registry.database = self._databases.pop(settings.database_url, None) or open_database(settings)
            config.include("accountsapp.migrations.revision")
            config.include("accountsapp.process")
            return config.make_wsgi_app()

    @contextmanager
    def configuring(self) -> Iterator[None]:
        """While it lasts, ``accountsapp.main`` configures views once for the same settings."""
        configure = accountsapp.configure
        accountsapp.configure = partial(self._configurator, configure)
        try:
            yield
        finally:
            accountsapp.configure = configure

    def end(self, app: Any) -> None:
        """Close the connections of an application that :meth:`make` made."""
        app.registry.process.key_uses.write()  # nothing of it is written during the next test
        database: Database = app.registry.database
        database.dispose()
        if _is_as_new(database):
            url = app.registry.app_settings.database_url
            self._databases.pop(url, None)
            self._databases[url] = database
        while len(self._databases) > self.MOST_DATABASES:
            del self._databases[next(iter(self._databases))]

    def forget_databases(self) -> None:
        """The next applications open theirs anew."""
        self._databases.clear()

    def _configurator(self, configure: Configure, settings: Settings, ini: Mapping[str, str]) -> Configurator:
        """What ``configure`` returns, with views of before."""
        if settings.jobs == "embedded":
            return configure(settings, ini)  # its worker is one of the registry's subscribers
        registry = copy(self._registry_of(configure, settings, ini))
        registry.action_state = ActionState()
        registry.app_settings = settings
        registry.throttle = Throttle(
            settings.rate_limit, settings.rate_limit_storage, settings.keys.rate_limit
        )
        return Configurator(registry=registry, package=accountsapp, autocommit=True)

    def _registry_of(self, configure: Configure, settings: Settings, ini: Mapping[str, str]) -> Registry:
        varying = frozenset(item for item in ini.items() if item[0] not in OF_ONE_TEST)
        key = (configure, varying, tuple(offered_apis()))
        registry = self._configured.pop(key, None)
        if registry is None:
            with configure(settings, ini) as config:
                config.commit()
            registry = config.registry
        self._configured[key] = registry
        if len(self._configured) > self.MOST_CONFIGURED:
            del self._configured[next(iter(self._configured))]
        return registry


class InTurn:
    """Servers of one database: each request goes to the next of them.

    :ivar registry: of the first one
    """

    def __init__(self, servers: Sequence[Any]) -> None:
        self.registry = servers[0].registry
        self._next = cycle(servers)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        return next(self._next)(environ, start_response)


def _is_as_new(database: Database) -> bool:
    """Nobody listens to its statements, and it was never in trouble, of which it would tell once a minute."""
    engines = (database.read_engine, database.write_engine)
    listens = any(engine.dispatch.before_cursor_execute for engine in engines)
    return not listens and not database.reading.was_met and not database.writing.was_met
