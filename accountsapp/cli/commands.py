"""The outermost group: a command is imported when it is called, and fails in one line.

What all commands need is imported as late, so that ``--help`` and ``--version`` answer at once.
"""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

import click


class Commands(click.Group):
    """
    :param places: name to the command as ``module:attribute``, and the first sentence of its help
    """

    def __init__(self, *args: Any, places: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._places:
            return None
        command = resolve_name(self._places[cmd_name][0])
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._places[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """
        :raises Failed: for every foreseen error
        """
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            from accountsapp.cli.errors import failure_of

            failure = failure_of(error)
            if failure is None:
                raise
            raise failure from error
