"""What an account shares with others, and when somebody else must have consented."""

from enum import StrEnum


class Privacy(StrEnum):
    """What others are shown."""

    ALL_USERS = "all_users"
    PRIVATE = "private"
    CUSTOM = "custom"
    """Field by field, as the account chose."""


_CHOICES = frozenset(Privacy)


def requires_parental_consent(year_of_birth: int | None, age_limit: int | None, this_year: int) -> bool:
    """Whether somebody is, or may be, below the age; the birthday of this year may still come.

    :param year_of_birth: None where it is not known
    :param age_limit: None: there is none
    """
    if age_limit is None:
        return False
    return year_of_birth is None or this_year - year_of_birth - 1 < age_limit


def effective(chosen: str | None, default: Privacy, *, needs_consent: bool) -> Privacy:
    """The privacy that counts.

    :param chosen: the account's own; one that is none counts as not chosen
    :param needs_consent: whether somebody else must have consented
    """
    if needs_consent:
        return Privacy.PRIVATE
    return Privacy(chosen) if chosen is not None and chosen in _CHOICES else default
