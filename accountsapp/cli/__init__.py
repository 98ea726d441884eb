"""The ``accountsapp`` command: one module a group (``docs/operate.rst`` is its contract)."""

import click

from accountsapp import logs
from accountsapp.cli.commands import Commands

COMMANDS = {
    "accounts": ("accountsapp.cli.accounts:group", "Accounts: one by one, and in bulk."),
    "activity": (
        "accountsapp.cli.activity:group",
        "What accounts did elsewhere: projects, contributions, add-ons, reviews, collections.",
    ),
    "api-keys": (
        "accountsapp.cli.api_keys:group",
        "Named API keys: with less power, an end, and a switch of their own.",
    ),
    "audit": ("accountsapp.cli.audit:group", "What happened to accounts."),
    "clients": ("accountsapp.cli.clients:group", "OAuth clients: programs that people may let in."),
    "completion": ("accountsapp.cli.completion:command", "Print what makes a shell complete commands."),
    "config": ("accountsapp.cli.config:group", "The ini file, and what it names."),
    "db": ("accountsapp.cli.db:group", "The database schema, and copies of it all."),
    "jobs": ("accountsapp.cli.jobs:group", "The background worker and its queue."),
    "keys": ("accountsapp.cli.keys:group", "Keys with which clients sign tokens."),
    "mail": ("accountsapp.cli.mail:group", "Mails that people get."),
    "secrets": ("accountsapp.cli.secrets:group", "The values of accountsapp.secret."),
    "serve": (
        "accountsapp.cli.serve:command",
        "Serve until stopped (SIGTERM, SIGINT), as [server:main] of the ini says.",
    ),
    "tokens": ("accountsapp.cli.tokens:group", "OAuth bearer tokens by hand."),
    "tree": ("accountsapp.cli.tree:command", "List every URL and what stands behind it."),
}
"""Where each command is, and the first sentence of its help."""


@click.group(cls=Commands, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    metavar="INI",
    envvar="ACCOUNTSAPP_CONFIG",
    default="development.ini",
    show_default=True,
    help="The ini file, as INI or INI#section; $ACCOUNTSAPP_CONFIG if not given.",
)
@click.version_option(package_name="accountsapp")
@click.pass_context
def main(ctx: click.Context, config: str) -> None:
    """Run and administer accountsapp."""
    from accountsapp.cli.context import Context

    logs.install()
    ctx.obj = ctx.with_resource(Context(config))
