"""Full names."""

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules.text import has_control_characters

LONGEST_NAME = 255


def parse(name: object) -> str | None:
    """A full name, trimmed; the empty one is None.

    :raises InvalidValue: not a string, over 255 characters, or control characters in it
    """
    if not isinstance(name, str):
        raise InvalidValue("name", "The name must be a text.")
    name = name.strip()
    if len(name) > LONGEST_NAME:
        raise InvalidValue("name", f"The name may have at most {LONGEST_NAME} characters.")
    if has_control_characters(name):
        raise InvalidValue("name", "The name has characters that are not allowed.")
    return name or None
