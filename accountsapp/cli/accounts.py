"""``accountsapp accounts``: administration by hand."""

import sys
from itertools import chain
from typing import Any

import click
from sqlalchemy import select

from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, Failed, pass_context
from accountsapp.cli.output import JSON, print_done, print_json, print_json_lines, print_lines
from accountsapp.cli.stopping import AGAIN, report_stop
from accountsapp.domain.accounts import lifecycle, password_invitations, registration
from accountsapp.domain.credentials import api_keys, password_change
from accountsapp.domain.data.models import Account, AccountState
from accountsapp.domain.data.reads import AccountRow, listing
from accountsapp.domain.errors import EmailTaken, UsernameTaken
from accountsapp.domain.rules import app_permissions, emails, names, usernames
from accountsapp.domain.rules.api_keys import check_given
from accountsapp.domain.store import Store
from accountsapp.domain.transfer.exporting import export_named

LISTED = ("username", "email", "state", "is_admin", "is_staff")
HEADING = f"{'USERNAME':<24} {'E-MAIL':<32} {'STATE':<12} ROLE"

LONGEST_PASSWORD_INPUT = 4096
"""Bytes read of a password on standard input: more than any that is accepted."""


IN_BULK = {
    "import": (
        "accountsapp.cli.transfer:import_",
        "Import account records, one JSON object a line, from FILE or, for -, standard input.",
    ),
    "export": (
        "accountsapp.cli.transfer:export",
        "Print account records, one JSON object a line: what import reads.",
    ),
}
"""Where these commands are, and the first sentence of their help."""


@click.group("accounts", cls=Group, places=IN_BULK)
def group() -> None:
    """Accounts: one by one, and in bulk."""


