"""API keys as others meet them: scanners that find lost ones, proxies that ask whose one is.

Belongs to no API and is there whichever are mounted. Nothing here is done with an account's own credential.
"""

from typing import TYPE_CHECKING

from accountsapp.keys.check_resources import KeyCheck
from accountsapp.keys.resources import Leaks, Pattern

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    """
    :raises SettingsError: the public keys of those who report leaks cannot be used
    """
    config.mount("/api/keys/v1/pattern", Pattern)
    config.mount("/auth/check", KeyCheck)
    config.add_document("keys", f"{__name__}.documents")
    config.scan("accountsapp.keys.check_errors")
    config.scan("accountsapp.keys.check_views")
    config.scan("accountsapp.keys.pattern_views")
    public_keys = config.registry.app_settings.leaks_public_keys
    if public_keys is not None:
        from accountsapp.keys.reporters import Reporters  # with all of cryptography

        config.registry.leak_reporters = Reporters(public_keys)
        config.mount("/api/keys/v1/leaks", Leaks)
        config.scan("accountsapp.keys.leak_views")
