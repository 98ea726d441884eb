"""``accountsapp serve``: the server that the ini names."""

import click

from accountsapp import ini_file
from accountsapp.cli.commands import Command
from accountsapp.cli.context import Context


class Variable(click.ParamType):
    """``NAME=VALUE``."""

    name = "name=value"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, equals, text = value.partition("=")
        if not (name and equals):
            self.fail("a variable is given as NAME=VALUE", param, ctx)
        return name, text


@click.command("serve", cls=Command, examples=["", "http_port=6543"])
@click.argument("variables", nargs=-1, metavar="[NAME=VALUE]...", type=Variable())
@click.pass_obj
def command(context: Context, variables: tuple[tuple[str, str], ...]) -> None:
    """Serve until stopped (SIGTERM, SIGINT), as [server:main] of the ini says.

    The same as pserve, which does not say in one line what is wrong with the ini. Variables of the ini, such
    as %(http_port)s, are given by their names.
    """
    values = dict(variables)
    app = ini_file.load_app(context.config, values)
    server = ini_file.load_server(context.config, values)
    ini_file.set_up_log(context.config, values)
    server.create()(app.create())
