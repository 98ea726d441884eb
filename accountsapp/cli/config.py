"""``accountsapp config``: whether a server would run with this ini."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from accountsapp import folders, mail_transport
from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, pass_context
from accountsapp.cli.errors import Failed, advised
from accountsapp.cli.mail_errors import explain
from accountsapp.cli.output import print_json_lines, print_lines
from accountsapp.cli.serve import Variable
from accountsapp.domain.jobs import JobError
from accountsapp.domain.throttle import Throttle
from accountsapp.ini_file import NoSection, load_server
from accountsapp.migrations.revision import WrongRevision, current_revision
from accountsapp.server.starting import OPTIONS, problems_of
from accountsapp.settings import SettingsError

OF_WAITRESS = ("accountsapp.server.", "waitress")
"""Modules of servers that take its options."""
NO_MAIL = "; mails wait in their queue until it does"


@dataclass(frozen=True)
class Verdict:
    """What was looked at, whether it is well, and what there is or what to do."""

    check: str
    ok: bool
    text: str


@click.group("config", cls=Group)
def group() -> None:
    """The ini file, and what it names."""


@group.command(examples=["", "--json", "http_port=6543"])
@click.argument("variables", nargs=-1, metavar="[NAME=VALUE]...", type=Variable())
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table.")
@pass_context
def check(context: Context, variables: tuple[tuple[str, str], ...], as_json: bool) -> None:
    """Look whether a server would run: settings, database, secret, folders, mail, limits, [server:main].

    Nothing is changed and no mail is sent. Exits 1 if something is not well; bad settings are all named, one
    a line, and then nothing else is looked at. Variables of the ini are given as to serve; without them, the
    options that have one are not looked at.
    """
    try:
        verdicts = list(_verdicts(context, dict(variables)))
    except SettingsError as error:
        *others, last = map(advised, str(error).splitlines())
        for problem in others:
            click.echo(f"accountsapp: {problem}", err=True)
        raise Failed(last) from None
    if as_json:
        print_json_lines(asdict(verdict) for verdict in verdicts)
    else:
        print_lines(
            f"{verdict.check:<10} {'ok' if verdict.ok else 'NO':<3} {verdict.text}" for verdict in verdicts
        )
    bad = [verdict.check for verdict in verdicts if not verdict.ok]
    if bad:
        raise Failed(f"not well: {', '.join(bad)}")


def _verdicts(context: Context, variables: Mapping[str, str]) -> Iterator[Verdict]:
    """
    :raises SettingsError: the settings cannot be read, so nothing else can be looked at
    """
    settings = context.settings
    yield Verdict("settings", True, f"{settings.mode} mode; APIs: {' '.join(settings.apis)}")
    database = _verdict("database", lambda: _database(context))
    yield database
    if database.ok:
        yield _verdict("secret", lambda: _secret(context))
    yield _verdict("folders", lambda: _folders(context))
    yield _verdict("mail", lambda: _mail(context))
    yield _verdict("limits", lambda: _limits(context))
    with suppress(NoSection):  # an ini of a worker alone needs none
        yield _server(context.config, variables)


def _verdict(name: str, look: Callable[[], str]) -> Verdict:
    try:
        return Verdict(name, True, look())
    except (SettingsError, WrongRevision, Failed) as error:
        return Verdict(name, False, " ".join(str(error).split()))
    except JobError as error:
        return Verdict(name, False, f"{error}{NO_MAIL}")
    except SQLAlchemyError as error:
        return Verdict(name, False, f"sqlalchemy.url: cannot be used: {_cause_of(error)}")


def _server(config: str, variables: Mapping[str, str]) -> Verdict:
    """
    :raises NoSection: there is no ``[server:main]``
    """
    try:
        server = load_server(config, variables)
    except NoSection:
        raise
    except SettingsError as error:
        return Verdict("server", False, str(error))
    options = server.local_conf if server.object.__module__.startswith(OF_WAITRESS) else {}
    problems = [f"there is no option {name}" for name in options if name not in OPTIONS]
    problems += problems_of(options, variables)
    return Verdict("server", not problems, "; ".join(problems) or "[server:main] can be used")


def _cause_of(error: SQLAlchemyError) -> str:
    """What the driver says, in one line, which has no password."""
    lines = str(error.orig).splitlines() if isinstance(error, DBAPIError) else []
    return lines[0] if lines else type(error).__name__


def _database(context: Context) -> str:
    revision = current_revision(context.database)
    return f"{context.database.url.get_backend_name()}, at revision {revision}"


def _secret(context: Context) -> str:
    context.unchecked_process.check_secret()
    return "opens the stored API keys"


def _folders(context: Context) -> str:
    folders.check(context.settings)
    return f"{context.settings.files} can be written"


def _mail(context: Context) -> str:
    settings = context.settings.mail
    if not settings.enabled:
        return f"written into {settings.directory}"
    try:
        mail_transport.check_server(settings)
    except JobError as error:
        raise JobError(explain(settings, error)) from None
    return f"{settings.host}, port {settings.port}, takes mail"


def _limits(context: Context) -> str:
    settings = context.settings
    storage = Throttle(settings.rate_limit, settings.rate_limit_storage, settings.keys.rate_limit)
    if not storage.answers():
        raise Failed(
            "accountsapp.rate_limit.storage: does not answer; each process counts alone until it does"
        )
    kind = settings.rate_limit_storage.partition(":")[0]
    return f"counted in {kind}" if settings.rate_limit else "off (accountsapp.rate_limit)"
