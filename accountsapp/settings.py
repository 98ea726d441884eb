"""Every setting of the ini file, parsed and checked once, into one frozen object.

The names and defaults are those of the operator's page (``docs/operate.rst``). The environment wins over
the ini: ``accountsapp.mail.host`` is overridden by ``ACCOUNTSAPP_MAIL_HOST``.

An API has its own settings in its folder: a frozen pydantic model ``Settings`` in ``settings.py``, whose
aliases are the names in full. It gets them as ``config.registry.app_settings.section(Settings)``.
"""

import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from accountsapp import production_checks, setting_values
from accountsapp.setting_errors import lines_of, variable_of

log = logging.getLogger(__name__)

PLANNED_APIS = ("bookie", "pybossa", "dockerhub", "amo", "openedx")
"""Names that ``accountsapp.apis`` may have although nothing of that name is installed yet."""
PREFIX = "accountsapp."
ALIKE = 0.85
"""Of a name that is unknown to one of ours, for which it is taken then."""
COMMAND_VARIABLES = ("ACCOUNTSAPP_CONFIG",)
"""Environment variables that are no settings but the command's."""
MAY_BE_EMPTY = (
    "accountsapp.passwords.refused",
    "accountsapp.site_logo",
    "accountsapp.leaks.public_keys",
    "sqlalchemy.read_url",
)
"""Names of files, and of a server: empty is none."""


Section = TypeVar("Section", bound=BaseModel)

_BY_CONTAINER_ENGINE = re.compile(
    r"ACCOUNTSAPP(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)=.*"
    r"|ACCOUNTSAPP(_\w+)?_PORT=(tcp|udp|sctp)://.*",
    re.DOTALL,
)
"""What Docker and Kubernetes tell of services that are named after us."""


class SettingsError(Exception):
    """A setting is missing or malformed; the text is one line a setting, without any value."""


def offered_apis() -> dict[str, EntryPoint]:
    """The APIs that are installed, by name: what the entry point group ``accountsapp.apis`` offers."""
    return dict(_offered_apis(tuple(sys.path)))


@lru_cache(maxsize=8)
def _offered_apis(path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """As :func:`offered_apis`; what is installed on a path stays while the process runs."""
    return {entry.name: entry for entry in sorted(entry_points(group="accountsapp.apis"))}


def _apis(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("names one twice")
    offered = offered_apis()
    unknown = [name for name in names if name not in offered and name not in PLANNED_APIS]
    if unknown:
        raise ValueError(f"{unknown[0]!a} is no API; there are: {' '.join(offered)}")
    return names


Words = Annotated[tuple[str, ...], BeforeValidator(setting_values.words)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(setting_values.origin)], ...], BeforeValidator(setting_values.words)
]
Networks = Annotated[
    tuple[Annotated[str, AfterValidator(setting_values.network)], ...], BeforeValidator(setting_values.words)
]
Folder = Annotated[Path, BeforeValidator(setting_values.folder)]
File = Annotated[Path, AfterValidator(setting_values.readable)]
Logo = Annotated[Path, AfterValidator(setting_values.logo)]
PublicKeys = Annotated[Path, AfterValidator(setting_values.public_keys)]


