"""The account pages of a crowdsourcing site: ``/account/…``, for browsers and for JavaScript front ends."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyramid.config import Configurator


def includeme(config: "Configurator") -> None:
    from accountsapp.apis.pybossa.paths import MOUNT, SIGN_IN, path_of_account, settings_of
    from accountsapp.apis.pybossa.resources import ChangePassword, Community

    config.include(".acting")
    config.mount(MOUNT, Community)
    config.mount("/.well-known/change-password", ChangePassword)
    config.uses_setting("accountsapp.registration")
    config.uses_setting("accountsapp.cors_origins")
    config.add_menu_entry("community", MOUNT)
    config.add_menu_entry("sign-in", SIGN_IN)
    config.add_menu_entry("sign-out", f"{MOUNT}/signout")
    if config.registry.app_settings.registration != "closed":
        config.add_menu_entry("register", f"{MOUNT}/register")
    config.add_menu_entry("forgotten-password", f"{MOUNT}/forgot-password")
    config.add_menu_entry("profile", lambda visitor: path_of_account(visitor.username))
    config.add_menu_entry("settings", lambda visitor: settings_of(visitor.username))
    config.add_document("pybossa", f"{__name__}.documents")
    config.scan(__name__, ignore=[".documents", ".answer_models", ".examples"])
