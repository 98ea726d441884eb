"""What is stored about an account, for its owner, as ZIP files that are written piece by piece.

Nothing in them proves anybody (no hash, key or token), and nothing is of somebody else.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sqlalchemy import Connection, select

from accountsapp.domain.accounts import preferences
from accountsapp.domain.activity import records
from accountsapp.domain.data.models import Account
from accountsapp.domain.transfer.exporting import export_one
from accountsapp.domain.transfer.fields import iso_text

PERSONAL_DATA, PROJECTS, CONTRIBUTIONS = "personal_data", "user_projects", "user_contributions"
"""The archives: ``….zip``, in which is ``….json``."""
PICTURE = "avatar.png"
MEMBER_MODE = 0o600

Write = Callable[[IO[bytes]], None]
"""Writes a whole ZIP file."""
Record = Mapping[str, Any]


def archives_of(
    connection: Connection, account_id: int, picture: bytes | None
) -> Iterator[tuple[str, Write]]:
    """The archives that there is something for, each with what writes it, to be called before the next one.

    :param picture: the account's, if it has one
    """
    personal = _personal_data(connection, account_id)
    yield PERSONAL_DATA, partial(_write, name=PERSONAL_DATA, pieces=personal, picture=picture)
    of_activity = ((PROJECTS, records.projects_of), (CONTRIBUTIONS, records.contributions_of))
    for name, read in of_activity:
        rows = read(connection, account_id)
        first = next(rows, None)
        if first is not None:
            pieces = _list(chain([first], rows))
            yield name, partial(_write, name=name, pieces=pieces)


def _write(file: IO[bytes], name: str, pieces: Iterable[str], picture: bytes | None = None) -> None:
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        with archive.open(_member(f"{name}.json"), "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece.encode())
        if picture is not None:
            archive.writestr(_member(PICTURE), picture)


def _member(name: str) -> ZipInfo:
    member = ZipInfo(name)
    member.compress_type = ZIP_DEFLATED
    member.external_attr = MEMBER_MODE << 16
    return member


def _personal_data(connection: Connection, account_id: int) -> Iterator[str]:
    """The pieces of one JSON object."""
    created = connection.execute(select(Account.created).where(Account.id == account_id)).scalar_one()
    fields = {"id": account_id, "created": iso_text(created), **export_one(connection, account_id)}
    preferred = preferences.of_account(connection, account_id)
    fields |= {"preferences": preferred.values, "social_links": preferred.links}
    fields["info"] = {key: value for key, value in fields["info"].items() if not key.endswith("_token")}
    yield "{"
    for key, value in fields.items():
        if value is not None:
            yield f"{_text(key)}: {_text(value)},\n"
    yield '"reviews": '
    yield from _list(records.reviews_of(connection, account_id))
    yield ',\n"collections": '
    yield from _list(records.collections_of(connection, account_id))
    yield "}\n"


def _list(rows: Iterable[Record]) -> Iterator[str]:
    """The pieces of a JSON list."""
    separator = "["
    for row in rows:
        yield f"{separator}{_text(dict(row))}"
        separator = ",\n"
    yield "[]" if separator == "[" else "]"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