class MailSettings(BaseModel):
    """Where mail goes (``accountsapp.mail.…``)."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int
    username: str
    password: str
    tls: Literal["none", "starttls", "tls"]
    sender: str
    enabled: bool
    directory: Path
    """Where each mail is written as an ``.eml`` file when ``enabled`` is false."""


class KeySettings(BaseModel):
    """What goes for API keys (``accountsapp.keys.…``)."""

    model_config = ConfigDict(frozen=True)

    max: int
    """Active named keys of an account."""
    fresh: int
    """Seconds after the password was entered in which keys can be made."""
    rate_limit: str
    """Requests with one key, such as ``600/minute``; empty for any number."""


class Settings(BaseModel):
    """The settings of one process; see ``docs/operate.rst`` for their meaning."""

    model_config = ConfigDict(frozen=True, populate_by_name=False, hide_input_in_errors=True)

    mode: Literal["production", "development"] = Field("production", alias="accountsapp.mode")
    database_url: Annotated[str, AfterValidator(setting_values.database_url)] = Field(alias="sqlalchemy.url")
    read_url: Annotated[str | None, AfterValidator(setting_values.replica_url)] = Field(
        None, alias="sqlalchemy.read_url"
    )
    pgbouncer: bool = Field(False, alias="sqlalchemy.pgbouncer")
    secrets: Annotated[
        tuple[Annotated[str, AfterValidator(setting_values.secret)], ...],
        BeforeValidator(setting_values.words),
        AfterValidator(setting_values.secrets),
    ] = Field(alias="accountsapp.secret")
    site_url: Annotated[str, AfterValidator(setting_values.site_url)] = Field(alias="accountsapp.site_url")
    given_site_name: Annotated[str, AfterValidator(setting_values.site_name)] = Field(
        "", alias="accountsapp.site_name"
    )
    site_logo: Logo | None = Field(None, alias="accountsapp.site_logo")
    site_colour: Annotated[str, AfterValidator(setting_values.colour)] = Field(
        "#1d4ed8", alias="accountsapp.site_colour"
    )
    locales: Annotated[
        tuple[Annotated[str, AfterValidator(setting_values.locale)], ...],
        BeforeValidator(setting_values.words),
        Field(min_length=1),
    ] = Field(("en", "es", "it", "fr", "ja", "el"), alias="accountsapp.locales")
    """The languages that people choose from; pages are in those of them that have a catalogue."""
    apis: Annotated[Words, AfterValidator(_apis)] = Field(
        default_factory=lambda: tuple(offered_apis()), alias="accountsapp.apis"
    )
    files: Folder = Field(alias="accountsapp.files")
    bcrypt_rounds: int = Field(12, ge=4, le=20, alias="accountsapp.bcrypt_rounds")
    mail_host: str = Field("localhost", min_length=1, alias="accountsapp.mail.host")
    mail_port: int = Field(25, ge=1, le=65535, alias="accountsapp.mail.port")
    mail_username: str = Field("", alias="accountsapp.mail.username")
    mail_password: str = Field("", alias="accountsapp.mail.password")
    mail_tls: Literal["none", "starttls", "tls"] = Field("none", alias="accountsapp.mail.tls")
    mail_sender: Annotated[str, AfterValidator(setting_values.sender)] = Field(
        "accounts@localhost", alias="accountsapp.mail.sender"
    )
    mail_enabled: bool = Field(True, alias="accountsapp.mail.enabled")
    mail_directory: Folder = Field(alias="accountsapp.mail.directory")
    registration: Literal["open", "closed", "confirm"] = Field("open", alias="accountsapp.registration")
    rate_limit: bool = Field(True, alias="accountsapp.rate_limit")
    rate_limit_storage: Annotated[str, AfterValidator(setting_values.storage_url)] = Field(
        "memory://", alias="accountsapp.rate_limit.storage"
    )
    keys_max: int = Field(20, ge=0, le=1000, alias="accountsapp.keys.max")
    keys_fresh: int = Field(600, ge=1, le=86400, alias="accountsapp.keys.fresh")
    keys_rate_limit: Annotated[str, AfterValidator(setting_values.rate)] = Field(
        "", alias="accountsapp.keys.rate_limit"
    )
    jobs: Literal["embedded", "external"] = Field("embedded", alias="accountsapp.jobs")
    cors_origins: Origins = Field((), alias="accountsapp.cors_origins")
    passwords_refused: File | None = Field(None, alias="accountsapp.passwords.refused")
    export_expire: int = Field(259_200, ge=1, le=31_536_000, alias="accountsapp.export_expire")
    links_expire: int = Field(18000, ge=1, le=31_536_000, alias="accountsapp.links_expire")
    metrics_from: Networks = Field(("127.0.0.1", "::1"), alias="accountsapp.metrics_from")
    check_from: Networks = Field(("127.0.0.1", "::1"), alias="accountsapp.check_from")
    leaks_public_keys: PublicKeys | None = Field(None, alias="accountsapp.leaks.public_keys")
    sections: Mapping[type[BaseModel], BaseModel] = Field(default_factory=dict, exclude=True, repr=False)
    """The settings of each mounted API that has some."""

    @property
    def named(self) -> frozenset[str]:
        """The names of those that are not left to their default."""
        fields = type(self).model_fields
        return frozenset(alias for name in self.model_fields_set if (alias := fields[name].alias))

    def section(self, model: type[Section]) -> Section:
        """The settings of a mounted API, by the class in its ``settings.py``."""
        section = self.sections[model]
        assert isinstance(section, model)  # noqa: S101
        return section

    @field_validator("read_url", "pgbouncer")
    @classmethod
    def _is_of_postgresql(cls, value: object, info: ValidationInfo) -> object:
        if value and info.data.get("database_url", "").startswith("sqlite"):
            raise ValueError("is for PostgreSQL only")
        return value

    @property
    def site_name(self) -> str:
        """What pages and mails call the site: the host of its address where no name is given."""
        return self.given_site_name or urlsplit(self.site_url).netloc

    @property
    def site_path(self) -> str:
        """The path of ``site_url``, with which every link within the site begins: empty, or ``/accounts``."""
        return urlsplit(self.site_url).path

    @property
    def mail(self) -> MailSettings:
        return MailSettings(
            host=self.mail_host,
            port=self.mail_port,
            username=self.mail_username,
            password=self.mail_password,
            tls=self.mail_tls,
            sender=self.mail_sender,
            enabled=self.mail_enabled,
            directory=self.mail_directory,
        )

    @property
    def keys(self) -> KeySettings:
        return KeySettings(max=self.keys_max, fresh=self.keys_fresh, rate_limit=self.keys_rate_limit)


def _names(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(field.alias for field in model.model_fields.values() if field.alias)


NAMES = _names(Settings)


def load(
    ini: Mapping[str, str],
    *,
    here: str | Path = ".",
    ini_file: str | Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Parse the settings of ``[app:main]``.

    :param ini: names and values as the ini has them
    :param here: the folder of the ini: where ``var/files`` and ``var/mail`` are by default
    :param ini_file: the ini itself; in production mode its permissions are looked at
    :param environ: the environment, which wins over the ini
    :raises SettingsError: names every unknown, missing or malformed setting, without its value
    """
    models = _section_models()
    names = NAMES.union(*map(_names, models.values()))
    values: dict[str, str] = {
        "accountsapp.files": str(Path(here) / "var" / "files"),
        "accountsapp.mail.directory": str(Path(here) / "var" / "mail"),
    }
    variables = _from_environment(names, environ)
    values |= {name: value for name, value in ini.items() if name in names} | variables
    for name in MAY_BE_EMPTY:
        if not values.get(name, "x"):
            del values[name]
    problems = [*_misspelt(sorted(set(ini) - names), names)]
    settings = None
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += lines_of(error, variables)
    sections: dict[type[BaseModel], BaseModel] = {}
    for model in _mounted(models, settings, values):
        try:
            sections[model] = model.model_validate(values)
        except ValidationError as error:
            problems += lines_of(error, variables)
    if values.get("accountsapp.mode", "production") == "production":
        secrets = values.get("accountsapp.secret", "").split()
        problems += production_checks.problems_of(secrets, ini, ini_file, environ)
    if settings is None or problems:
        raise SettingsError("\n".join(problems))
    return settings.model_copy(update={"sections": sections})


