"""What people call their keys."""

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules.text import has_control_characters

LONGEST_KEY_NAME = 80


def parse(name: str) -> str:
    """The name of a device or a program, trimmed.

    :raises InvalidValue: not 1 to 80 characters, or control characters in it
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_KEY_NAME:
        raise InvalidValue("name", f"The name must have 1 to {LONGEST_KEY_NAME} characters.")
    if has_control_characters(name):
        raise InvalidValue("name", "The name has characters that are not allowed.")
    return name
