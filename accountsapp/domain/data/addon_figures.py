"""What the public add-ons of an account come to, in the statement that reads the account."""

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, case, func, literal_column, select

from accountsapp.domain.data.activity_models import Addon, AddonAuthor
from accountsapp.domain.data.json_texts import json_array_text
from accountsapp.domain.data.models import Account


def addon_figures_text(account_id: ColumnElement[int]) -> ScalarSelect[Any]:
    """Mean rating, number of extensions, number of themes: a JSON array of those that everybody may see.

    :param account_id: the column of the account whose they are
    """
    return (
        select(
            json_array_text(
                func.avg(Addon.average_rating),
                func.count(case((Addon.type == literal_column("'extension'"), Addon.id))),
                func.count(case((Addon.type == literal_column("'theme'"), Addon.id))),
            )
        )
        .select_from(AddonAuthor)
        .join(Addon, Addon.id == AddonAuthor.addon_id)
        .where(AddonAuthor.account_id == account_id, Addon.listed, Addon.approved)
        .correlate(Account.__table__)
        .scalar_subquery()
    )
