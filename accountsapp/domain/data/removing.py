"""Many rows are removed in parts, each in a transaction of its own: others write in between."""

from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

ROWS_AT_ONCE = 500
"""Rows of one kind that a transaction removes."""


def remove_some(session: Session, model: Any, *conditions: ColumnElement[bool], **parameters: Any) -> int:
    """Remove rows of a table that has an ``id``; those that another transaction has locked stay.

    :param parameters: of the conditions
    :returns: how many, up to :data:`ROWS_AT_ONCE`; 0 when there is none left
    """
    part = select(model.id).where(*conditions).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True, of=model)
    ids = session.scalars(part, parameters).all()
    if ids:
        removal = delete(model).where(model.id.in_(ids))
        session.execute(removal.execution_options(synchronize_session=False))
    return len(ids)
