"""API keys as others meet them: scanners that find lost ones, proxies that ask whose one is.

Belongs to no API and is there whichever are mounted. Nothing here is done with an account's own credential.
"""

from typing import TYPE_CHECKING

from accountsapp.keys.check_resources import KeyCheck
from accountsapp.keys.resources import Pattern

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    config.mount("/api/keys/v1/pattern", Pattern)
    config.mount("/auth/check", KeyCheck)
    config.scan("accountsapp.keys.check_errors")
    config.scan("accountsapp.keys.check_views")
    config.scan("accountsapp.keys.pattern_views")
