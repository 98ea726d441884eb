"""accountsapp: one account store, shown through the account HTTP APIs of other systems."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.settings import Settings

# Imports stand inside the functions: the whole package imports this file, and a command needs no framework.


def main(global_config: dict[str, str], **ini: str) -> Any:
    """The WSGI application (paste.app_factory).

    :raises SystemExit: a setting is bad, or the database away or at another revision; says which, in one line
    """
    from sqlalchemy.exc import SQLAlchemyError

    from accountsapp import folders, logs
    from accountsapp.migrations.revision import WrongRevision
    from accountsapp.settings import SettingsError, load

    logs.install()
    try:
        settings = load(ini, here=global_config.get("here", "."), ini_file=global_config.get("__file__"))
        folders.prepare(settings)
        with configure(settings, ini) as config:
            config.include(".db.database")
            config.include(".migrations.revision")
            config.include(".process")
            config.include(".worker")
            return config.make_wsgi_app()
    except (SettingsError, WrongRevision) as error:
        raise SystemExit(f"accountsapp: {error}") from None
    except SQLAlchemyError as error:
        # Their own words may quote the URL.
        raise SystemExit(f"accountsapp: sqlalchemy.url: cannot be used: {type(error).__name__}") from None


def configure(settings: "Settings", ini: Mapping[str, str]) -> "Configurator":
    """The table of contents, one include a line: all that needs no database.

    :param ini: the settings as they are written, for Pyramid's own
    :raises SettingsError: one of these names what there is not
    """
    from pyramid.config import Configurator

    from accountsapp.settings import SettingsError
    from accountsapp.web.request import Request

    try:
        config = Configurator(settings=dict(ini), request_factory=Request)
    except ImportError as error:
        raise SettingsError(f"pyramid.includes, pyramid.tweens: {error}") from None
    config.registry.app_settings = settings
    config.include(".web.resources")
    config.include(".web.answers")
    config.include(".web.checks")
    config.include(".web.acting")
    config.include(".web.methods")
    config.include(".security")
    config.include(".web.error_views")
    config.include(".web.front")
    config.include(".web.transactions")
    config.include(".web.uploads")
    config.include(".web.views")
    config.include(".pages")
    config.include(".documents")
    config.include(".apis")
    config.include(".keys")
    return config
