"""``accountsapp audit``: what happened to accounts."""

import json
from datetime import timedelta

import click

from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, pass_context
from accountsapp.domain.audit import listing
from accountsapp.domain.clock import now


@click.group("audit", cls=Group)
def group() -> None:
    """What happened to accounts."""


@group.command("list", examples=["", "--username ada --days 7 --json"])
@click.option(
    "--days", type=click.IntRange(1, 400), default=30, show_default=True, help="Of the last so many days."
)
@click.option("--username", help="About that account only.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines.")
@pass_context
def list_events(obj: Context, days: int, username: str | None, as_json: bool) -> None:
    """Events, newest first."""
    account_id = obj.find(username).id if username is not None else None
    with obj.process.transaction() as store:
        for event in listing(store.connection, since=now() - timedelta(days=days), account_id=account_id):
            if as_json:
                click.echo(json.dumps({**event._asdict(), "at": event.at.isoformat()}))
            else:
                who = f"account={event.about} by={event.by} from={event.address or '-'}"
                click.echo(f"{event.at:%Y-%m-%d %H:%M:%S}  {event.event}  {who}")
