"""The names of an account's fields, as answers have them, and what some of them may be."""

from accountsapp.domain.clock import now

FIELDS = (
    "username",
    "name",
    "email",
    "bio",
    "goals",
    "mailing_address",
    "language",
    "gender",
    "level_of_education",
    "country",
    "year_of_birth",
    "language_proficiencies",
    "account_privacy",
    "date_joined",
    "is_active",
    "profile_image",
    "requires_parental_consent",
    "accomplishments_shared",
    "social_links",
)
READ_ONLY = (
    "username",
    "date_joined",
    "is_active",
    "profile_image",
    "requires_parental_consent",
    "accomplishments_shared",
)
GENDERS = ("f", "m", "o")
LEVELS_OF_EDUCATION = ("p", "m", "b", "a", "hs", "jhs", "el", "none", "o", "other")
WITH_VISIBILITY = (
    "name",
    "bio",
    "country",
    "date_joined",
    "level_of_education",
    "language_proficiencies",
    "social_links",
    "time_zone",
    "course_certificates",
)
"""The fields that an account may share one by one; two of them are shown by other systems alone."""
VISIBILITY = "visibility."
"""What the name of a preference begins with that shares one field."""
OLDEST = 120
"""Years."""


def years_of_birth() -> range:
    """The years in which somebody may have been born."""
    this_year = now().year
    return range(this_year - OLDEST, this_year + 1)
