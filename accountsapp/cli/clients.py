"""``accountsapp clients``: the OAuth clients, which only the operator makes."""

import click

from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, pass_context
from accountsapp.cli.errors import Failed
from accountsapp.cli.output import JSON, print_done, print_json, print_json_lines
from accountsapp.domain.oauth import clients
from accountsapp.domain.oauth.scopes import Scope, written

SCOPE = click.Choice([scope.value for scope in Scope])
HEADING = f"{'CLIENT_ID':<32} {'KIND':<12} {'NAME':<24} SCOPES"


@click.group("clients", cls=Group)
def group() -> None:
    """OAuth clients: programs that people may let in."""


@group.command(
    examples=[
        "'My page' --redirect-uri https://example.org/back",
        "Backup --confidential --owner ada --scope profile_read",
    ]
)
@click.argument("name")
@click.option("--redirect-uri", "redirect_uris", multiple=True, metavar="URI", help="Can be repeated.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=SCOPE,
    help="What it may ask for; can be repeated.  [default: profile_read email_read]",
)
@click.option("--confidential", is_flag=True, help="It can keep a secret, and gets one.")
@click.option(
    "--introspect",
    is_flag=True,
    help="It may look at any token; with --confidential.",
)
@click.option("--owner", metavar="USERNAME", help="Whose account it acts for by itself.")
@pass_context
def add(
    context: Context,
    name: str,
    redirect_uris: tuple[str, ...],
    scopes: tuple[str, ...],
    confidential: bool,
    introspect: bool,
    owner: str | None,
) -> None:
    """Let a program in; prints its client_id, and its client_secret if it is confidential, as JSON."""
    if introspect and not confidential:
        raise click.UsageError("--introspect needs --confidential")
    if not (redirect_uris or confidential):
        raise Failed("give --redirect-uri, where people come back to, or --confidential")
    owner_id = context.find(owner).id if owner is not None else None
    with context.transaction() as store:
        client, secret = clients.register(
            store,
            name,
            redirect_uris=redirect_uris,
            scopes=[Scope(scope) for scope in scopes],
            confidential=confidential,
            resource_server=introspect,
            owner_id=owner_id,
        )
        answer = {"client_id": client.client_id}
    print_json({**answer, "client_secret": secret} if secret is not None else answer)


@group.command("list", examples=[""])
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table.")
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List all clients, oldest first."""
    with context.database.read_engine.connect() as connection:
        rows = (
            {
                "client_id": client.client_id,
                "name": client.name,
                "confidential": client.is_confidential,
                "resource_server": client.is_resource_server,
                "redirect_uris": list(client.redirect_uris),
                "scope": written(client.scopes),
                "owner": client.owner,
                "created": client.created.isoformat(),
                "revoked": client.revoked.isoformat() if client.revoked else None,
            }
            for client in clients.listing(connection)
        )
        if as_json:
            print_json_lines(rows)
            return
        click.echo(HEADING)
        for row in rows:
            kind = "confidential" if row["confidential"] else "public"
            state = "revoked" if row["revoked"] else kind
            click.echo(f"{row['client_id']:<32} {state:<12} {row['name']:<24} {row['scope']}")


@group.command(examples=["CLIENT_ID"])
@click.argument("client_id")
@JSON
@pass_context
def revoke(context: Context, client_id: str, as_json: bool) -> None:
    """End a client and every token it was given.

    The CLIENT_ID is what clients list says.
    """
    with context.transaction() as store:
        clients.revoke(store, client_id)
    print_done(as_json, "revoked, with every token it was given", client_id=client_id)
