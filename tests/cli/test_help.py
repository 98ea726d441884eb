"""What the command says of itself: an example for each, nothing cut off; completion."""

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from accountsapp.cli import main
from accountsapp.cli.commands import Command, Group
from tests.cli.conftest import Run


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


def walk(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group, and the words that lead to it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from walk(inner, (*path, name))


COMMANDS = {" ".join(path): command for path, command in walk(main)}
SINGLE = [path for path, command in COMMANDS.items() if not isinstance(command, click.Group)]


def help_of(path: str) -> str:
    result = CliRunner().invoke(main, [*path.split(), "--help"], prog_name="accountsapp", terminal_width=80)
    assert result.exit_code == 0, result
    return result.output


@pytest.mark.parametrize("path", COMMANDS)
def test_nothing_is_cut_off(path: str) -> None:
    lines = help_of(path).splitlines()
    assert [line for line in lines[1:] if line.endswith("...")] == []
    assert [line for line in lines if len(line) > 80] == []
    assert isinstance(COMMANDS[path], Group | Command)


@pytest.mark.parametrize("path", SINGLE)
def test_an_example_that_can_be_typed(path: str) -> None:
    said = help_of(path)
    command = COMMANDS[path]
    assert isinstance(command, Command)
    assert command.examples
    for example in command.examples:
        line = f"accountsapp {path} {example}".rstrip()
        assert f"\n  {line}\n" in said
        words = shlex.split(example.partition("<")[0].partition(">")[0])
        command.make_context(path, words)  # raises UsageError for what the command does not take


def test_the_list_of_commands_says_the_same_as_each() -> None:
    said = " ".join(help_of("").split())
    for name in main.list_commands(click.Context(main)):
        command = COMMANDS[name]
        assert f"{name} {command.get_short_help_str(1000)}" in said


def test_what_is_spelt_wrong(run: Run) -> None:
    assert "No such command 'account'. Did you mean 'accounts'" in run("account", "list", exit_code=2).err
    assert "Did you mean 'list'?" in run("accounts", "lsit", exit_code=2).err
    assert run("unheard", exit_code=2).err.endswith("No such command 'unheard'.\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(run: Run, shell: str) -> None:
    script = run("completion", shell).out
    assert f"_ACCOUNTSAPP_COMPLETE={shell}_complete" in script
    assert "accountsapp" in script


def test_what_a_shell_is_told() -> None:
    environment = {
        "_ACCOUNTSAPP_COMPLETE": "bash_complete",
        "COMP_WORDS": "accountsapp accounts re",
        "COMP_CWORD": "2",
    }
    result = CliRunner().invoke(main, [], prog_name="accountsapp", env=environment)
    assert result.output.splitlines() == ["plain,reset-key"]
