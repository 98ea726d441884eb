"""What people see that belongs to no single API: home, and the pages behind mailed links.

They work without JavaScript, load nothing from elsewhere, and refuse to be framed.
"""

from typing import TYPE_CHECKING

from accountsapp.pages.resources import Confirmations, Recovery, Sessions, Static

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    config.include(".language")
    config.include("pyramid_jinja2")
    config.include(".branding")
    config.include(".menu")
    config.include(".sign_in")
    config.include(".exports")
    config.include(".keys")
    config.mount("/confirm", Confirmations)
    config.mount("/recovery", Recovery)
    config.mount("/sessions", Sessions)
    config.add_sign_in(Sessions)
    config.add_menu_entry("sessions", "/sessions")
    config.mount("/static", Static)
    config.scan(__name__)
