"""``/keys``: API keys. The default one is shown and replaced, named ones are made, rotated and revoked.

Each change needs a session in which the password was entered lately.
"""

from typing import TYPE_CHECKING

from accountsapp.pages.keys.resources import Keys

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    """Mounts it; :mod:`accountsapp.pages` scans the views."""
    config.mount("/keys", Keys)
    config.add_sign_in(Keys, anew=True)
    config.add_menu_entry("keys", "/keys")
