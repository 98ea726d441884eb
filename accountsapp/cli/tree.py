"""``accountsapp tree``: every URL and what stands behind it."""

import click

from accountsapp import configure
from accountsapp.cli.commands import Command
from accountsapp.cli.context import Context, pass_context
from accountsapp.cli.output import print_json_lines, print_lines
from accountsapp.tree import Row, rows


@click.command("tree", cls=Command, examples=["", "--json"])
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table.")
@click.option("--plain", is_flag=True, help="One entry a line, to be compared: no padding, no lines.")
@pass_context
def command(context: Context, as_json: bool, plain: bool) -> None:
    """List every URL and what stands behind it.

    Each line has verbs, permission, accepted credentials, and the view's file and line.
    """
    with configure(context.settings, context.app_settings) as config:
        config.commit()
        urls = rows(config.registry)
    if as_json:
        print_json_lines(row._asdict() for row in urls)
    elif plain:
        print_lines(plain_lines(urls))
    else:
        print_lines(table(urls))


def plain_lines(urls: list[Row]) -> list[str]:
    """The rows without padding and line numbers, so that a line changes with its own view only."""
    cells = ((",".join(row.methods), row.path, row.permission, _kinds(row), row.view) for row in urls)
    return ["  ".join(line) for line in cells]


def _kinds(row: Row) -> str:
    return ",".join(row.credentials) or "-"


def table(urls: list[Row]) -> list[str]:
    """The rows as lines of a table, each column as wide as it must be."""
    cells = [("URL", "VERBS", "PERMISSION", "CREDENTIALS", "VIEW")] + [
        (row.path, ",".join(row.methods), row.permission, _kinds(row), row.source) for row in urls
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
