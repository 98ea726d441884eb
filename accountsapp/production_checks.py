"""What a server in production mode must not be started with."""

import stat
from collections.abc import Collection, Iterator, Mapping
from configparser import RawConfigParser
from pathlib import Path

from accountsapp import setting_values

DEVELOPMENT_SECRET = "development-only-secret-never-use-it-in-production"  # noqa: S105
HOLD_SECRETS = ("accountsapp.secret", "accountsapp.mail.password")


def problems_of(
    secrets: Collection[str], ini: Mapping[str, str], ini_file: object, environ: Mapping[str, str]
) -> Iterator[str]:
    """What is wrong, each as one line without any value.

    :param secrets: the values of ``accountsapp.secret``
    """
    if DEVELOPMENT_SECRET in secrets:
        yield "accountsapp.secret: is the one of development.ini; make one of your own for production"
    if aid := _debugging_aid(ini, environ):
        yield f"{aid}: no debugging aids in production mode; take it out, or set accountsapp.mode"
    for path, section in _sections(Path(ini_file)) if isinstance(ini_file, str | Path) else ():
        if path.stat().st_mode & stat.S_IROTH and (held := _secrets_in(section)):
            yield (
                f"{held}: {path.name} holds it and everybody may read the file; chmod o-rwx the file "
                "or give the setting in the environment"
            )


def _sections(path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Every section of an ini file and of those it takes settings from (``use = config:…``), as written."""
    waiting, seen = [path.resolve()], set()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        parser = RawConfigParser(strict=False, default_section="")
        parser.read(path, encoding="utf-8")
        for name in parser.sections():
            section = dict(parser.items(name))
            yield path, section
            used = section.get("use", "").replace("%(here)s", str(path.parent))
            if used.startswith("config:"):
                waiting.append((path.parent / used.removeprefix("config:").partition("#")[0]).resolve())


def _debugging_aid(ini: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    """The first setting that asks Pyramid for one, by any of the names and words that Pyramid takes."""
    if "debugtoolbar" in ini.get("pyramid.includes", ""):
        return "pyramid.includes"
    switches = {name: ini.get(name, "") for name in ("pyramid.debug_all", "debug_all")}
    switches["PYRAMID_DEBUG_ALL"] = environ.get("PYRAMID_DEBUG_ALL", "")
    yes = ("1", "on", "t", "true", "y", "yes")
    return next((name for name, value in switches.items() if value.strip().lower() in yes), None)


def _secrets_in(ini: Mapping[str, str]) -> str | None:
    for name in HOLD_SECRETS:
        if ini.get(name):
            return name
    url = setting_values.parsed_url(ini.get("sqlalchemy.url", ""))
    if url is not None and (url.password or "password" in url.query):
        return "sqlalchemy.url"
    if "@" in ini.get("accountsapp.rate_limit.storage", ""):
        return "accountsapp.rate_limit.storage"
    return None
