"""Which e-mail addresses can be mailed: the rules of email-validator, without asking the DNS."""

from email_validator import (
    SPECIAL_USE_DOMAIN_NAMES,
    EmailNotValidError,
    ValidatedEmail,
    validate_email,
)

SPECIAL_USE_DOMAIN_NAMES.clear()
"""No domain is refused for its name's sake: services of one's own have addresses under ``.test``, ``.local``
and ``localhost``. The library has no other way to say so for all of them."""


class Unmailable(ValueError):
    """The text is no address that a mail server could take."""


def check(address: str, *, dotted: bool = False, display_name: bool = False) -> ValidatedEmail:
    """The address, taken apart.

    :param dotted: whether the domain must have a dot
    :param display_name: whether ``Name <address>`` is taken, too
    :raises Unmailable: no quoted local part, domain literal, trailing dot, number at its end (an IP address)
        or list can be mailed either
    """
    try:
        parts = validate_email(
            address,
            check_deliverability=False,
            globally_deliverable=dotted,
            allow_display_name=display_name,
        )
    except EmailNotValidError:
        raise Unmailable from None
    if parts.ascii_domain.rpartition(".")[2].isdigit():
        raise Unmailable
    return parts
