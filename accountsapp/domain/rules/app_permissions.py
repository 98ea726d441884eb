"""Permissions that an account carries for other applications, such as ``Addons:Edit``."""

import re

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules.text import has_control_characters

LONGEST_PERMISSION = 255
EVERYTHING = "*:*"
"""The permission of who may do all."""

_PERMISSION = re.compile(r"[^\s:]+:[^\s:]+")


def check(permission: str) -> str:
    """The permission, if it is one: ``app:action``.

    :raises InvalidValue: not two words joined by one colon, or over 255 characters
    """
    if (
        len(permission) > LONGEST_PERMISSION
        or has_control_characters(permission)
        or not _PERMISSION.fullmatch(permission)
    ):
        raise InvalidValue("permissions", "must be of the form app:action")
    return permission


def granting(permission: str) -> tuple[str, ...]:
    """The permissions that grant this one: itself, and those with ``*`` in either place."""
    app, _, action = permission.partition(":")
    return permission, f"{app}:*", f"*:{action}", EVERYTHING
