"""CSV with a header that names keys of the account record."""

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Any, BinaryIO, TextIO

from accountsapp.domain.transfer.record import AccountRecord
from accountsapp.domain.transfer.source_rows import SourceRow
from accountsapp.moving.databases import UnreadableSource
from accountsapp.moving.values import document, flag, number, objects, password_hash

DELIMITERS = ",;\t|"
LONGEST_FIELD = 1024 * 1024
"""Characters."""
FLAGS = ("privacy_mode", "subscribed", "activated", "is_admin", "is_staff", "read_dev_agreement")
NUMBERS = ("year_of_birth", "invite_ct")
DOCUMENTS = ("notifications", "info", "preferences", "social_links")
LISTS = ("emails", "api_keys", "language_proficiencies")


def read(stream: BinaryIO) -> Iterator[SourceRow]:
    """Every row after the header: UTF-8, with or without a byte order mark. Empty fields are not given.

    :raises UnreadableSource: there is no header of known names
    """
    lines = TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _rows(lines)
    finally:
        lines.detach()


def _rows(lines: TextIO) -> Iterator[SourceRow]:
    csv.field_size_limit(LONGEST_FIELD)
    first = lines.readline()
    delimiter = max(DELIMITERS, key=first.count)
    header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    _check_header(header)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number_of_line = reader.line_num + 2
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield SourceRow(f"line {number_of_line}", None, f"is no CSV: {error}")
            continue
        if fields:
            yield _row(f"line {number_of_line}", header, fields)


def _check_header(header: list[str]) -> None:
    if not any(header):
        raise UnreadableSource("the CSV has no header")
    for name in header:
        if name not in AccountRecord.model_fields:
            known = ", ".join(AccountRecord.model_fields)
            raise UnreadableSource(f"the header of the CSV has {name!a:.60}, which is none of {known}")
        if header.count(name) > 1:
            raise UnreadableSource(f"the header of the CSV has {name} twice")


def _row(place: str, header: list[str], fields: list[str]) -> SourceRow:
    if len(fields) != len(header):
        return SourceRow(place, None, f"has {len(fields)} fields where the header has {len(header)}")
    return SourceRow(
        place, {name: _value(name, field) for name, field in zip(header, fields, strict=True) if field != ""}
    )


def _value(name: str, field: str) -> Any:
    if name in FLAGS:
        return flag(field)
    if name in NUMBERS:
        return number(field)
    if name == "permissions":
        return field.split()
    if name in DOCUMENTS:
        return document(field)
    if name == "password_hash":
        return password_hash(field)
    return objects(field) if name in LISTS else field
