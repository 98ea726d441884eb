"""``accountsapp api-keys``: keys beside the default one of an account, for its devices and programs."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, BinaryIO

import click

from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, Failed, pass_context
from accountsapp.cli.output import print_json, print_json_lines, print_lines
from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import (
    DEFAULT_LIFETIME,
    LONGEST_DAYS,
    LONGEST_OVERLAP_HOURS,
    SHORTEST_DAYS,
    By,
    NamedKey,
)
from accountsapp.domain.rules import key_scopes
from accountsapp.domain.rules.api_keys import KeyForm, form_of

LONGEST_LINE = 64 * 1024
"""Bytes of a line with a key; what is longer is none."""

HEADING = f"{'ID':<24} {'NAME':<24} {'KEY':<11} {'STATE':<9} {'EXPIRES':<21} {'LAST USED':<21} SCOPES"


@click.group(
    "api-keys",
    cls=Group,
    examples=[
        "add ada --name laptop --scope extension",
        "list ada",
        "rotate ada ID --overlap 24",
        "revoke --key-stdin < key.txt",
        "check < keys.txt",
    ],
)
def group() -> None:
    """Named API keys: with less power, an end, and a switch of their own."""


@group.command(
    examples=[
        "ada --name laptop --scope extension",
        "ada --name cron --scope account:read --expires-in 30",
    ]
)
@click.argument("username")
@click.option("--name", required=True, help="Of the device or the program that is to use it.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([*key_scopes.PRESETS, *key_scopes.SCOPES]),
    default=[key_scopes.READ_ONLY],
    show_default=True,
    metavar="SCOPE",
    help=f"What it may do; can be repeated. One of {', '.join(key_scopes.SCOPES)}, or a preset of them: "
    f"{', '.join(key_scopes.PRESETS)}. full, which is everything, stands alone.",
)
@click.option(
    "--expires-in",
    "days",
    type=click.IntRange(SHORTEST_DAYS, LONGEST_DAYS),
    help=f"Days that it lives.  [default: {DEFAULT_LIFETIME.days}]",
)
@click.option("--no-expiry", is_flag=True, help="It lives until it is ended.")
@pass_context
def add(
    context: Context, username: str, name: str, scopes: tuple[str, ...], days: int | None, no_expiry: bool
) -> None:
    """Make a key for an account; prints it as JSON, with the key itself, which is never shown again."""
    if days is not None and no_expiry:
        raise click.UsageError("--expires-in and --no-expiry exclude each other.")
    granted = _scopes_of(scopes)
    lifetime = timedelta(days=days) if days is not None else DEFAULT_LIFETIME
    account = context.find(username)
    with context.transaction() as store:
        new = named_keys.add(
            store,
            account.id,
            name=name,
            scopes=granted,
            lifetime=lifetime if not no_expiry else None,
            by=By.CLI,
            most=store.settings.keys.max,
        )
    print_json({**present(new.key), "api_key": new.api_key})


@group.command("list", examples=["ada"])
@click.argument("username")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table.")
@pass_context
def list_(context: Context, username: str, as_json: bool) -> None:
    """List the named keys of an account, oldest first; never a key itself."""
    account = context.find(username)
    with context.database.read_engine.connect() as connection:
        keys = named_keys.listing(connection, account.id)
    if as_json:
        print_json_lines(map(present, keys))
    else:
        print_lines(chain([HEADING], map(_table_line, keys)))


@group.command(examples=["ada ID", "--key-stdin < key.txt"])
@click.argument("username", required=False)
@click.argument("key_id", metavar="[ID]", required=False)
@click.option("--key-stdin", is_flag=True, help="The key itself is the first line of standard input.")
@pass_context
def revoke(context: Context, username: str | None, key_id: str | None, key_stdin: bool) -> None:
    """End a named key at once: that of an ID, or the one that was found somewhere; prints which as JSON.

    The ID is what api-keys list says.
    """
    if key_stdin == (key_id is not None):
        raise click.UsageError("Give USERNAME and ID, or --key-stdin.")
    account_id = context.find(username).id if username is not None else None
    if key_id is None:
        account_id, key_id = _named_key(context, _read_key(), account_id)
    assert account_id is not None  # noqa: S101 an ID stands behind a USERNAME
    with context.transaction() as store:
        key = named_keys.revoke(store, account_id, key_id, By.CLI)
    print_json({"id": key.id, "name": key.name})


@group.command(examples=["ada ID --overlap 24"])
@click.argument("username")
@click.argument("key_id", metavar="ID")
@click.option(
    "--overlap",
    "hours",
    type=click.IntRange(0, LONGEST_OVERLAP_HOURS),
    default=0,
    show_default=True,
    help="Hours for which the old key works beside the new one.",
)
@pass_context
def rotate(context: Context, username: str, key_id: str, hours: int) -> None:
    """Make a key in place of another one; prints it as JSON, with the key itself, and what it replaces.

    The ID is what api-keys list says.
    """
    account = context.find(username)
    with context.transaction() as store:
        rotation = named_keys.rotate(store, account.id, key_id, timedelta(hours=hours), By.CLI)
    replaced = {"id": rotation.replaced.id, "expires": _text_of(rotation.replaced.expires)}
    print_json({**present(rotation.key), "api_key": rotation.api_key, "replaces": replaced})


@group.command(examples=["< keys.txt"])
def check() -> None:
    """Say of each key on standard input, one a line, whether it has the form of ours; needs no database.

    Exits with 0 if all have. The keys themselves are not printed.
    """
    forms = []
    for number, form in _forms(sys.stdin.buffer):
        forms.append(form)
        print_json_lines([{"line": number, "result": form}])
    if set(forms) - {KeyForm.GOOD}:
        sys.exit(1)


def present(key: NamedKey) -> dict[str, Any]:
    """A key as JSON has it."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "created": _text_of(key.created),
        "expires": _text_of(key.expires),
        "last_used": _text_of(key.last_used),
        "last_used_in": key.last_used_in,
        "prefix": key.prefix,
        "state": key.state,
    }


