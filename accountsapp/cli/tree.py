"""``accountsapp tree``: every URL and what stands behind it."""

import click

from accountsapp import configure
from accountsapp.cli.context import Context, pass_context
from accountsapp.cli.output import print_json_lines, print_lines
from accountsapp.tree import Row, rows


@click.command("tree")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table.")
@pass_context
def command(context: Context, as_json: bool) -> None:
    """List every URL: verbs, permission, accepted credentials, the view's file and line."""
    with configure(context.settings, context.app_settings) as config:
        config.commit()
        urls = rows(config.registry)
    if as_json:
        print_json_lines(row._asdict() for row in urls)
    else:
        print_lines(table(urls))


def table(urls: list[Row]) -> list[str]:
    """The rows as lines of a table, each column as wide as it must be."""
    cells = [("URL", "VERBS", "PERMISSION", "CREDENTIALS", "VIEW")] + [
        (row.path, ",".join(row.methods), row.permission, ",".join(row.credentials) or "-", row.source)
        for row in urls
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
