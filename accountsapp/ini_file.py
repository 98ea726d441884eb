"""The ini as it is written, read whole: what is wrong with it is one line that quotes no value."""

from collections.abc import Iterator, Mapping
from configparser import (
    DuplicateOptionError,
    DuplicateSectionError,
    InterpolationDepthError,
    InterpolationError,
    InterpolationMissingOptionError,
    MissingSectionHeaderError,
    ParsingError,
    RawConfigParser,
)
from configparser import Error as IniError
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import plaster
from paste.deploy import loadwsgi

from accountsapp.settings import SettingsError

APP = "app"
SERVER = "server"
_KINDS = {APP: loadwsgi.APP, SERVER: loadwsgi.SERVER}
BYTE_ORDER_MARK = "\ufeff"


class UnreadableIni(SettingsError):
    """The file or a section cannot be read."""


class NoSection(UnreadableIni):
    """
    :ivar others: the sections of the same kind that there are
    """

    def __init__(self, text: str, others: list[str]) -> None:
        super().__init__(text)
        self.others = others


def load_app(config: str, variables: Mapping[str, str] | None = None) -> Any:
    """``[app:main]``, interpolated.

    :param config: an ini file, or ``INI#section`` as in PasteDeploy
    :param variables: those of the command line
    :returns: PasteDeploy's context: ``local_conf`` has the settings, ``global_conf`` has ``here`` and
        ``__file__``, ``create()`` makes the application
    :raises SettingsError: a variable is missing, or a ``%`` stands alone
    :raises UnreadableIni: it cannot be read for another reason
    """
    return _load(config, APP, variables)


def settings_of(context: Any) -> dict[str, str]:
    """Those of the application itself, which may stand behind filters.

    :param context: of :func:`load_app`
    """
    while inner := getattr(context, "app_context", None) or getattr(context, "next_context", None):
        context = inner
    return dict(context.local_conf)


def load_server(config: str, variables: Mapping[str, str] | None = None) -> Any:
    """``[server:main]``; the same, but that ``create()`` makes what serves an application."""
    return _load(config, SERVER, variables)


def _load(config: str, kind: str, variables: Mapping[str, str] | None) -> Any:
    path, _, section = config.partition("#")
    with _in_our_words(config):
        _check_there(path)
        _check_section(config, path, kind, section or "main")
        return loadwsgi.loadcontext(
            _KINDS[kind],
            f"config:{Path(path).absolute()}",
            name=section or None,
            global_conf={"__file__": str(Path(path).absolute()), **(variables or {})},
        )


def set_up_log(config: str, variables: Mapping[str, str] | None = None) -> None:
    """As the sections of the ini say.

    :raises SettingsError: they cannot be used
    """
    loader = plaster.get_loader(config, protocols=["wsgi"])
    with _in_our_words(config):
        loader.get_sections()
    try:
        loader.setup_logging(dict(variables or {}))
    except Exception as error:
        problem = f"{type(error).__name__}: {_first_line(error)}"
        raise UnreadableIni(
            f"{config}: its [loggers], [handlers] and [formatters] cannot be used: {problem}"
        ) from error


def _check_there(path: str) -> None:
    if not Path(path).is_file():
        name = path or "an empty name"
        raise UnreadableIni(f"{name}: no such file; name an ini with -c INI or in $ACCOUNTSAPP_CONFIG")


def _check_section(config: str, path: str, kind: str, name: str) -> None:
    """
    :raises NoSection: there is none of that kind and name
    """
    parser = RawConfigParser(default_section="", strict=False)  # PasteDeploy says what is there twice
    with Path(path).open(encoding="utf-8") as file:
        parser.read_file(file)
    prefixes = [prefix for spellings in _KINDS[kind].config_prefixes for prefix in spellings]
    named = {section: section.partition(":") for section in parser.sections()}
    others = [section for section, (prefix, _, _) in named.items() if prefix in prefixes]
    if any(named[section][2].strip() == name for section in others):
        return
    sought = f"{kind}:{name}"
    alike = get_close_matches(sought, parser.sections(), 1)
    nearest = f"; the nearest is [{alike[0]}]" if alike else ""
    raise NoSection(f"{config}: cannot be read: there is no section [{sought}]{nearest}", others)


@contextmanager
def _in_our_words(config: str) -> Iterator[None]:
    """
    :raises SettingsError: in place of what libraries raise over an ini; none of it has a value, which may be
        a secret
    """
    try:
        yield
    except InterpolationError as error:
        raise SettingsError(f"{config}: [{error.section}] {error.option}: {_interpolated(error)}") from None
    except UnicodeDecodeError as error:
        text = f"is not UTF-8 at byte {error.start + 1}; save it as UTF-8"
        raise UnreadableIni(f"{config}: cannot be read: {text}") from None
    except IniError as error:
        raise UnreadableIni(f"{config}: cannot be read: {_written(error)}") from None
    except OSError as error:
        text = f"{error.filename}: {error.strerror}"
        raise UnreadableIni(f"{config}: cannot be read: {text}") from None
    except (LookupError, ImportError, AttributeError, ValueError) as error:  # of what "use" names
        raise UnreadableIni(f"{config}: cannot be read: {_first_line(error)}") from error


def _interpolated(error: InterpolationError) -> str:
    match error:
        case InterpolationMissingOptionError():
            return f"needs the variable {error.reference}"
        case InterpolationDepthError():
            return "leads to itself, or too far"
    return "a % must be written %%"


def _written(error: IniError) -> str:
    match error:
        case DuplicateOptionError():
            where = f"[{error.section}] {error.option}"
            return f"line {error.lineno}: {where} is there twice; take out one of the two"
        case DuplicateSectionError():
            return f"line {error.lineno}: [{error.section}] is there twice; take out one of the two"
        case MissingSectionHeaderError() if str(error.line).startswith(BYTE_ORDER_MARK):
            return "it begins with a byte order mark; save it as UTF-8 without one"
        case MissingSectionHeaderError():
            return f"line {error.lineno}: a section comes first, such as [app:main]"
        case ParsingError() if error.errors:
            return f"line {error.errors[0][0]}: neither a [section] nor NAME = VALUE"
    return _first_line(error)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