@group.command(
    examples=[
        "ada --email ada@example.org --admin",
        "bob --email bob@example.org --password-stdin < pw.txt",
    ]
)
@click.argument("username")
@click.option("--email", required=True, help="The address; it counts as verified.")
@click.option("--name", help="Full name.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)
@click.option("--api-key", help="An API key of an older system; a new one is made otherwise.")
@click.option("--admin", is_flag=True, help="An administrator.")
@click.option("--staff", is_flag=True, help="Staff.")
@click.option("--permission", "permissions", multiple=True, metavar="APP:ACTION", help="Can be repeated.")
@pass_context
def add(
    context: Context,
    username: str,
    email: str,
    name: str | None,
    password_stdin: bool,
    api_key: str | None,
    admin: bool,
    staff: bool,
    permissions: tuple[str, ...],
) -> None:
    """Make an account; prints its username and API key as JSON."""
    fields: dict[str, Any] = {
        "name": names.parse(name) if name is not None else None,
        "api_key": check_given(api_key) if api_key is not None else None,
        "permissions": list(dict.fromkeys(app_permissions.check(permission) for permission in permissions)),
        "is_admin": admin,
        "is_staff": staff,
    }
    username, email = usernames.check_new(username), emails.parse(email)
    password = read_password() if password_stdin else None
    with context.transaction() as store:
        if password is not None:
            password = store.passwords.check(password, names=(username, email))
        credentials = _register(store, username, email, password=password, **fields)
    print_json(credentials)


@group.command(
    "ensure-admin",
    examples=[
        "",
        "ada --email ada@example.org",
    ],
)
@click.argument("username", default="admin")
@click.option("--email", help="Its address.  [default: USERNAME@localhost]")
@pass_context
def ensure_admin(context: Context, username: str, email: str | None) -> None:
    """Make an administrator when there is none; prints its API key once."""
    if _has_admin(context):
        click.echo("There is an administrator already; nothing was done.", err=True)
        return
    username, email = usernames.check_new(username), emails.parse(email or f"{username}@localhost")
    try:
        with context.transaction() as store:
            credentials = _register(store, username, email, is_admin=True)
    except (UsernameTaken, EmailTaken) as error:
        if _has_admin(context):
            return
        taken = str(error).rstrip(".")
        raise Failed(f"{taken}, by no administrator; name another one: USERNAME --email E") from None
    print_json(credentials)


def _has_admin(context: Context) -> bool:
    with context.database.read_engine.connect() as connection:
        return connection.execute(select(Account.id).where(Account.is_admin).limit(1)).first() is not None


def _register(store: Store, username: str, email: str, **fields: Any) -> dict[str, Any]:
    account = registration.register(store, username, email, verified=True, **fields)
    row = store.reread(account.id)
    return {"username": row.username, "api_key": api_keys.reveal(store, row)}


@group.command(
    "list",
    examples=["--state pending", "--json --limit 10"],
)
@click.option("--state", type=click.Choice([state.value for state in AccountState]), help="Only those in it.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The first N.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table.")
@pass_context
def list_(context: Context, state: str | None, limit: int | None, as_json: bool) -> None:
    """List accounts by username."""
    with context.database.read_engine.connect() as connection:
        rows = listing(connection, AccountState(state) if state is not None else None, limit)
        if as_json:
            print_json_lines({key: getattr(row, key) for key in LISTED} for row in rows)
        else:
            print_lines(chain([HEADING], (_table_line(row) for row in rows)))


def _table_line(row: AccountRow) -> str:
    roles = " ".join(["admin"] * row.is_admin + ["staff"] * row.is_staff)
    return f"{row.username:<24} {row.email:<32} {row.state:<12} {roles}".rstrip()


@group.command(examples=["ada", "ada@example.org"])
@click.argument("name", metavar="USERNAME-or-ADDRESS")
@pass_context
def show(context: Context, name: str) -> None:
    """Print the record of an account as JSON, without secrets.

    By an address: of each account that has it, the one first that has it as its primary or as a verified one.
    """
    usernames = [account.username for account in context.find_all(name)]
    print_json_lines(export_named(context.database.read_engine, usernames))


@group.command(examples=["ada", "ada --yes"])
@click.argument("username")
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
@pass_context
def delete(context: Context, username: str, yes: bool, as_json: bool) -> None:
    """Delete an account and all that is its own; asks first on a terminal."""
    account = context.find(username)
    if not yes and sys.stdin.isatty():
        click.confirm(f"Delete {account.username} ({account.email}) and all that is its own?", abort=True)
    with context.transaction() as store:
        lifecycle.delete(store, account.id)
    print_done(as_json, "deleted", username=account.username, id=account.id)


@group.command("reset-key", examples=["ada"])
@click.argument("username")
@click.option("--json", is_flag=True, expose_value=False, help="Changes nothing: it is JSON anyway.")
@pass_context
def reset_key(context: Context, username: str) -> None:
    """Give an account a new API key, printed as JSON; the old one is dead and its owner told.

    It works with a secret that opens nothing, too, so that a lost one can be replaced.
    """
    account = context.find(username)
    with context.transaction(checked=False) as store:
        api_key = api_keys.reset(store, account.id)
    print_json({"username": account.username, "api_key": api_key})


@group.command(
    "set-password",
    examples=[
        "ada",
        "ada --password-stdin < password.txt",
    ],
)
@click.argument("username")
@click.option(
    "--password-stdin", is_flag=True, help="Read it from the first line of standard input, without asking."
)
@JSON
@pass_context
def set_password(context: Context, username: str, password_stdin: bool, as_json: bool) -> None:
    """Set the password of an account; its sessions and mailed links end, and its owner is told.

    On a terminal it asks for the password, twice and without echo.
    """
    if not password_stdin and not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask at: give --password-stdin.")
    account = context.find(username)
    password = read_password() if password_stdin else ask_password(account.username)
    with context.transaction() as store:
        password_change.set_by_operator(store, account.id, password)
    print_done(as_json, "password changed", username=account.username)


@group.command(examples=["ada"])
@click.argument("username")
@JSON
@pass_context
def activate(context: Context, username: str, as_json: bool) -> None:
    """Let a pending or deactivated account sign in."""
    account = context.find(username)
    with context.transaction() as store:
        is_changed = lifecycle.activate(store, account.id)
    print_done(as_json, "activated" if is_changed else "was active already", username=account.username)


@group.command(examples=["ada --json"])
@click.argument("username")
@JSON
@pass_context
def deactivate(context: Context, username: str, as_json: bool) -> None:
    """Lock an account: its sessions end, its API key is refused until it is active again."""
    account = context.find(username)
    with context.transaction() as store:
        is_changed = lifecycle.deactivate(store, account.id)
    what = "deactivated" if is_changed else "was deactivated already"
    print_done(as_json, what, username=account.username)


@group.command("invite-all", examples=["", "--per-hour 200 --again"])
@click.option(
    "--per-hour",
    type=click.IntRange(1, 1_000_000),
    default=600,
    show_default=True,
    metavar="N",
    help="How many fall due in an hour.",
)
@click.option("--again", is_flag=True, help="Also those whose link has expired unused.")
@JSON
@pass_context
def invite_all(context: Context, per_hour: int, again: bool, as_json: bool) -> None:
    """Mail those who have no password a link to set one, a few an hour.

    The mails are queued and sent by the worker. It can be run again: everybody is mailed once.
    """
    with report_stop(lambda: f"who is in the queue is mailed once; {AGAIN}"):
        queued = password_invitations.invite_all(context.transaction, per_hour=per_hour, again=again)
    last = f"{queued.last:%Y-%m-%dT%H:%M:%SZ}" if queued.last is not None else None
    if as_json:
        print_json({"queued": queued.mails, "last": last})
    else:
        mails = "1 mail" if queued.mails == 1 else f"{queued.mails} mails"
        print_lines([f"{mails} queued" + (f", the last one for {last}" if last else "")])


def read_password() -> str:
    """The first line of standard input, without its line end.

    :raises Failed: there is none, or it is not UTF-8
    """
    line = sys.stdin.buffer.readline(LONGEST_PASSWORD_INPUT)
    try:
        password = line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Failed("the password on standard input is not UTF-8") from None
    if not password:
        raise Failed("no password on standard input")
    return password


def ask_password(username: str) -> str:
    """A password from the terminal, typed twice and not shown.

    :raises click.Abort: there is none any more
    """
    password: str = click.prompt(
        f"New password of {username}", hide_input=True, confirmation_prompt=True, err=True
    )
    return password
