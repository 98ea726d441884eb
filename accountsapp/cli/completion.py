"""``accountsapp completion``: the shell completes commands and options."""

import click
from click.shell_completion import get_completion_class

from accountsapp.cli.commands import Command

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "accountsapp"
VARIABLE = "_ACCOUNTSAPP_COMPLETE"
"""How click is asked for completions."""


@click.command("completion", cls=Command, examples=["bash >> ~/.bashrc", "zsh >> ~/.zshrc"])
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands.

    It works in the next shell that is opened. In a file of its own, it is called accountsapp in
    ~/.local/share/bash-completion/completions, _accountsapp in a folder of $fpath of zsh, accountsapp.fish in
    ~/.config/fish/completions.
    """
    completion = get_completion_class(shell)
    assert completion is not None  # noqa: S101 each of SHELLS has one
    click.echo(completion(ctx.find_root().command, {}, PROGRAM, VARIABLE).source())