def _section_models() -> dict[str, type[BaseModel]]:
    """The settings of each installed API that has some. The other APIs are not imported."""
    models = {}
    for name, entry in offered_apis().items():
        spec = find_spec(entry.module)
        folders = (spec and spec.submodule_search_locations) or ()
        if any((Path(folder) / "settings.py").is_file() for folder in folders):
            models[name] = import_module(f"{entry.module}.settings").Settings
    return models


def _mounted(
    models: Mapping[str, type[BaseModel]], settings: Settings | None, values: Mapping[str, str]
) -> list[type[BaseModel]]:
    """The models of the APIs that are mounted; where the settings are no good, as far as they are named."""
    if settings is not None:
        return [models[api] for api in settings.apis if api in models]
    named = values.get("accountsapp.apis")
    return [model for api, model in models.items() if named is None or api in named.split()]


def _misspelt(unknown: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    """What is wrong with those that are meant for us; Pyramid and its extensions have some of their own."""
    known = sorted(names)
    for name in unknown:
        nearest = max(known, key=lambda candidate: _likeness(name, candidate))
        is_ours = name.lower().startswith(PREFIX) or PREFIX + name.lower() in known
        if is_ours or ("." in name and _likeness(name, nearest) >= ALIKE):
            yield f"{name}: there is no such setting; the nearest is {nearest}"


def _likeness(name: str, known: str) -> float:
    """From 0 to 1; a name may lack what all of ours begin with."""
    folded = name.lower()
    return max(SequenceMatcher(a=folded, b=b).ratio() for b in (known, known.removeprefix(PREFIX)))


def _from_environment(names: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that the environment gives. A variable that looks like one and is none is warned of."""
    variables = {variable_of(name): name for name in names}
    values = {}
    for variable, value in environ.items():
        if _BY_CONTAINER_ENGINE.fullmatch(f"{variable}={value}"):
            continue
        if variable in variables:
            values[variables[variable]] = value
        elif variable.startswith("ACCOUNTSAPP_") and variable not in COMMAND_VARIABLES:
            log.warning("the environment variable %s is no setting", variable)
    return values
