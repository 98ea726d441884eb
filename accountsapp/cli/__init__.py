"""The ``accountsapp`` command: one module a group (``docs/operate.rst`` is its contract)."""

import click

from accountsapp import logs
from accountsapp.cli import accounts, audit, clients, db, jobs, secrets, tokens, tree
from accountsapp.cli.context import Commands, Context


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
    logs.install()
    ctx.obj = ctx.with_resource(Context(config))


main.add_command(db.group)
main.add_command(accounts.group)
main.add_command(audit.group)
main.add_command(jobs.group)
main.add_command(secrets.group)
main.add_command(tree.command)
main.add_command(clients.group)
main.add_command(tokens.group)
