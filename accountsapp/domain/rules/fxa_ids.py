"""Ids of Firefox accounts."""

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules.text import has_control_characters

LONGEST_FXA_ID = 128


def parse(fxa_id: object) -> str:
    """
    :raises InvalidValue: no string of 1 to 128 characters, or control characters in it
    """
    if not isinstance(fxa_id, str) or not 1 <= len(fxa_id) <= LONGEST_FXA_ID:
        raise InvalidValue("fxa_id", f"This must be a text of 1 to {LONGEST_FXA_ID} characters.")
    if has_control_characters(fxa_id):
        raise InvalidValue("fxa_id", "This has characters that are not allowed.")
    return fxa_id
