"""The Open edX user API: ``/api/user/v1/accounts/{username}``, its list, and the calls that the front ends of
that system and its clients make besides.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyramid.config import Configurator

# Imports stand inside: a command reads the settings of this API and needs no framework.


def includeme(config: "Configurator") -> None:
    from accountsapp.apis.openedx import resources
    from accountsapp.apis.openedx.jwt_cookies import JwtCookies
    from accountsapp.apis.openedx.presenting import Presenter
    from accountsapp.apis.openedx.settings import Settings
    from accountsapp.domain.rules import countries, languages, time_zones

    config.uses_setting("accountsapp.cors_origins")
    config.include("accountsapp.oauth")
    for path, resource in resources.MOUNTS.items():
        config.mount(path, resource)
    for size in config.registry.app_settings.section(Settings).profile_image_sizes:
        config.add_rendition(size.side)
    config.add_session_cookies(JwtCookies())
    config.registry.openedx_presenter = Presenter(config.registry.app_settings)
    config.add_document("openedx", f"{__name__}.documents")
    config.scan(__name__, ignore=[".documents", ".answer_models"])
    for load_names in (countries.codes, languages.codes, time_zones.names):
        load_names()
