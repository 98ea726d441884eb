"""What an account's add-ons say of it."""

import json
from functools import lru_cache
from typing import NamedTuple


class AddonFigures(NamedTuple):
    """Of the public add-ons of one account, in which role ever."""

    average_addon_rating: float | None
    """Mean of those that have a rating, with two decimals."""
    is_addon_developer: bool
    """Whether one is an extension."""
    is_artist: bool
    """Whether one is a theme."""
    num_addons_listed: int


@lru_cache(1000)
def figures_of(text: str) -> AddonFigures:
    """
    :param text: ``addon_figures_text``, as it was read with the account
    """
    rating, extensions, themes = json.loads(text)
    return AddonFigures(
        average_addon_rating=round(rating, 2) if rating is not None else None,
        is_addon_developer=extensions > 0,
        is_artist=themes > 0,
        num_addons_listed=extensions + themes,
    )
