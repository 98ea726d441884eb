"""The APIs: one folder each, none of which knows another one.

An API is a package that the entry point group ``accountsapp.apis`` names; ours stand in ``setup.py``, others
may come from other distributions. Its ``includeme`` mounts it.
"""

import logging
from typing import TYPE_CHECKING

from accountsapp.settings import offered_apis

if TYPE_CHECKING:
    from pyramid.config import Configurator

log = logging.getLogger(__name__)

FOR_SOME_APIS = {
    "accountsapp.registration": "no mounted API registers people",
    "accountsapp.cors_origins": "no mounted API lets pages of other origins read its answers",
}
"""Settings of the whole service that only some APIs use, and what it means when none of those is mounted."""


def includeme(config: "Configurator") -> None:
    """Mount those of ``accountsapp.apis`` that are installed, and say which settings have no effect."""
    config.add_directive("uses_setting", uses_setting)
    config.add_directive("add_first_calls", add_first_calls)
    registry = config.registry
    registry.apis = []
    registry.used_settings = set()
    registry.first_calls = []
    offered = offered_apis()
    for api in registry.app_settings.apis:
        if api in offered:
            config.include(offered[api].load())
            registry.apis.append(api)
        else:
            log.info("accountsapp.apis: %s is not installed", api)
    for name in sorted(FOR_SOME_APIS.keys() & registry.app_settings.named - registry.used_settings):
        log.warning("%s has no effect: %s", name, FOR_SOME_APIS[name])


def uses_setting(config: "Configurator", name: str) -> None:
    """The ``config.uses_setting`` directive: an API does what one of :data:`FOR_SOME_APIS` says."""
    config.registry.used_settings.add(name)


def add_first_calls(config: "Configurator", *calls: str) -> None:
    """The ``config.add_first_calls`` directive: what a developer may type to see an API at work.

    :param calls: lines for a shell, in which ``{site}`` is the address of the site and ``$KEY`` the API key
        of the account ``admin``
    """
    config.registry.first_calls.extend(calls)
