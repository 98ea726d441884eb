"""How commands are found and shown, and how they fail.

Every command says by an example what to type. Nothing of a help text is cut off.
"""

from collections.abc import Mapping, Sequence
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Any

import click

LONGEST_SENTENCE = 1000
"""Characters of the first sentence of a command's help in a list of commands; more than any has."""


class _WithExamples(click.Command):
    """
    :param examples: what to type after its name, each shown as a whole line below its help
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    line = f"{ctx.command_path} {example}".rstrip()
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class Command(_WithExamples):
    """What does something."""


class Group(_WithExamples, click.Group):
    """Commands about one thing.

    :param places: further ones, imported when they are called: name to the command as ``module:attribute``,
        and the first sentence of its help
    """

    command_class = Command

    def __init__(
        self, *args: Any, places: Mapping[str, tuple[str, str]] = MappingProxyType({}), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._places:
            return super().get_command(ctx, cmd_name)
        command = resolve_name(self._places[cmd_name][0])
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """
        :raises click.UsageError: there is no such command; names those that are spelt alike
        """
        name = args[0]
        if not (name.startswith("-") or ctx.resilient_parsing or self.get_command(ctx, name)):
            from difflib import get_close_matches

            alike = " or ".join(repr(known) for known in get_close_matches(name, self.list_commands(ctx)))
            ctx.fail(f"No such command {name!r}." + (f" Did you mean {alike}?" if alike else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(self.sentences(ctx))

    def sentences(self, ctx: click.Context) -> list[tuple[str, str]]:
        """Each command and the first sentence of its help."""
        return [(name, self._sentence(ctx, name)) for name in self.list_commands(ctx)]

    def _sentence(self, ctx: click.Context, name: str) -> str:
        if name in self._places:
            return self._places[name][1]
        command = self.get_command(ctx, name)
        return command.get_short_help_str(LONGEST_SENTENCE) if command is not None else ""


class Commands(Group):
    """The outermost group: a command is imported when it is called, and fails in one line.

    What all commands need is imported as late, so that ``--help`` and ``--version`` answer at once.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """
        :raises Failed: for every foreseen error
        """
        from accountsapp.cli.stopping import failure_of as failure_of_stop
        from accountsapp.cli.stopping import stoppable

        try:
            with stoppable():
                return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise failure_of_stop(stop) from None
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            from accountsapp.cli.errors import failure_of

            failure = failure_of(error)
            if failure is None:
                raise
            raise failure from error
