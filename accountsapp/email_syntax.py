"""Which e-mail addresses can be mailed: the rules of email-validator, without asking the DNS."""

import re
from functools import cache
from types import ModuleType

_PLAIN = re.compile(
    r"(?=[^@]{1,64}@)(?=.{1,254}\Z)"
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@"
    r"(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\Z",
    re.ASCII,
)


class Unmailable(ValueError):
    """The text is no address that a mail server could take."""


def check(address: str, *, dotted: bool = False, display_name: bool = False) -> None:
    """
    :param dotted: whether the domain must have a dot
    :param display_name: whether ``Name <address>`` is taken, too
    :raises Unmailable: no quoted local part, domain literal, trailing dot, number at its end (an IP address)
        or list can be mailed either
    """
    if is_plain(address):
        return
    library = _library()
    try:
        parts = library.validate_email(
            address,
            check_deliverability=False,
            globally_deliverable=dotted,
            allow_display_name=display_name,
        )
    except library.EmailNotValidError:
        raise Unmailable from None
    if parts.ascii_domain.rpartition(".")[2].isdigit():
        raise Unmailable


def is_plain(address: str) -> bool:
    """Whether it is as nearly all are, in lower case, and the library need not be asked, which would need a
    seventh of the time of an import.
    """
    return _PLAIN.match(address) is not None


@cache
def _library() -> ModuleType:
    """Imported when it is needed: that takes longer than what most commands do."""
    import email_validator

    # No domain is refused for its name's sake: services of one's own have addresses under ``.test``,
    # ``.local`` and ``localhost``. The library has no other way to say so for all of them.
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    return email_validator
