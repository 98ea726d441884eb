"""Writes records of add-ons, reviews and collections."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, delete, insert, update

from accountsapp.domain.activity.batch import Batch, Item, NewReview, chunks, locked_ids, rows_of_pairs
from accountsapp.domain.activity.record import AddonRecord, CollectionRecord, ReviewRecord, values_of
from accountsapp.domain.data.activity_models import Addon, AddonAuthor, Collection, Review
from accountsapp.domain.data.models import Base

_addons = Base.metadata.tables[Addon.__tablename__]
_authors = Base.metadata.tables[AddonAuthor.__tablename__]
_reviews = Base.metadata.tables[Review.__tablename__]
_collections = Base.metadata.tables[Collection.__tablename__]

Authors = list[tuple[int, str]]
"""Accounts and roles, in the order of the record."""


def write_addons(batch: Batch, items: list[Item[AddonRecord]]) -> None:
    """Make or change add-ons: of one that is there, only what its record gives; ``authors`` are replaced."""
    known = locked_ids(batch.connection, Addon, Addon.slug, (item.record.slug for item in items))
    new: dict[str, dict[str, Any]] = {}
    authors: dict[str, Authors] = {}
    for item in items:
        record = item.record
        named = _authors_of(batch, item)
        if named is None:
            continue
        values = values_of(record, "type", "listed", "approved", "average_rating")
        if record.slug not in known and record.slug not in new and record.type is None:
            batch.result.refuse(item, "type: is required")
            continue
        if "authors" in record.model_fields_set:
            authors[record.slug] = named
        if record.slug in known:
            if values:
                this = _addons.c.id == known[record.slug]
                batch.connection.execute(update(_addons).where(this).values(values))
            batch.result.updated += 1
        elif record.slug in new:
            new[record.slug] |= values
            batch.result.updated += 1
        else:
            new[record.slug] = _new_addon(record)
            batch.result.created += 1
    if new:
        insertion = insert(_addons).returning(_addons.c.slug, _addons.c.id)
        known |= {row.slug: row.id for row in batch.connection.execute(insertion, list(new.values()))}
    _replace_authors(batch, {known[slug]: named for slug, named in authors.items()})


def _new_addon(record: AddonRecord) -> dict[str, Any]:
    return {
        "slug": record.slug,
        "type": record.type,
        "listed": record.listed,
        "approved": record.approved,
        "average_rating": record.average_rating,
    }


def _authors_of(batch: Batch, item: Item[AddonRecord]) -> Authors | None:
    """None where one is no account: the record is refused."""
    authors: Authors = []
    for author in item.record.authors:
        account_id = batch.account(item, author.username, "authors")
        if account_id is None:
            return None
        authors.append((account_id, author.role))
    return authors


def _replace_authors(batch: Batch, authors: dict[int, Authors]) -> None:
    for chunk in chunks(authors):
        batch.connection.execute(delete(_authors).where(_authors.c.addon_id.in_(chunk)))
    rows = [
        {"addon_id": addon_id, "account_id": account_id, "role": role, "position": position}
        for addon_id, named in authors.items()
        for position, (account_id, role) in enumerate(named)
    ]
    if rows:
        batch.connection.execute(insert(_authors), rows)


def write_reviews(batch: Batch, items: list[Item[ReviewRecord]]) -> None:
    """Make or change reviews: of one that is there, only what its record gives."""
    addons = locked_ids(batch.connection, Addon, Addon.slug, (item.record.addon for item in items))
    good: list[tuple[tuple[int, int], dict[str, Any]]] = []
    for item in items:
        account_id = batch.account(item, item.record.username)
        if account_id is None:
            continue
        if item.record.addon not in addons:
            batch.result.refuse(item, "addon: no such add-on")
            continue
        good.append(((account_id, addons[item.record.addon]), values_of(item.record, "rating", "body")))
    new = _write_owned(batch, _reviews, "addon_id", good, {"rating": None, "body": None})
    batch.result.reviews += [NewReview(addon_id, account_id) for account_id, addon_id in new]


def write_collections(batch: Batch, items: list[Item[CollectionRecord]]) -> None:
    """Make or change collections: of one that is there, only what its record gives."""
    good: list[tuple[tuple[int, str], dict[str, Any]]] = []
    for item in items:
        account_id = batch.account(item, item.record.username)
        if account_id is not None:
            good.append(((account_id, item.record.slug), values_of(item.record, "name")))
    _write_owned(batch, _collections, "slug", good, {"name": None})


def _write_owned(
    batch: Batch,
    table: Any,
    name: str,
    rows: Iterable[tuple[tuple[int, Any], dict[str, Any]]],
    defaults: dict[str, Any],
) -> Iterable[tuple[int, Any]]:
    """Make or change rows whose identity is an account and one further column.

    :param name: of that column
    :param rows: identities with the values that are given
    :param defaults: of the values, for a new row
    :returns: the identities that are new
    """
    rows = list(rows)
    columns = table.c.account_id, table.c[name]
    identities = {identity for identity, _ in rows}
    known = {(row[0], row[1]) for row in rows_of_pairs(batch.connection, columns, identities)}
    this = (columns[0] == bindparam("of_account")) & (columns[1] == bindparam("of_other"))
    new: dict[tuple[int, Any], dict[str, Any]] = {}
    for identity, values in rows:
        if identity in known:
            if values:
                of = {"of_account": identity[0], "of_other": identity[1]}
                batch.connection.execute(update(table).where(this).values(values), of)
            batch.result.updated += 1
        elif identity in new:
            new[identity] |= values
            batch.result.updated += 1
        else:
            new[identity] = {"account_id": identity[0], name: identity[1], **defaults, **values}
            batch.result.created += 1
    if new:
        batch.connection.execute(insert(table), list(new.values()))
    return new
