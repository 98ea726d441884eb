"""The documentation names what there is."""

from pathlib import Path

import click

from accountsapp.cli import main
from accountsapp.settings import NAMES
from tests.support import access_page

ROOT = Path(__file__).parent.parent
OPERATE = (ROOT / "docs/operate.rst").read_text(encoding="utf-8")


def commands(command: click.Command, words: str = "") -> list[str]:
    """The words of every command below that one."""
    if not isinstance(command, click.Group):
        return [words]
    context = click.Context(command)
    children = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return [found for name, child in children if child for found in commands(child, f"{words} {name}")]


def test_every_command_is_documented() -> None:
    found = [words.strip() for words in commands(main)]
    assert len(found) > 20
    assert [words for words in found if f"``{words}" not in OPERATE] == []


def test_every_setting_is_documented() -> None:
    production = (ROOT / "production.ini").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"``{name}``" in OPERATE
        assert name in production or name.upper().replace(".", "_") in production


def test_the_documented_access_is_what_is_tested() -> None:
    printed = access_page.PRINTED.read_text(encoding="utf-8").splitlines()
    assert printed == list(access_page.lines()), "write it anew: make access"
