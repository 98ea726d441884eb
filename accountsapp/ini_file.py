"""The ini as it is written, read whole: what is wrong with it is one line that quotes no value."""

from collections.abc import Mapping
from configparser import Error as IniError
from configparser import InterpolationError, InterpolationMissingOptionError
from pathlib import Path
from typing import Any

import plaster

from accountsapp.settings import SettingsError


class UnreadableIni(SettingsError):
    """The file or the section cannot be read."""


def load_app(config: str, variables: Mapping[str, str] | None = None) -> Any:
    """The settings of ``[app:main]``, interpolated.

    :param config: an ini file, or ``INI#section`` as in PasteDeploy
    :param variables: those of the command line
    :returns: a dict, whose ``global_conf`` has ``here`` and ``__file__``
    :raises SettingsError: a variable is missing, or a ``%`` stands alone
    :raises UnreadableIni: it cannot be read for another reason
    """
    if not Path(config.partition("#")[0]).is_file():
        path = config.partition("#")[0] or "an empty name"
        raise UnreadableIni(f"{path}: no such file; name an ini with -c INI or in $ACCOUNTSAPP_CONFIG")
    try:
        loader = plaster.get_loader(config, protocols=["wsgi"])
        return loader.get_wsgi_app_settings(defaults=dict(variables or {}))
    except InterpolationMissingOptionError as error:
        name = f"[{error.section}] {error.option}"
        raise SettingsError(f"{config}: {name}: needs the variable {error.reference}") from None
    except InterpolationError as error:
        # Its own words quote the value, which may be a secret.
        name = f"[{error.section}] {error.option}"
        raise SettingsError(f"{config}: {name}: a % must be written %%") from None
    except (IniError, LookupError, ImportError, UnicodeDecodeError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise UnreadableIni(f"{config}: cannot be read: {first}") from error
