"""``accountsapp keys``: keys with which clients sign tokens of their own."""

import click

from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, Failed, pass_context
from accountsapp.cli.output import print_json
from accountsapp.domain.credentials import jwt_keys
from accountsapp.domain.errors import StaleCredential


@click.group("keys", cls=Group)
def group() -> None:
    """Keys with which clients sign tokens."""


@group.command(examples=["ada"])
@click.argument("username")
@click.option("--json", is_flag=True, expose_value=False, help="Changes nothing: it is JSON anyway.")
@pass_context
def issue(context: Context, username: str) -> None:
    """Give an account a new signing key; prints key and secret as JSON. The older one stops at once."""
    row = context.find(username)
    with context.transaction() as store:
        try:
            issued = jwt_keys.issue(store, row.id)
        except StaleCredential:
            raise Failed(f"{username!a}: the account is not active") from None
    print_json({"key": issued.key, "secret": issued.secret})
