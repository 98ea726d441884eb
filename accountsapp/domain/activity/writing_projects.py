"""Writes records of projects and of contributions to them."""

import secrets
from collections import Counter
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from accountsapp.domain.activity.batch import Batch, Item, locked_ids, rows_of_pairs
from accountsapp.domain.activity.record import ContributionRecord, ProjectRecord, values_of
from accountsapp.domain.clock import now
from accountsapp.domain.data.activity_models import AnsweredTask, Contribution, Project, Volunteer
from accountsapp.domain.data.models import Account, Base

_projects = Base.metadata.tables[Project.__tablename__]
_accounts = Base.metadata.tables[Account.__tablename__]
_volunteers_table = Base.metadata.tables[Volunteer.__tablename__]
_contributions = Base.metadata.tables[Contribution.__tablename__]
_answered = Base.metadata.tables[AnsweredTask.__tablename__]

Pairs = set[tuple[int, Any]]

_COUNT_VOLUNTEERS = (
    update(_projects)
    .where(_projects.c.id == bindparam("of"))
    .values(
        n_volunteers=_projects.c.n_volunteers + bindparam("volunteers"),
        n_answered=_projects.c.n_answered + bindparam("answered"),
    )
)
_COUNT_CONTRIBUTIONS = (
    update(_accounts)
    .where(_accounts.c.id == bindparam("of"))
    .values(n_contributions=_accounts.c.n_contributions + bindparam("contributions"))
)


def write_projects(batch: Batch, items: list[Item[ProjectRecord]]) -> None:
    """Make or change projects: of one that is there, only what its record gives."""
    known = locked_ids(
        batch.connection, Project, Project.short_name, (item.record.short_name for item in items)
    )
    new: dict[str, dict[str, Any]] = {}
    for item in items:
        record = item.record
        values = values_of(record, "name", "description", "info", "published", "n_tasks", "created")
        if record.owner is not None:
            values["owner_id"] = batch.account(item, record.owner, "owner")
            if values["owner_id"] is None:
                continue
        elif "owner" in record.model_fields_set:
            values["owner_id"] = None
        if record.short_name in known:
            if values:
                this = _projects.c.id == known[record.short_name]
                batch.connection.execute(update(_projects).where(this).values(values))
            batch.result.updated += 1
        elif record.short_name in new:
            new[record.short_name] |= values
            batch.result.updated += 1
        else:
            new[record.short_name] = _new_project(record) | values
            batch.result.created += 1
    if new:
        batch.connection.execute(insert(_projects), list(new.values()))


def _new_project(record: ProjectRecord) -> dict[str, Any]:
    return {
        "short_name": record.short_name,
        "owner_id": None,
        "name": record.short_name,
        "description": record.description,
        "info": record.info,
        "published": record.published,
        "n_tasks": record.n_tasks,
        "created": now(),
    }


def write_contributions(batch: Batch, items: list[Item[ContributionRecord]]) -> None:
    """Make contributions; of one that is there, only the time can change."""
    projects = locked_ids(
        batch.connection, Project, Project.short_name, (item.record.project for item in items)
    )
    good: list[tuple[ContributionRecord, int, int]] = []
    for item in items:
        account_id = batch.account(item, item.record.username)
        if account_id is None:
            continue
        project_id = projects.get(item.record.project)
        if project_id is None:
            batch.result.refuse(item, "project: no such project")
            continue
        good.append((item.record, project_id, account_id))
    if good:
        _write_contributions(batch, good)


def _write_contributions(batch: Batch, good: list[tuple[ContributionRecord, int, int]]) -> None:
    connection = batch.connection
    volunteers, new_volunteers = _volunteers(connection, {(project, account) for _, project, account in good})
    known = _known_contributions(
        connection, {(volunteers[project, account], record.task_key) for record, project, account in good}
    )
    new: dict[tuple[int, str], dict[str, Any]] = {}
    answered: Pairs = set()
    contributions: Counter[int] = Counter()
    moment = now()
    for record, project_id, account_id in good:
        key = volunteers[project_id, account_id], record.task_key
        if key in known:
            if record.created is not None:
                _change_time(connection, *key, record)
            batch.result.updated += 1
        elif key in new:
            new[key] |= values_of(record, "created")
            batch.result.updated += 1
        else:
            new[key] = {"volunteer_id": key[0], "task": key[1], "created": record.created or moment}
            answered.add((project_id, record.task_key))
            contributions[account_id] += 1
            batch.result.created += 1
    if new:
        connection.execute(insert(Contribution), list(new.values()))
        _count(connection, new_volunteers, _newly_answered(connection, answered), contributions)


def _volunteers(connection: Connection, pairs: Pairs) -> tuple[dict[tuple[int, int], int], Counter[int]]:
    """The volunteer of each project and account, made where there is none.

    :returns: their marks, and how many each project has got
    """
    marks: dict[tuple[int, int], int] = {}
    columns = _volunteers_table.c.project_id, _volunteers_table.c.account_id
    for row in rows_of_pairs(connection, columns, pairs, _volunteers_table.c.id):
        marks[row.project_id, row.account_id] = row.id
    new = {pair: secrets.randbits(63) for pair in sorted(pairs - marks.keys())}
    if new:
        rows_of_new = [
            {"id": mark, "project_id": project_id, "account_id": account_id}
            for (project_id, account_id), mark in new.items()
        ]
        connection.execute(insert(Volunteer), rows_of_new)
    return marks | new, Counter(project_id for project_id, _ in new)


def _known_contributions(connection: Connection, pairs: Pairs) -> Pairs:
    """Which of those of a volunteer and a task are there."""
    columns = _contributions.c.volunteer_id, _contributions.c.task
    return {(row.volunteer_id, row.task) for row in rows_of_pairs(connection, columns, pairs)}


def _newly_answered(connection: Connection, pairs: Pairs) -> Counter[int]:
    """Note which tasks of which projects have a contribution.

    :returns: how many new ones each project has got
    """
    columns = _answered.c.project_id, _answered.c.task
    new = pairs - {(row.project_id, row.task) for row in rows_of_pairs(connection, columns, pairs)}
    if new:
        connection.execute(
            insert(AnsweredTask), [{"project_id": project_id, "task": task} for project_id, task in new]
        )
    return Counter(project_id for project_id, _ in new)


def _count(
    connection: Connection, volunteers: Counter[int], answered: Counter[int], contributions: Counter[int]
) -> None:
    of_projects = [
        {"of": project_id, "volunteers": volunteers[project_id], "answered": answered[project_id]}
        for project_id in sorted(volunteers.keys() | answered.keys())
    ]
    if of_projects:
        connection.execute(_COUNT_VOLUNTEERS, of_projects)
    connection.execute(
        _COUNT_CONTRIBUTIONS,
        [{"of": account_id, "contributions": n} for account_id, n in sorted(contributions.items())],
    )


def _change_time(connection: Connection, volunteer_id: int, task: str, record: ContributionRecord) -> None:
    this = (Contribution.volunteer_id == volunteer_id) & (Contribution.task == task)
    connection.execute(update(Contribution).where(this).values(created=record.created))
