"""``accountsapp secrets``: the keys that everything else is sealed with."""

from dataclasses import asdict

import click

from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, Failed, pass_context
from accountsapp.cli.output import print_json
from accountsapp.cli.stopping import AGAIN, report_stop, whole
from accountsapp.domain.audit import Event
from accountsapp.domain.rotation import Rotated, rotate


@click.group("secrets", cls=Group)
def group() -> None:
    """The values of accountsapp.secret."""


@group.command("rotate", examples=[""])
@pass_context
def rotate_(context: Context) -> None:
    """Seal everything with the first value of accountsapp.secret; can be interrupted and run again.

    When it exits 0, the older values can be taken out of the setting.
    """
    rotated = Rotated()
    how_far = report_stop(
        lambda: f"{rotated.api_keys} API keys, {rotated.jwt_keys} JWT keys sealed anew; {AGAIN}"
    )
    with how_far, context.transaction() as store:
        rotate(store, whole(context.database.write, looks_before=True), rotated)
        store.record(Event.SECRETS_ROTATED, **asdict(rotated))
    print_json(asdict(rotated))
    if rotated.unreadable:
        raise Failed(f"{rotated.unreadable} keys were sealed with a secret that accountsapp.secret lacks")
