"""JSONP: an answer that a script tag of another site can read.

The name of the function is the client's word and is reflected, so its form is narrow, and it is never the
first bytes of the file.
"""

import re
from collections.abc import Iterable
from typing import Any

PARAMETER = "callback"
"""In the query string; in a body it means nothing."""
LONGEST_CALLBACK = 128

PATTERN = r"[A-Za-z_$][A-Za-z0-9_$]*(?:\[[0-9]+\])?(?:\.[A-Za-z_$][A-Za-z0-9_$]*(?:\[[0-9]+\])?)*"
"""Of a good callback."""

_CALLBACK = re.compile(PATTERN)


def is_callback(name: str) -> bool:
    """Whether the name is one that a script may be asked to call.

    Identifiers joined by dots, each optionally followed by ``[digits]``; 1 to 128 ASCII characters.
    """
    return len(name) <= LONGEST_CALLBACK and _CALLBACK.fullmatch(name) is not None


def callbacks(query: Iterable[tuple[str, Any]]) -> list[str]:
    """What the query names as callback, good or not."""
    return [value for name, value in query if name == PARAMETER]


def only_callback(names: list[str]) -> str | None:
    """The callback, if there is exactly one and it is a good one."""
    return names[0] if len(names) == 1 and is_callback(names[0]) else None


def wrap(callback: str, text: str) -> str:
    """The script that calls it.

    :param text: JSON in ASCII, so that line separators and charsets do not matter
    """
    return f"/**/{callback}({text.replace('<', chr(92) + 'u003c')});"
