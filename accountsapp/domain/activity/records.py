"""An account's activity as records, for its owner: read in parts, so that any number needs no memory.

Nothing in them is of somebody else.
"""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, select

from accountsapp.domain.activity.record import BEST_RATING
from accountsapp.domain.data.activity_models import (
    Addon,
    Collection,
    Contribution,
    Project,
    Review,
    Volunteer,
)
from accountsapp.domain.transfer.fields import iso_text

ROWS_AT_ONCE = 1000
"""Rows that are read at once."""


def projects_of(connection: Connection, account_id: int) -> Iterator[dict[str, Any]]:
    """The projects that the account owns, by short name."""
    columns = [
        Project.short_name,
        Project.name,
        Project.description,
        Project.info,
        Project.published,
        Project.n_tasks,
        Project.created,
    ]
    for row in _parts(connection, select(*columns).where(Project.owner_id == account_id), Project.short_name):
        yield {**row._mapping, "created": iso_text(row.created)}


def contributions_of(connection: Connection, account_id: int) -> Iterator[dict[str, Any]]:
    """Its contributions, project by project."""
    mine = (
        select(Project.short_name, Volunteer.id)
        .join(Project, Project.id == Volunteer.project_id)
        .where(Volunteer.account_id == account_id)
    )
    for project in _parts(connection, mine, Project.short_name):
        of_project = select(Contribution.task, Contribution.created)
        of_project = of_project.where(Contribution.volunteer_id == project.id)
        for row in _parts(connection, of_project, Contribution.task):
            yield {
                "project": project.short_name,
                "task": json.loads(row.task),
                "created": iso_text(row.created),
            }


def reviews_of(connection: Connection, account_id: int) -> Iterator[dict[str, Any]]:
    """Its reviews, by add-on."""
    mine = (
        select(Addon.slug, Review.rating, Review.body)
        .join(Addon, Addon.id == Review.addon_id)
        .where(Review.account_id == account_id)
    )
    for row in _parts(connection, mine, Addon.slug):
        rating = int(row.rating) if row.rating in range(BEST_RATING + 1) else row.rating
        yield {"addon": row.slug, "rating": rating, "body": row.body}


def collections_of(connection: Connection, account_id: int) -> Iterator[dict[str, Any]]:
    """Its collections, by slug."""
    mine = select(Collection.slug, Collection.name).where(Collection.account_id == account_id)
    for row in _parts(connection, mine, Collection.slug):
        yield dict(row._mapping)


def _parts(connection: Connection, statement: Select[*tuple[Any, ...]], key: Any) -> Iterator[Any]:
    """The rows in the order of ``key``, the first of the selected columns, of which each has another."""
    page = statement.order_by(key).limit(ROWS_AT_ONCE)
    part = page
    while rows := connection.execute(part).all():
        yield from rows
        if len(rows) < ROWS_AT_ONCE:
            return
        part = page.where(key > rows[-1][0])
