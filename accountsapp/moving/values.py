"""Values as databases give them, as an account record has them.

What cannot be one is left as it is, so that the rules of the record say what is wrong with it.
"""

import json
from datetime import date, datetime
from typing import Any

from accountsapp.strict_json import BadJson, read_object, read_objects

_TRUE = frozenset({"t", "true", "y", "yes", "on", "1"})
_FALSE = frozenset({"f", "false", "n", "no", "off", "0"})


def flag(value: Any, *, default: bool = False) -> Any:
    """A truth value; databases have booleans, numbers, bits and words for it."""
    if value is None or isinstance(value, bool):
        return default if value is None else value
    if isinstance(value, bytes) and len(value) == 1:
        value = value[0] if value[0] < 2 else value.decode("ascii", "replace")
    if isinstance(value, int):
        return bool(value) if value in (0, 1) else value
    if isinstance(value, str) and value.strip().lower() in _TRUE | _FALSE:
        return value.strip().lower() in _TRUE
    return value


def moment(value: Any) -> Any:
    """A time as ISO 8601; one without a zone is in UTC. None for none and for that of the year 0."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        value = value.strip()
        return None if not value or value.startswith("0000-00-00") else value
    return value


def text(value: Any) -> Any:
    """A text, or None for none and for an empty one."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return None if value == "" else value


def number(value: Any) -> Any:
    """A whole number, or None for none."""
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 12:
        return int(value)
    return value


def password_hash(value: Any) -> Any:
    """A hash, or None for none and for what Django writes where there is no password."""
    value = text(value)
    return None if isinstance(value, str) and value.startswith("!") else value


def document(value: Any) -> Any:
    """A JSON object; empty for none."""
    if isinstance(value, dict):
        value = json.dumps(value)
    if value is None or value in ("", "null"):
        return {}
    if not isinstance(value, str | bytes):
        return value
    try:
        return read_object(value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value)
    except BadJson:
        return value


def objects(value: str) -> Any:
    """A JSON array of objects."""
    try:
        return read_objects(value.encode("utf-8", "surrogateescape"))
    except BadJson:
        return value
