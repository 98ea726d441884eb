"""Tells a value that was not given from one that is None."""

from enum import Enum


class Unset(Enum):
    """The type of :data:`UNSET`."""

    UNSET = "unset"


UNSET = Unset.UNSET
"""Nothing was given: the field stays as it is."""
