"""What an e-mail address is."""

from accountsapp.domain.errors import InvalidEmail
from accountsapp.domain.rules.folding import LONGEST_KEY, fold
from accountsapp.domain.rules.text import has_control_characters

LONGEST_EMAIL = 254
"""Characters (RFC 5321 4.5.3.1.3: a path of 256 with its angle brackets)."""


def parse(address: object, *, dotted: bool = False, keep_case: bool = False) -> str:
    """The address, trimmed and in lower case.

    :param dotted: whether the domain must have a dot; otherwise ``user@localhost`` is an address
    :param keep_case: leave the spelling as it is
    :raises InvalidEmail: not a string, over 254 characters, not exactly one ``@`` with something either
        side, white space or control characters in it (they could add a mail header)
    """
    if not isinstance(address, str):
        raise InvalidEmail
    address = address.strip() if keep_case else address.strip().lower()
    local, at, domain = address.partition("@")
    if not at or not local or not domain or "@" in domain or len(address) > LONGEST_EMAIL:
        raise InvalidEmail
    if any(character.isspace() for character in address) or has_control_characters(address):
        raise InvalidEmail
    if len(fold(address).encode()) > LONGEST_KEY:
        raise InvalidEmail
    if dotted and ("." not in domain.strip(".") or ".." in domain or domain[0] == "."):
        raise InvalidEmail
    return address
