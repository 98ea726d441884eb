"""The whole application, made many times: views and templates are configured once for the same settings."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from pyramid.config import Configurator
from pyramid.config.actions import ActionState
from pyramid.registry import Registry

from accountsapp import configure, folders, logs
from accountsapp.domain.throttle import Throttle
from accountsapp.settings import Settings, load, offered_apis

OF_ONE_TEST = {"sqlalchemy.url", "accountsapp.files", "accountsapp.mail.directory"}
"""Settings that no view was configured with: what needs them asks the request."""


class Applications:
    """Makes applications as ``accountsapp.main`` does, each with a database, throttle and keys of its own.

    Configuring the views takes most of the time that it takes to make one.
    """

    def __init__(self) -> None:
        self._configured: dict[frozenset[tuple[str, str]], Registry] = {}

    def make(self, ini: Mapping[str, str], here: str) -> Any:
        """The WSGI application.

        :param ini: the settings as they are written; jobs are worked off by others
        """
        logs.install()
        settings = load(ini, here=here, environ={})
        folders.check(settings)
        registry = copy(self._registry_of(settings, ini))
        registry.action_state = ActionState()
        registry.app_settings = settings
        registry.throttle = Throttle(
            settings.rate_limit, settings.rate_limit_storage, settings.keys.rate_limit
        )
        with Configurator(registry=registry, autocommit=True) as config:
            config.include("accountsapp.db")
            config.include("accountsapp.migrations.revision")
            config.include("accountsapp.process")
            return config.make_wsgi_app()

    def _registry_of(self, settings: Settings, ini: Mapping[str, str]) -> Registry:
        varying = (item for item in ini.items() if item[0] not in OF_ONE_TEST)
        key = frozenset([*varying, ("installed", " ".join(offered_apis()))])
        if key not in self._configured:
            with configure(settings, ini) as config:
                config.commit()
            self._configured[key] = config.registry
        return self._configured[key]
