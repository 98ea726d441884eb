"""The APIs: one folder each, none of which knows another one."""

import logging
from importlib.util import find_spec
from typing import Any

log = logging.getLogger(__name__)


def includeme(config: Any) -> None:
    """Mount those of ``accountsapp.apis`` that this version has."""
    config.registry.apis = [api for api in config.registry.app_settings.apis if _is_here(api)]
    for api in config.registry.apis:
        config.include(f".{api}")


def _is_here(api: str) -> bool:
    here = find_spec(f"{__name__}.{api}") is not None
    if not here:
        log.warning("accountsapp.apis: %s is not in this version", api)
    return here
