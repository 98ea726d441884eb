"""Who asks, and what they may do."""

from typing import TYPE_CHECKING

from accountsapp.domain.throttle import Throttle
from accountsapp.security.csrf import SessionTokens
from accountsapp.security.policy import SecurityPolicy

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    """One security policy for the whole tree; a view that names no permission is closed."""
    registry, settings = config.registry, config.registry.app_settings
    registry.throttle = Throttle(settings.rate_limit, settings.rate_limit_storage, settings.keys.rate_limit)
    registry.policy = SecurityPolicy()
    config.include(".session_cookie")
    config.set_security_policy(registry.policy)
    config.set_csrf_storage_policy(SessionTokens())
    config.set_default_permission("nobody")
