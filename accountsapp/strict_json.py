"""JSON (RFC 8259), read strictly, whether it comes in a request or in a file."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

DEEPEST = 20
MOST_NAMES = 20_000
"""Of one object: more than 64 KiB can hold."""
LARGEST_INTEGER = 2**53
LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of one line of a JSON Lines file: room for any account record, however it is written."""

_BOM = b"\xef\xbb\xbf"


class BadJson(ValueError):
    """Not a JSON object that can be taken; the text says why, without echoing the input."""


class NoObject(BadJson):
    """Good JSON, but another value than an object."""


def read_object(data: bytes) -> dict[str, Any]:
    """A JSON object.

    Refused besides what is no JSON: bytes that are not UTF-8, a byte order mark, duplicate names, NaN and
    infinities, integers beyond 2^53, more than 20 levels or 20,000 names, lone surrogates or NUL in names.
    Values with such characters pass: the rule of their field decides (:func:`has_unstorable_text`).

    :raises NoObject: another JSON value
    :raises BadJson: says what is wrong
    """
    value = _read(data)
    if not isinstance(value, dict):
        raise NoObject("must be a JSON object")
    _check_depth(value)
    return value


def read_objects(data: bytes) -> list[dict[str, Any]]:
    """A JSON array of objects, by the rules of :func:`read_object`.

    :raises BadJson: says what is wrong
    """
    values = _read(data)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise BadJson("must be a JSON array of objects")
    _check_depth(values)
    return values


def _read(data: bytes) -> Any:
    """
    :raises BadJson: no JSON that can be taken, however deep
    """
    try:
        return json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_constant=_refuse,
            parse_int=_integer,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise BadJson("is not UTF-8") from None
    except (ValueError, RecursionError):
        raise BadJson("is not valid JSON") from None


def read_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a JSON Lines file that are not blank, each with its number from 1.

    A byte order mark at the very start is dropped, as are line ends, CRLF too; the last line needs none.

    :returns: number and bytes; None for a line over 4 MiB, of which no more than that is held in memory
    """
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(_BOM)
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        elif line := line.strip(b" \t\r\n"):
            yield number, line


def has_unstorable_text(value: Any) -> bool:
    """Whether a JSON value holds NUL or a lone surrogate in any text, names included.

    No text column can store these on every database.
    """
    if isinstance(value, str):
        if value.isascii():
            return "\0" in value
        return "\0" in value or any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return any(has_unstorable_text(name) or has_unstorable_text(item) for name, item in value.items())
    return isinstance(value, list) and any(has_unstorable_text(item) for item in value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs) or len(members) > MOST_NAMES:
        raise ValueError("duplicate or too many names")
    for name in members:
        if "\0" in name:
            raise ValueError("NUL in a name")
        name.encode()
    return members


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > LARGEST_INTEGER:
        raise ValueError("integer out of range")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return number


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise BadJson("is nested too deeply")
