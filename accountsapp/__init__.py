"""accountsapp: one account store, shown through five account HTTP APIs."""

import warnings
from collections.abc import Mapping
from typing import Any

# Pyramid 2.1 imports pkg_resources, and setuptools says at every start that it is deprecated.
warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)

from pyramid.config import Configurator  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

from accountsapp import logs  # noqa: E402
from accountsapp.migrations.revision import WrongRevision  # noqa: E402
from accountsapp.settings import Settings, SettingsError, load  # noqa: E402
from accountsapp.web.request import Request  # noqa: E402


def main(global_config: dict[str, str], **ini: str) -> Any:
    """The WSGI application (paste.app_factory).

    :raises SystemExit: a setting is bad, or the database away or at another revision; says which, in one line
    """
    logs.install()
    try:
        settings = load(ini, here=global_config.get("here", "."), ini_file=global_config.get("__file__"))
        with configure(settings, ini) as config:
            config.include(".db")
            config.include(".migrations.revision")
            config.include(".process")
            config.include(".worker")
            return config.make_wsgi_app()
    except (SettingsError, WrongRevision) as error:
        raise SystemExit(f"accountsapp: {error}") from None
    except SQLAlchemyError as error:
        # Their own words may quote the URL.
        raise SystemExit(f"accountsapp: sqlalchemy.url: cannot be used: {type(error).__name__}") from None


def configure(settings: Settings, ini: Mapping[str, str]) -> Configurator:
    """The table of contents, one include a line: all that needs no database.

    :param ini: the settings as they are written, for Pyramid's own
    """
    config = Configurator(settings=dict(ini), request_factory=Request)
    config.registry.app_settings = settings
    config.include(".web.resources")
    config.include(".web.answers")
    config.include(".security")
    config.include(".web.front")
    config.include(".web.transactions")
    config.include(".web.views")
    config.include(".pages")
    config.include(".apis")
    return config
