"""``accountsapp tokens``: OAuth bearer tokens by hand."""

import click

from accountsapp.cli.clients import SCOPE
from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, Failed, pass_context
from accountsapp.cli.output import JSON, print_done, print_json
from accountsapp.domain.errors import StaleCredential
from accountsapp.domain.oauth import tokens
from accountsapp.domain.oauth.scopes import in_order, written

LONGEST_LIFE = 10 * 365 * 24 * 3600


@click.group("tokens", cls=Group)
def group() -> None:
    """OAuth bearer tokens by hand."""


@group.command(examples=["ada --scope profile_read --expires-in 3600"])
@click.argument("username")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=SCOPE,
    help="What it may do; can be repeated. email_write lets its holder declare addresses verified.",
)
@click.option(
    "--expires-in",
    "seconds",
    type=click.IntRange(1, LONGEST_LIFE),
    default=tokens.ACCESS_LIFE,
    show_default=True,
    help="Seconds that it lives.",
)
@pass_context
def issue(context: Context, username: str, scopes: tuple[str, ...], seconds: int) -> None:
    """Make a token for an account; prints it, its scope and its life as JSON."""
    row = context.find(username)
    with context.transaction() as store:
        try:
            token = tokens.issue_by_hand(store, row.id, scopes, seconds=seconds)
        except StaleCredential:
            raise Failed(f"{username!a}: the account is not active") from None
    print_json({"access_token": token, "scope": written(in_order(scopes)), "expires_in": seconds})


@group.command(examples=["TOKEN"])
@click.argument("token")
@JSON
@pass_context
def revoke(context: Context, token: str, as_json: bool) -> None:
    """End a token; a refresh token with everything that was granted with it."""
    with context.transaction() as store:
        owner = tokens.revoke_by_hand(store, token)
    print_done(as_json, "token revoked", username=owner or "-")