def _table_line(key: NamedKey) -> str:
    scopes = " ".join(key.scopes) if key.scopes is not None else key_scopes.FULL
    times = f"{_text_of(key.expires) or 'never':<21} {_text_of(key.last_used) or 'never':<21}"
    return f"{key.id:<24} {key.name:<24} {key.prefix or '-':<11} {key.state:<9} {times} {scopes}"


def _text_of(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment is not None else None


def _scopes_of(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """What scopes and presets add up to; None for all.

    :raises click.UsageError: all, and something besides
    """
    if key_scopes.FULL in words:
        if set(words) != {key_scopes.FULL}:
            raise click.UsageError("--scope full stands alone.")
        return None
    return key_scopes.ordered([scope for word in words for scope in key_scopes.PRESETS.get(word) or (word,)])


def _named_key(context: Context, api_key: str, account_id: int | None) -> tuple[int, str]:
    """Account and id of the named key that this is.

    :param account_id: whose it must be; None for anybody's
    :raises Failed: it is none, somebody else's, or a default key
    """
    with context.database.read_engine.connect() as connection:
        owner = named_keys.whose(connection, context.keyring, api_key)
    if owner is None or account_id not in (None, owner.account_id):
        raise Failed("no such named key")
    if owner.key_id is None:
        raise Failed("that is the default key of its account: accounts reset-key USERNAME replaces it")
    return owner.account_id, owner.key_id


def _read_key() -> str:
    """The key on the first line of standard input.

    :raises Failed: there is none, or it is not UTF-8
    """
    try:
        api_key = _without_end(sys.stdin.buffer.readline(LONGEST_LINE)).decode()
    except UnicodeDecodeError:
        raise Failed("the key on standard input is not UTF-8") from None
    if not api_key:
        raise Failed("no key on standard input")
    return api_key


def _forms(stream: BinaryIO) -> Iterator[tuple[int, KeyForm]]:
    """The form of the key on each line that is not blank, and the line's number from 1."""
    number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        start = line
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)
        if start.strip():
            yield number, form_of(_without_end(start).decode("utf-8", "replace"))


def _without_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")
