"""Who asks, and what they may do."""

from typing import Any

from accountsapp.domain.throttle import Throttle
from accountsapp.security.policy import SecurityPolicy


def includeme(config: Any) -> None:
    """One security policy for the whole tree; a view that names no permission is closed."""
    settings = config.registry.app_settings
    config.registry.throttle = Throttle(settings.rate_limit, settings.rate_limit_storage)
    config.set_security_policy(SecurityPolicy())
    config.set_default_permission("nobody")
