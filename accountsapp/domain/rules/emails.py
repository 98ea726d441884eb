"""What an e-mail address is, and when two are one."""

from functools import lru_cache
from unicodedata import category, normalize

import idna

from accountsapp import email_syntax
from accountsapp.domain.errors import InvalidEmail
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.text import has_control_characters

LONGEST_LOCAL_PART = 64
"""Bytes of UTF-8 before the ``@`` (RFC 5321 4.5.3.1.1)."""
LONGEST_EMAIL = 254
"""Bytes of UTF-8, also with the domain as A-label (RFC 5321 4.5.3.1.3: a path of 256 with its brackets)."""


def parse(address: object, *, dotted: bool = False, keep_case: bool = False) -> str:
    """The address, trimmed and in lower case, if it can be mailed.

    No display name, angle brackets, quoted local part, domain literal, IP address, trailing dot or list.

    :param dotted: whether the domain must have a dot; otherwise ``user@localhost`` is an address
    :param keep_case: leave the spelling as it is
    :raises InvalidEmail: not a string, too long, with control or format characters (they could add a mail
        header, or be seen by nobody), or nothing that a mail server could take
    """
    if not isinstance(address, str) or len(address) > 4 * LONGEST_EMAIL:
        raise InvalidEmail
    address = address.strip() if keep_case else address.strip().lower()
    if has_control_characters(address) or _has_format_characters(address):
        raise InvalidEmail
    local = address.rpartition("@")[0]
    if len(local.encode()) > LONGEST_LOCAL_PART or len(address.encode()) > LONGEST_EMAIL:
        raise InvalidEmail
    try:
        email_syntax.check(address, dotted=dotted)
    except email_syntax.Unmailable:
        raise InvalidEmail from None
    return address


def _has_format_characters(text: str) -> bool:
    return not text.isascii() and any(category(character) == "Cf" for character in text)


def key_of(address: str) -> str:
    """The key under which an address is found: two addresses are one if their keys are.

    The local part without regard to Unicode case, the domain as its A-label (IDNA 2008: ``ß`` is not ``ss``),
    so that ``a@bücher.example`` is ``A@XN--BCHER-KVA.example``. ``key_of(key_of(x)) == key_of(x)``.

    :param address: any text; one without ``@`` is folded
    """
    local, at, domain = address.strip().rpartition("@")
    return f"{fold(local)}{at}{_a_labels(domain) if at else fold(domain)}"


def key_in_name(username: str) -> str | None:
    """The key of the address that a username is, however its characters are written (NFKC): a full-width @ is
    an @ in names. None if it is none.
    """
    compatible = normalize("NFKC", username)
    return key_of(compatible) if "@" in compatible else None


def spellings_of(address: str) -> frozenset[str]:
    """The address with its domain as written, as A-labels and as U-labels, folded: as which of them a
    username could name it.
    """
    local, at, domain = address.strip().rpartition("@")
    if not at or (domain.isascii() and "xn--" not in domain.lower()):
        return frozenset({fold(f"{local}{at}{domain}")})
    a_labels = _a_labels(domain)
    return frozenset(fold(f"{local}@{form}") for form in (domain, a_labels, _u_labels(a_labels)))


def envelope_of(address: str) -> str:
    """The address as a mail's envelope has it: the domain as A-label, the local part as it is.

    :param address: one that :func:`parse` gave
    """
    local, at, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}{at}{_a_labels(domain)}"


def is_nowhere(address: str) -> bool:
    """Whether the address is one that stands for none (RFC 2606): below ``.invalid``."""
    return f".{address.rpartition('@')[2]}".lower().endswith(".invalid")


@lru_cache(maxsize=1024)
def _a_labels(domain: str) -> str:
    """The domain in ASCII; one that has no such form, which nobody can have newly, is folded."""
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True, transitional=False).decode("ascii").lower()
    except UnicodeError:
        return fold(domain)


def _u_labels(domain: str) -> str:
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except UnicodeError:
        return domain
